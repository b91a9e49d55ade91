"""The data that operators see and do not see, and the security headers for browsers."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from coughlab.audio import synthetic
from coughlab.web.middleware.security_headers import script_hashes
from tests.servers import serving

PREDICT = "/api/v1/predict"


@pytest.fixture(scope="module")
def server():
    with serving(QUEUE=0, WORKERS=1) as server:
        yield server


def lines(server, request):
    """The log lines of a request; the log is written after the answer."""
    for _ in range(100):
        if found := [line for line in server.log() if line.get("request") == request]:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no line about {request}")


def figures(server):
    text = httpx.get(server.url + "/api/v1/metrics").text
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
    }


def test_a_line_for_each_request_with_the_id_of_its_answer(server):
    files = {"file": ("Jane Doe 1970-01-01.wav", synthetic.sample())}
    answer = httpx.post(server.url + PREDICT + "?prevalence=0.1", files=files)
    (line,) = lines(server, answer.headers["X-Request-ID"])
    assert {name: line[name] for name in ("level", "route", "method", "status")} == {
        "level": "info", "route": PREDICT, "method": "POST", "status": 200,
    }  # fmt: skip
    assert line["bytes"] == len(answer.content) and line["ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert set(line) == {"time", "level", "message", "request", "route", "method", "status", "ms", "bytes"}
    assert "Jane" not in server.errors.read_text()


def test_a_given_request_id_is_kept_if_it_is_valid(server):
    assert (
        httpx.get(server.url + PREDICT, headers={"X-Request-ID": "ward-3.17"}).headers["X-Request-ID"]
        == "ward-3.17"
    )
    assert lines(server, "ward-3.17")[0]["status"] == 405
    for other in ("a b", "x" * 65, "a\tb", '{"a": 1}', ""):
        answer = httpx.get(server.url + PREDICT, headers={"X-Request-ID": other})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_unknown_addresses_are_not_logged(server):
    answer = httpx.get(server.url + "/api/Jane-Doe?name=Jane")
    assert lines(server, answer.headers["X-Request-ID"])[0]["route"] == "unknown api"
    httpx.request("JANE", server.url + "/api/v1/models")
    assert "jane" not in server.errors.read_text().lower()
    assert not any("jane" in name.lower() for name in figures(server))


def test_figures_count_requests_and_workers(server):
    def answered(status):
        name = f'coughlab_requests_total{{method="POST",route="{PREDICT}",status="{status}"}}'
        return figures(server).get(name, 0.0)

    before = answered(200), answered(400)
    httpx.post(server.url + PREDICT, files={"file": synthetic.sample()})
    httpx.post(server.url + PREDICT, files={"file": b"no sound"})
    assert (answered(200), answered(400)) == (before[0] + 1, before[1] + 1)
    now = figures(server)
    assert now["coughlab_workers"] == 1.0 and now["coughlab_workers_admitted"] == 0.0
    assert now[f'coughlab_request_seconds_count{{route="{PREDICT}"}}'] >= 2


def test_a_busy_answer_says_when_to_try_again(server):
    def ask(_):
        return httpx.post(server.url + PREDICT, files={"file": synthetic.sample()}, timeout=60)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(40)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in refused:
        assert answer.json()["error"]["code"] == "busy" and int(answer.headers["Retry-After"]) >= 1


def test_every_answer_has_the_security_headers(server, app):
    known = httpx.get(f"{app}/").text
    script = re.search(r'src="\./(static/js/[^"]+)"', known)[1]
    for address in (f"{server.url}/api/v1/health", f"{server.url}{PREDICT}", app, f"{app}/{script}"):
        headers = httpx.get(address).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'" and policy["object-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'" and headers["X-Frame-Options"] == "DENY"
        assert "unsafe" not in policy["script-src"] and "http" not in policy["script-src"]
        assert "microphone=(self)" in headers["Permissions-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_components_may_be_framed_by_the_app_alone(app):
    headers = httpx.get(f"{app}/component/nothing").headers
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


def test_only_named_sites_may_frame_the_app():
    with serving(FRAME_ANCESTORS="https://ward.example") as server:
        headers = httpx.get(f"{server.url}/api/v1/health").headers
    assert headers["Content-Security-Policy"].endswith("frame-ancestors https://ward.example")
    assert "X-Frame-Options" not in headers


def test_no_other_site_has_access(server, app):
    origin = {"Origin": "https://evil.example"}
    for url in (server.url, app):
        for method, address in (("GET", "/api/v1/health"), ("OPTIONS", PREDICT), ("GET", "/_stcore/health")):
            answer = httpx.request(
                method, url + address, headers=origin | {"Access-Control-Request-Method": "POST"}
            )
            assert "Access-Control-Allow-Origin" not in answer.headers
    files = {"file": synthetic.sample()}
    answer = httpx.post(server.url + PREDICT, files=files, headers=origin | {"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")


def test_only_scripts_that_are_in_the_page_get_a_hash(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("<script>let a = 1;</script><script src='x.js'></script><script>\nlet b = 2;\n</script>")
    assert list(script_hashes(page)) == [
        "'sha256-" + digest + "'" for digest in (_sha("let a = 1;"), _sha("\nlet b = 2;\n"))
    ]


def _sha(text):
    import base64
    import hashlib

    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
