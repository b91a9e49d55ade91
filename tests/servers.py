"""``coughlab serve`` as a separate process, with the settings and secrets of a test."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx

COMMAND = [sys.executable, "-m", "coughlab", "serve"]
#: The app with its pages, started from the root of the repository.
APP = [sys.executable, "-m", "streamlit", "run", "Home.py", "--server.address", "localhost"]


@dataclass
class Server:
    """A running server."""

    url: str
    process: subprocess.Popen
    errors: Path

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def log(self):
        """The JSON lines of its log."""
        return [json.loads(line) for line in self.errors.read_text().splitlines() if line.startswith("{")]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(*arguments, secrets="", **settings):
    """A server; the names of settings are without COUGHLAB_."""
    port, host = free_port(), "127.0.0.1"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "secrets.toml").write_text(secrets)
        environment = {f"COUGHLAB_{name}": str(value) for name, value in settings.items()}
        with (place / "errors").open("wb") as errors:
            process = subprocess.Popen(
                [*COMMAND, "--port", str(port), "--secrets", place / "secrets.toml", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | {"COUGHLAB_LOG": "json"} | environment,
            )
        try:
            url = f"http://{host}:{port}"
            with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as client:
                client.get(f"{url}/api/v1/health", timeout=60)
            yield Server(url, process, place / "errors")
        finally:
            process.terminate()
            process.wait()
