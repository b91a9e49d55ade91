"""API keys: access, refusal, and rate limits."""

import httpx
import pytest

from coughlab.audio import synthetic
from coughlab.web import keys
from tests.servers import serving

PREDICT = "/api/v1/predict"


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_a_key_fits_its_hash_and_no_other():
    (one, hashed), (other, _) = keys.new(), keys.new()
    assert one != other and one.startswith(keys.PREFIX) and one not in hashed and len(one) > 40
    known = keys.Keys({"ward": hashed})
    known.admit(bearer(one))
    for headers in (bearer(other), bearer(hashed), bearer(one[:-1]), bearer(""), {"Authorization": one}, {}):
        with pytest.raises(keys.AccessError):
            known.admit(headers)


def test_an_unknown_key_is_refused_even_where_no_key_is_needed():
    keys.OPEN.admit({})
    with pytest.raises(keys.AccessError, match="not known here"):
        keys.OPEN.admit(bearer(keys.new()[0]))


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ("sha256", "must be a table"),
        ({"a": "secret"}, "'sha256:' and 64 digits"),
        ({"a": {"per_minute": 3}}, "'sha256:' and 64 digits"),
        ({"a": {"hash": keys.new()[1], "per_minute": 0}}, "a whole number from 1 on"),
        ({"a": {"hash": keys.new()[1], "per_minute": True}}, "a whole number from 1 on"),
    ],
)
def test_secrets_without_valid_keys_are_reported(known, why):
    with pytest.raises(keys.SecretsError, match=why):
        keys.Keys(known)


def test_each_key_has_its_own_rate_limit(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(keys.time, "monotonic", lambda: now)
    (one, hashed), (other, hashed_other) = keys.new(), keys.new()
    known = keys.Keys({"a": {"hash": hashed, "per_minute": 3}, "b": hashed_other})
    for _ in range(3):
        known.admit(bearer(one))
    with pytest.raises(keys.RateError, match="Try again in 20 seconds") as error:
        known.admit(bearer(one))
    assert error.value.retry_after == 20
    known.admit(bearer(other))
    now += 20
    known.admit(bearer(one))
    with pytest.raises(keys.RateError):
        known.admit(bearer(one))
    now += 3600
    for _ in range(3):
        known.admit(bearer(one))
    with pytest.raises(keys.RateError):
        known.admit(bearer(one))


HERE = {"Host": "localhost:8501"}


@pytest.mark.parametrize(
    ("address", "headers", "here"),
    [
        ("localhost", HERE, True),
        ("127.0.0.1", {"Host": "127.0.0.1"}, True),
        ("::1", {"Host": "[::1]:80", "Origin": "http://localhost:8501"}, True),
        ("localhost", {}, True),
        (None, HERE, False),
        ("0.0.0.0", HERE, False),
        ("192.168.1.5", HERE, False),
        ("localhost", HERE | {"X-Forwarded-For": "127.0.0.1"}, False),
        ("localhost", {"Host": "coughs.example.org"}, False),
        ("localhost", {"Host": "localhost.example.org"}, False),
        ("localhost", HERE | {"Origin": "http://example.org"}, False),
        ("localhost", HERE | {"Origin": "null"}, False),
        ("localhost", {"Host": "[::1"}, False),
    ],
)
def test_requests_that_can_only_come_from_this_machine(address, headers, here):
    assert keys.at_this_machine(address, headers) is here
    known = keys.from_secrets({}, address)
    if here:
        known.admit(headers)
    else:
        with pytest.raises(keys.AccessError, match="wants a key"):
            known.admit(headers)


def test_the_setting_has_priority_over_the_address(monkeypatch):
    monkeypatch.setenv("COUGHLAB_API_KEYS", "off")
    keys.from_secrets({}, "0.0.0.0").admit({})
    monkeypatch.setenv("COUGHLAB_API_KEYS", "required")
    with pytest.raises(keys.AccessError):
        keys.from_secrets({}, "localhost").admit({})


def test_a_server_at_all_addresses_requires_a_key_and_counts_its_use():
    key, hashed = keys.new()
    secrets = f'[api_keys]\n"ward 3" = {{ hash = "{hashed}", per_minute = 4 }}\n'
    files = {"file": synthetic.sample()}
    with serving("--host", "0.0.0.0", secrets=secrets) as server, httpx.Client(base_url=server.url) as client:
        for address in (PREDICT, "/api/v1/models", "/api/v1/metrics"):
            method = "POST" if address == PREDICT else "GET"
            answer = client.request(method, address, files=files if method == "POST" else None)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no_key")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        for address in ("/api/v1/health", "/api/v1/openapi.json"):
            assert client.get(address).is_success
        refused = client.post(PREDICT, files=files, headers=bearer(key + "x"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "no_key")
        answers = [client.post(PREDICT, files=files, headers=bearer(key)) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 4 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 15
        # Neither the log nor the metrics contain the key or the name of its holder.
        assert (
            server.log() and key not in server.errors.read_text() and "ward" not in server.errors.read_text()
        )


def test_the_command_makes_one_that_works(capsys):
    import tomllib

    from coughlab.cli import main

    with pytest.raises(SystemExit) as end:
        main.main(["key", 'ward "3"'])
    assert end.value.code == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    known = keys.Keys(tomllib.loads(lines[1]))
    known.admit(bearer(lines[0]))
