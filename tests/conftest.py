"""Fixtures of several test modules: the real datasets, the real app, the real browser."""

import contextlib
import gc
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from tests import sounds
from tests.servers import free_port

ROOT = Path(__file__).parent.parent

# A shell starts background processes with SIGINT ignored, and the processes that tests start would inherit this.
signal.signal(signal.SIGINT, signal.default_int_handler)


#: Folders with slow tests (training, the app, killed processes); one file takes up to minutes. These tests start first, so
#: that at the end no single worker runs one of them while the other workers have no work.
LONG = ("fuzz", "studies", "load", "faults", "web", "cli", "browser", "deploy", "system")


def pytest_collection_modifyitems(items):
    """Move the slow files to the front."""
    items.sort(
        key=lambda item: LONG.index(item.path.parent.name) if item.path.parent.name in LONG else len(LONG)
    )


@pytest.fixture(scope="module", autouse=True)
def freeze_what_is_loaded():
    """Keep the garbage collector from searching libraries: Streamlit clears Keras, which collects, after every run of a page."""
    gc.collect()
    gc.freeze()


def missing(what):
    """Skip because `what` is missing, or fail where everything has to be present."""
    if os.environ.get("COUGHLAB_REQUIRE_ALL"):
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="session")
def kaggle_trial():
    """Folder of the case study's dataset."""
    folder = Path(os.environ.get("COUGHLAB_DATA", "")) / "kaggle-trial"
    if not os.environ.get("COUGHLAB_DATA") or not folder.is_dir():
        missing("the real dataset: set COUGHLAB_DATA to the folder that holds kaggle-trial/")
    return folder


#: Recordings of the real datasets without a cough.
REAL = {
    "speech": "coswara-sample/20200413/1AuoEhB8vAfCtxTFFV0W916yBqA3/counting-normal.ogg",
    "a dog's bark": "esc10/001 - Dog bark/1-30344-A.ogg",
}


@pytest.fixture(scope="session", params=["faint noise", "a quiet hum", "a pure tone", *REAL])
def no_cough(request):
    """The bytes of a recording without a cough."""
    if request.param in REAL:
        path = Path(os.environ.get("COUGHLAB_DATA", "")) / REAL[request.param]
        if not os.environ.get("COUGHLAB_DATA") or not path.is_file():
            missing(f"the real dataset: set COUGHLAB_DATA to the folder that holds {REAL[request.param]}")
        return path.read_bytes()
    return sounds.with_soundfile("WAV", samples=sounds.OTHERS[request.param])


@pytest.fixture(scope="session")
def app():
    """Address of the app that most tests share."""
    with running_app() as url:
        yield url


@contextlib.contextmanager
def running_app():
    """Address of the app, started as ``make run`` starts it."""
    port = free_port()
    url = f"http://localhost:{port}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while not _answers(url):
                if process.poll() is not None:
                    log.seek(0)
                    pytest.fail(f"the app did not start:\n{log.read().decode()}")
                time.sleep(0.2)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _answers(url):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/api/v1/health").is_success
    return False


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("a browser: install Debian's chromium")
    return path
