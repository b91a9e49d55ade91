"""The measured servers: the app, its API alone, and the published stack, each a context manager.

They listen at a loopback address, so that the API needs no key. They answer once `Server.first` or `Server.ready` has returned.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

import psutil

from coughlab import audio
from coughlab.audio import synthetic
from shared.process import megabytes

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "benchmarks" / "published"
BOUNDARY = "a-boundary"


def wav(seconds):
    """A recording of three coughs as the bytes of a WAV file."""
    return audio.encode_wav(synthetic.recording(duration_s=seconds), synthetic.RATE)


def _multipart(data):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="cough.wav"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


class Server:
    """A started server that may not listen yet; it answers recordings at `path`."""

    def __init__(self, process, port, path, errors):
        self.process, self.port, self.path, self._errors = process, port, path, errors
        self.url = f"http://{HOST}:{port}"

    def ask(self, data):
        """The answer to a recording, given as the bytes of a file."""
        return self._request("POST", self.path, _multipart(data))

    def first(self, data):
        """Its first answer."""
        return self._once_it_listens("POST", self.path, _multipart(data))

    def ready(self):
        """Wait until its health check succeeds, which for Streamlit is before its first answer."""
        self._once_it_listens("GET", "/_stcore/health")

    def _request(self, method, path, body=None):
        # A new connection each time, as from different clients.
        connection = HTTPConnection(HOST, self.port, timeout=120)
        try:
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {content[:200]}")
        return content

    def _once_it_listens(self, *request):
        while self.process.poll() is None:
            with contextlib.suppress(ConnectionError):
                return self._request(*request)
            time.sleep(0.01)
        self._errors.seek(0)
        raise RuntimeError(f"The server ended:\n{self._errors.read().decode()}")

    def _processes(self):
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]

    def memory_mb(self):
        """Its memory in megabytes: its anonymous pages, shared ones counted once, and the mapped files of the largest process.

        Not the proportional set size, because other running programs may map the same libraries.
        """
        own, files = 0, []
        for process in self._processes():
            anonymous, everything, shared = (
                megabytes(field, process.pid, "smaps_rollup") for field in ("Anonymous", "Rss", "Pss_Anon")
            )
            own += shared
            files.append(everything - anonymous)
        return own + max(files)

    def cpu_s(self):
        """CPU seconds of its processes so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())


@contextlib.contextmanager
def _running(path, *command, **environment):
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, *(str(part).format(port=port) for part in command)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            env=os.environ | environment,
        )
        try:
            yield Server(process, port, path, errors)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def app():
    """The app with its pages, with the settings of ``make run``."""
    options = ("--server.address", HOST, "--server.port", "{port}", "--server.headless", "true")
    return _running("/api/v1/predict", "-m", "streamlit", "run", "Home.py", *options)


def api_alone():
    """The API without pages."""
    return _running("/api/v1/predict", "-m", "coughlab", "serve", "--port", "{port}")


def published(folder):
    """The published stack, with the files that ``published/files.py`` has written to a folder."""
    return _running("/predict", PUBLISHED / "serve.py", folder, "{port}", TF_CPP_MIN_LOG_LEVEL="3")
