"""The API over a real socket, in the app as ``make run`` starts it."""

import gc
import json
import shutil
import socket
import subprocess
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from urllib.parse import urlsplit

import anyio
import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from coughlab import __version__, audio
from coughlab.evidence.verdict import HEADLINES
from coughlab.serving import predictors, worker_process, workers
from coughlab.web import api, endpoint, routes, uploads
from tests import sounds
from tests.conftest import missing
from tests.stored_studies import with_large

PREDICT = "/api/v1/predict"


def post(app, data, name="cough.wav", field="file"):
    return httpx.post(app + PREDICT, files={field: (name, data)}, timeout=60)


def error(response):
    body = response.json()
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message"}
    assert body["error"]["message"].endswith((".", "cough.wav"))
    assert "Traceback" not in response.text
    return response.status_code, body["error"]["code"]


@pytest.mark.parametrize("name", sounds.FORMATS)
def test_a_file_of_each_format_is_answered(app, name):
    data = sounds.FORMATS[name]()
    response = post(app, data)
    assert response.status_code == 200
    assert response.json() == predictors.default().predict(audio.load(data)).to_dict()


def test_the_answer_has_the_documented_keys(app):
    answer = post(app, sounds.FORMATS["wav 16-bit"]()).json()
    assert list(answer) == [
        "label",
        "probability",
        "model",
        "cough",
        "evidence",
        "novelty",
        "models",
        "audio",
        "events",
        "quality",
        "study",
        "version",
    ]
    assert list(answer["models"]) == ["mlp", "cnn", "knn"]
    for model in answer["models"].values():
        assert list(model) == ["label", "probability", "threshold", "coughs", "evidence"]
        assert sum(model["coughs"].values()) == answer["cough"]["found"]
        assert list(model["evidence"]) == [
            *("study", "protocol", "tested_on", "recordings", "people", "splits", "auc", "auc_interval"),
            *("likelihood_ratio", "likelihood_ratio_interval", "prevalence"),
            *("probability_after", "probability_after_interval", "verdict", "message"),
        ]
        assert model["label"] == ("covid" if model["probability"] >= model["threshold"] else "not_covid")
    assert list(answer["novelty"]) == ["p", "code", "message", "trained_on"]
    assert answer["model"] == "mlp"
    assert (answer["label"], answer["probability"]) == (
        answer["models"]["mlp"]["label"],
        answer["models"]["mlp"]["probability"],
    )
    assert answer["audio"] == {
        "duration_s": sounds.DURATION,
        "sample_rate": sounds.RATE,
        "channels": 1,
        "codec": "pcm_16",
    }
    assert list(answer["cough"]) == ["found", "probability", "heard"]
    assert (answer["cough"]["found"], answer["cough"]["heard"]) == (2, None)
    assert [list(event) for event in answer["events"]] == [["start_s", "end_s", "probability", "models"]] * 2
    for event in answer["events"]:
        assert list(event["models"]) == list(answer["models"])
        assert all(list(model) == ["label", "probability"] for model in event["models"].values())
    assert (answer["study"], answer["version"]) == ("kaggle-trial", __version__)


def test_curl_as_in_the_readme(app, tmp_path):
    if not shutil.which("curl"):
        missing("curl")
    path = tmp_path / "any.wav"
    path.write_bytes(sounds.FORMATS["wav 16-bit"]())
    command = ["curl", "-sS", "-F", f"file=@{path}", app + PREDICT]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert answer["label"] in ("covid", "not_covid")


def test_without_a_cough_there_is_no_label_unless_it_is_forced(app, no_cough):
    response = post(app, no_cough)
    assert response.status_code == 200
    answer = response.json()
    assert list(answer["cough"]) == ["found", "probability", "heard"] and answer["cough"]["found"] == 0
    assert list(answer["cough"]["heard"]) == ["code", "message"]
    assert (answer["label"], answer["probability"], answer["events"], answer["models"]) == (
        None,
        None,
        [],
        {},
    )
    assert (answer["evidence"], answer["novelty"]) == (None, None)
    forced = httpx.post(f"{app}{PREDICT}?force=true", files={"file": no_cough}, timeout=60).json()
    assert forced["label"] == forced["models"]["mlp"]["label"] and forced["cough"] == answer["cough"]
    assert list(forced) == list(answer)


def test_force_is_yes_or_no_in_the_address_or_a_field(app):
    files = {"file": sounds.with_soundfile("WAV", samples=sounds.OTHERS["faint noise"])}
    for force, forced in {"true": True, "1": True, "True": True, "false": False, "0": False}.items():
        by_query = httpx.post(f"{app}{PREDICT}?force={force}", files=files, timeout=60).json()
        by_field = httpx.post(app + PREDICT, files=files, data={"force": force}, timeout=60).json()
        assert by_query == by_field
        assert (by_query["label"] is not None) == forced
    for wrong in ("yes", "2", "", "%20", "true,false"):
        response = httpx.post(f"{app}{PREDICT}?force={wrong}", files=files, timeout=60)
        assert error(response) == (400, "bad_force")
        assert "true or false" in response.json()["error"]["message"]
    response = httpx.post(app + PREDICT, files=files, data={"force": "maybe"}, timeout=60)
    assert error(response) == (400, "bad_force")


def test_quality_is_reported_in_sentences(app):
    quiet = (sounds.cough() * 0.005).astype(np.float32)
    answer = post(app, sounds.with_soundfile("WAV", "FLOAT", samples=quiet)).json()
    assert "quiet" in [remark["code"] for remark in answer["quality"]]
    assert all(remark["message"].endswith(".") for remark in answer["quality"])


SECOND = np.zeros(sounds.RATE, np.float32)
REFUSED = {
    "empty": (400, lambda: b""),
    "not_audio": (400, lambda: b"This is a letter, whatever its name says.\n" * 100),
    "damaged": (400, lambda: sounds.FORMATS["flac 16-bit"]()[:100]),
    "no_audio_stream": (400, lambda: sounds.with_av("mp4", video="mpeg4")),
    "unsupported": (400, lambda: sounds.wav(b"\xaa" * 48_000, bits=1)),
    "too_large": (413, lambda: bytes(audio.LIMITS.max_bytes + 1)),
    "too_long": (413, lambda: sounds.with_soundfile("FLAC", samples=np.tile(sounds.cough(), 60))),
    "too_short": (422, lambda: sounds.with_soundfile("WAV", samples=sounds.cough()[15_000:16_000])),
    "no_samples": (422, lambda: sounds.wav(b"")),
    "not_finite": (422, lambda: sounds.with_soundfile("WAV", "FLOAT", samples=SECOND + np.float32("nan"))),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_analysed_is_refused_with_its_code(app, code):
    status, data = REFUSED[code]
    assert error(post(app, data())) == (status, code)


def test_silence_holds_no_cough_and_no_answer_about_it_can_be_forced(app):
    silence = sounds.with_soundfile("WAV", samples=SECOND)
    response = post(app, silence)
    answer = response.json()
    assert (response.status_code, answer["label"], answer["models"]) == (200, None, {})
    assert (answer["cough"]["found"], answer["cough"]["heard"]["code"]) == (0, "silence")
    forced = httpx.post(f"{app}{PREDICT}?force=true", files={"file": silence}, timeout=60)
    assert error(forced) == (422, "silent")


def test_far_too_large_is_refused_before_all_of_it_is_sent(app):
    address = urlsplit(app)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {10**12}\r\n"
        connection.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n")
        connection.sendall(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n')
        sent, block = 0, bytes(1 << 20)
        try:
            while sent <= 2 * uploads.DRAIN_BYTES:
                connection.sendall(block)
                sent += len(block)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent <= 2 * uploads.DRAIN_BYTES
    assert httpx.get(app + "/api/v1/health").is_success


def test_wrong_method_kind_and_field(app):
    assert error(httpx.get(app + PREDICT)) == (405, "method_not_allowed")
    assert error(httpx.post(app + "/api/v1/health")) == (405, "method_not_allowed")
    assert error(httpx.post(app + PREDICT, content=b"RIFF")) == (415, "unsupported_media_type")
    assert error(httpx.post(app + PREDICT, json={"file": "cough.wav"})) == (415, "unsupported_media_type")
    assert error(post(app, b"RIFF", field="sound")) == (400, "no_file")
    assert error(httpx.post(app + PREDICT, files={"x": b""}, data={"file": "text"})) == (400, "no_file")
    for address in ("/api", "/api/", "/api/v1/nothing"):
        assert error(httpx.get(app + address)) == (404, "not_found")


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_broken_multipart_is_refused(app, kind):
    response = httpx.post(app + PREDICT, content=b"--y\r\n\r\nnonsense", headers={"Content-Type": kind})
    assert response.status_code == 400
    assert error(response)[1] in ("bad_request", "no_file")


@pytest.mark.parametrize("name", ["file", "sound", "File", "prevalence", "\r\n<b>"])
@pytest.mark.parametrize("kind", ["file", "text"])
def test_a_second_file_and_an_unknown_field_are_refused(app, name, kind):
    data = sounds.FORMATS["wav 16-bit"]()
    second = ("b.wav", data) if kind == "file" else (None, "0.2")
    response = httpx.post(app + PREDICT, files=[("file", ("a.wav", data)), (name, second)], timeout=60)
    if (name, kind) == ("prevalence", "text"):
        assert response.json()["evidence"]["prevalence"] == 0.2
        return
    status, code = error(response)
    assert (status, code) == (400, "bad_request" if "file" in (name, kind) else "unknown_option")
    assert "<b>" not in response.text
    if name in ("sound", "File"):
        assert f"'{name}'" in response.json()["error"]["message"]


@pytest.mark.parametrize("path", routes.addresses())
def test_every_address_refuses_options_it_does_not_have(app, path):
    method, upload = "GET", {}
    if path == PREDICT:
        method, upload = "POST", {"files": {"file": sounds.FORMATS["wav 16-bit"]()}}

    def refusal(query, **more):
        response = httpx.request(method, f"{app}{path}?{query}", timeout=60, **upload, **more)
        assert error(response) == (400, "unknown_option")
        return response.json()["error"]["message"]

    for query, name in {
        "study=covid19-cough": "study",
        "study=kaggle-trial": "study",
        "model=cnn": "model",
        "prevalance=0.2": "prevalance",
        "Force=1": "Force",
        "force%20=1": "force ",
        "nothing": "nothing",
        "=1": "",
        "file=cough.wav": "file",
    }.items():
        message = refusal(query)
        assert f"'{name}'" in message
        if name in ("study", "model"):
            assert f"the study {predictors.default().study.name} only" in message
    near, far = refusal("prevalance=0.2&force=1"), refusal("x=%0d%0a<b>&%0d%0a<b>=1")
    assert ("Is 'prevalence' meant? The options are: also, prevalence, force." in near) == (path == PREDICT)
    assert "<" not in far and "Is '" not in far
    if upload:
        for name, text in {"study": "covid19-cough", "Prevalence": "0.2", "also": "cnn1"}.items():
            assert f"'{name}'" in refusal("", data={name: text})


@pytest.mark.parametrize("name", ["force", "prevalence", "also"])
def test_an_option_with_two_values_is_refused(app, name):
    files = {"file": sounds.FORMATS["wav 16-bit"]()}
    one, other = {"force": ("1", "0"), "prevalence": ("0.1", "0.2"), "also": ("", "cnn1")}[name]
    twice = [(f"{name}={one}&{name}={other}", {})]
    if name != "also":
        twice += [(f"{name}={one}", {name: other}), ("", {name: [one, other]})]
    for query, data in twice:
        response = httpx.post(f"{app}{PREDICT}?{query}", files=files, data=data, timeout=60)
        assert error(response) == (400, f"bad_{name}")
        assert f"The option '{name}' is given more than once" in response.json()["error"]["message"]
    again = {} if name == "also" else {name: one}
    response = httpx.post(f"{app}{PREDICT}?{name}={one}&{name}={one}", files=files, data=again, timeout=60)
    assert response.is_success


def test_the_health_check_of_a_monitor_may_add_its_own_option(app):
    assert httpx.get(f"{app}/api/v1/health?uptime_kuma_cachebuster=x8f2").is_success
    assert httpx.head(f"{app}/api/v1/health").is_success
    assert httpx.head(f"{app}/api/v1/health?study=x").status_code == 400


def test_models_have_their_scores_and_test_data(app):
    answer = httpx.get(app + "/api/v1/models").json()
    assert answer["main"] == "mlp" and answer["study"] == "kaggle-trial"
    study = predictors.default().study
    assert list(answer["models"]) == list(study.models)
    tests = study.predictions.groupby(["model", "protocol", "tested_on"], observed=True)["split"].nunique()
    for name, model in answer["models"].items():
        for score in model["scores"]:
            assert score["splits"] == tests[name, score["protocol"], score["tested_on"]]
            assert 0 < score["accuracy_people"] <= score["accuracy_recordings"]
            # Without COVID cases there is no sensitivity.
            assert (score["sensitivity"] is None) == (score["sensitivity_people"] == 0)
            assert score["specificity_low"] <= score["specificity"] <= score["specificity_high"]
        assert len(model["scores"]) == len(tests[name])


def test_models_say_whether_they_answer(app):
    answers = {
        name: model["answers"] for name, model in httpx.get(app + "/api/v1/models").json()["models"].items()
    }
    assert [name for name, when in answers.items() if when == "always"] == ["mlp", "cnn", "knn"]
    assert answers["tree"] == answers["random"] == "never"
    assert [name for name, when in answers.items() if when == "when asked"] == predictors.default().slow


@pytest.mark.parametrize("also", ["nothing", "mlp", "tree", "cnn1,nothing", "nothing,nothing", "%20"])
def test_a_model_that_cannot_answer_is_refused(app, also):
    data = sounds.FORMATS["wav 16-bit"]()
    response = httpx.post(f"{app}{PREDICT}?also={also}", files={"file": data}, timeout=60)
    assert error(response) == (400, "unknown_model")


@pytest.mark.parametrize("query", ["?also=", "?also=,", "?also=&also="])
def test_only_named_large_models_answer(app, query):
    data = sounds.FORMATS["wav 16-bit"]()
    response = httpx.post(app + PREDICT + query, files={"file": data}, timeout=60)
    assert response.json() == post(app, data).json()


def test_the_evidence_is_calculated_with_the_given_prevalence(app):
    data = sounds.FORMATS["wav 16-bit"]()
    usual = post(app, data).json()
    assert usual["evidence"] == usual["models"]["mlp"]["evidence"]
    assert usual["evidence"]["prevalence"] == 0.05 and usual["evidence"]["study"] == "kaggle-trial"
    assert usual["novelty"]["trained_on"] == "kaggle-trial" and 0 < usual["novelty"]["p"] <= 1
    by_query = httpx.post(f"{app}{PREDICT}?prevalence=0.3", files={"file": data}, timeout=60).json()
    by_field = httpx.post(app + PREDICT, files={"file": data}, data={"prevalence": "0.3"}, timeout=60).json()
    assert by_query == by_field
    for name, model in by_query["models"].items():
        block, before = model["evidence"], usual["models"][name]["evidence"]
        assert block["prevalence"] == 0.3
        if ratio := block["likelihood_ratio"]:
            assert ratio == before["likelihood_ratio"]
            assert block["probability_after"] == pytest.approx(0.3 * ratio / (0.3 * ratio + 0.7))
    for wrong in ("5", "0", "nan", "%20", ""):
        response = httpx.post(f"{app}{PREDICT}?prevalence={wrong}", files={"file": data}, timeout=60)
        assert error(response) == (400, "bad_prevalence")
    response = httpx.post(app + PREDICT, files={"file": data}, data={"prevalence": "5%"}, timeout=60)
    assert error(response) == (400, "bad_prevalence")


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A function that calls the API on a study with a large model, and the file of that model."""
    path = with_large(tmp_path)
    monkeypatch.setattr(predictors, "MODELS", tmp_path)
    transport = httpx.ASGITransport(Starlette(routes=api.routes))

    def ask(method, address, **options):
        async def answer():
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, address, **options)

        return anyio.run(answer)

    return ask, path


def test_a_large_model_answers_where_it_is_present(large):
    ask, _ = large
    upload = {"files": {"file": sounds.FORMATS["wav 16-bit"]()}}
    models = ask("POST", f"{PREDICT}?also=big", **upload).json()["models"]
    assert list(models) == ["mlp", "cnn", "knn", "big"]
    assert models["big"]["probability"] == models["cnn"]["probability"]
    assert models["big"]["evidence"]["verdict"] in HEADLINES
    assert list(ask("POST", PREDICT, **upload).json()["models"]) == ["mlp", "cnn", "knn"]
    assert ask("GET", "/api/v1/models").json()["models"]["big"]["answers"] == "when asked"
    assert ask("GET", "/api/v1/health").json()["models"] == ["mlp", "cnn", "knn", "big"]


def test_a_large_model_whose_file_is_absent_is_refused(large):
    ask, path = large
    path.unlink()
    upload = {"files": {"file": sounds.FORMATS["wav 16-bit"]()}}
    assert error(ask("POST", f"{PREDICT}?also=big", **upload)) == (400, "unknown_model")
    assert list(ask("POST", PREDICT, **upload).json()["models"]) == ["mlp", "cnn", "knn"]
    model = ask("GET", "/api/v1/models").json()["models"]["big"]
    assert model["answers"] == "never" and model["scores"]
    assert ask("GET", "/api/v1/health").json()["models"] == ["mlp", "cnn", "knn"]


def test_health(app):
    answer = httpx.get(app + "/api/v1/health").json()
    assert (answer["alive"], answer["ready"], answer["problems"]) == (True, True, [])
    assert "kaggle-trial" in answer["studies"] and answer["version"] == __version__
    assert answer["models"][:3] == ["mlp", "cnn", "knn"]


def test_many_at_once_get_the_answer_each_would_get_alone(app):
    files = [sounds.FORMATS[name]() for name in list(sounds.FORMATS)[:4]] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda data: post(app, data).json(), files))
    assert answers == [predictors.default().predict(audio.load(data)).to_dict() for data in files]


def test_the_app_answers_while_a_recording_is_analysed(app):
    minute = sounds.with_soundfile("FLAC", samples=np.tile(sounds.cough(), 49))
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(post, app, minute) for _ in range(4)]
        while_busy = httpx.get(app + "/api/v1/health", timeout=60)
        assert while_busy.is_success
        assert all(answer.result().is_success for answer in slow)
    assert httpx.get(app + "/_stcore/health").text == "ok"


@pytest.mark.parametrize("why", ["undecodable", "a fault", "no room"])
def test_the_memory_of_an_upload_is_freed_with_its_answer(monkeypatch, why):
    """Without garbage collection, which would run much later."""
    errors = {"a fault": RuntimeError, "no room": partial(workers.BusyError, 1)}

    def respond(data, **options):
        if why in errors:
            raise errors[why]()
        return worker_process.respond(data, **options)

    monkeypatch.setattr(endpoint.running, "pool", SimpleNamespace(answer=respond))
    upload, transport, seen = bytes(4 * 2**20), httpx.ASGITransport(Starlette(routes=api.routes)), []

    async def ask():
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for _ in range(5):
                assert not (await client.post(PREDICT, files={"file": upload})).is_success
                seen.append(tracemalloc.get_traced_memory()[0])

    gc.disable()
    tracemalloc.start()
    try:
        anyio.run(ask)
    finally:
        tracemalloc.stop()
        gc.enable()
    # The thread of the last request may still be ending.
    assert seen[-1] - seen[1] < 2 * len(upload)
