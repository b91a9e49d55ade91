"""``coughlab serve``: the API without the pages, started by its command line."""

import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from coughlab import audio
from coughlab.serving import predictors
from tests import sounds
from tests.servers import COMMAND, free_port


@pytest.fixture(scope="module")
def served():
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    url = f"http://127.0.0.1:{port}"
    assert process.stdout.readline() == f"Answering at {url}/api/v1/predict\n"
    # Connections that fail before it listens are retried.
    with httpx.Client(base_url=url, timeout=60, transport=httpx.HTTPTransport(retries=8)) as client:
        yield client, process
    process.kill()
    process.wait()
    process.stdout.close()


def test_it_answers_as_the_library_does(served):
    client, _ = served
    data = sounds.FORMATS["wav 16-bit"]()
    answer = client.post("/api/v1/predict", files={"file": data})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == predictors.default().predict(audio.load(data)).to_dict()
    assert client.get("/api/v1/health").json()["ready"] is True
    assert client.get("/api/v1/models").json()["main"] == "mlp"


def test_a_request_that_cannot_be_answered_gets_an_error(served):
    client, _ = served
    answer = client.post("/api/v1/predict", files={"file": b"no sound"})
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "not_audio"
    assert client.get("/api/v1/nothing").status_code == 404


def test_it_has_no_pages(served):
    client, _ = served
    assert client.get("/").status_code == 404


def test_a_port_that_is_in_use_is_reported_in_a_sentence(served):
    client, _ = served
    done = subprocess.run(
        [*COMMAND, "--port", str(client.base_url.port)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("coughlab: cannot listen at 127.0.0.1") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", ""])
def test_an_invalid_port_is_refused(port):
    done = subprocess.run([*COMMAND, f"--port={port}"], capture_output=True, text=True)
    assert done.returncode == 2 and "must be a whole number from 1 to 65535" in done.stderr


def test_it_ends_on_sigterm_and_leaves_no_worker(served):
    client, process = served
    assert client.post("/api/v1/predict", files={"file": sounds.FORMATS["wav 16-bit"]()}).is_success
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    process.send_signal(signal.SIGTERM)
    process.wait()
    while any(
        Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes()
        for child in children
    ):
        pass
