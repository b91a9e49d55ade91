"""The description of the API, and the API compared with it."""

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, strategies
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS

from coughlab.audio import synthetic
from coughlab.web import keys, openapi, routes
from tests import sounds
from tests.servers import serving

schema = schemathesis.openapi.from_dict(openapi.document())


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def valid(name, instance):
    document = openapi.document()
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(instance)


often = hypothesis_settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schema.parametrize()
@often
def test_every_request_gets_an_answer_as_described(case, server):
    # Random bytes are not a recording; the description cannot express this.
    case.call_and_validate(base_url=server.url, excluded_checks=[CHECKS.get_one("positive_data_acceptance")])


HUM = sounds.with_soundfile("WAV", samples=sounds.OTHERS["a quiet hum"])
asked = schema["/api/v1/predict"]["POST"].as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)


@often
@given(case=asked, data=strategies.sampled_from([synthetic.sample(), HUM]))
def test_a_recording_is_answered_with_any_other_parameters(case, data, server):
    # The description can neither list the additional models that exist, nor say that the form may not contradict the address.
    case.query = {name: text for name, text in (case.query or {}).items() if name != "also"}
    case.body = {name: text for name, text in case.body.items() if name not in case.query} | {"file": data}
    # The validator does not accept bytes as a string, so it reports the body as invalid.
    answer = case.call_and_validate(
        base_url=server.url, excluded_checks=[CHECKS.get_one("negative_data_rejection")]
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        synthetic.sample(),
        sounds.with_soundfile("WAV", samples=sounds.OTHERS["faint noise"]),
        sounds.with_soundfile("WAV", samples=sounds.OTHERS["a pure tone"]),
    ],
)
@pytest.mark.parametrize("force", ["true", "false"])
def test_answers_hold_what_is_described_and_nothing_else(server, data, force):
    answer = httpx.post(f"{server.url}/api/v1/predict?force={force}", files={"file": data})
    assert answer.status_code == 200
    valid("Answer", answer.json())


def test_models_health_and_errors_too(server):
    valid("Models", httpx.get(f"{server.url}/api/v1/models").json())
    valid("Health", httpx.get(f"{server.url}/api/v1/health").json())
    for answer in (
        httpx.get(f"{server.url}/api/v1/predict"),
        httpx.get(f"{server.url}/api/nothing"),
        httpx.post(f"{server.url}/api/v1/predict", files={"file": b""}),
        httpx.post(
            f"{server.url}/api/v1/predict", files={"file": synthetic.sample()}, headers={"Authorization": "x"}
        ),
    ):
        assert answer.status_code >= 400
        valid("Error", answer.json())


def test_the_description_is_served_and_has_every_address(server):
    served = httpx.get(f"{server.url}/api/v1/openapi.json").json()
    assert served == openapi.document() and list(served["paths"]) == routes.addresses()


def test_every_operation_describes_the_refusal_of_an_option():
    for methods in openapi.document()["paths"].values():
        for operation in methods.values():
            assert "400" in operation["responses"]


def test_its_statements_about_keys_are_true():
    with serving(API_KEYS="required", secrets=f'[api_keys]\na = "{keys.new()[1]}"') as server:
        for path, methods in openapi.document()["paths"].items():
            for method, operation in methods.items():
                refused = httpx.request(method, server.url + path).status_code == 401
                assert refused == (operation.get("security") != []) == ("401" in operation["responses"])
