"""The real app, as ``make run`` starts it, with access to its log and its memory."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path

import psutil

from tests.fuzz.visit import Visit

ROOT = Path(__file__).parent.parent.parent
_NAMES = ("127.0.0.1", "localhost")


class Server:
    """The app in separate processes; a context manager.

    Parameters
    ----------
    **settings
        Environment variables.
    """

    def __init__(self, **settings):
        self._settings = settings

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = tempfile.NamedTemporaryFile(prefix="coughlab-log-")
        streamlit = str(Path(sys.executable).with_name("streamlit"))
        options = [
            "--server.address",
            "localhost",
            "--server.port",
            str(self.port),
            "--server.headless",
            "true",
        ]
        self.process = subprocess.Popen(
            [streamlit, "run", "Home.py", *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | self._settings,
        )
        try:
            while not self.answers():
                if self.process.poll() is not None:
                    raise RuntimeError(f"The app did not start:\n{self.log_text()}")
                time.sleep(0.2)
        except BaseException:
            self.__exit__()
            raise
        return self

    @cached_property
    def visit(self):
        """A page that stays open."""
        return Visit(self.port)

    def __exit__(self, *error):
        if "visit" in vars(self):
            self.visit.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()
        self.log.close()

    @property
    def url(self):
        return f"http://localhost:{self.port}"

    def connect(self, timeout):
        """A socket that is connected to the app."""
        for name in _NAMES:
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection((name, self.port), timeout)
        raise ConnectionRefusedError(f"Nobody listens at port {self.port}.")

    def answers(self):
        """Whether the app is ready."""
        with contextlib.suppress(OSError):
            connection = HTTPConnection("localhost", self.port, timeout=30)
            connection.request("GET", "/api/v1/health")
            return connection.getresponse().status == 200
        return False

    def log_text(self, start=0):
        """The log from a byte position on."""
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), size - start, start).decode(errors="replace")

    def processes(self):
        """The process of the app and all its descendants."""
        app = psutil.Process(self.process.pid)
        return [app, *app.children(recursive=True)]

    def memory(self):
        """Megabytes of the app, and of its workers together, as the kernel counts them (RSS)."""
        sizes = []
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                sizes.append(process.memory_info().rss / 2**20)
        return sizes[0], sum(sizes[1:])
