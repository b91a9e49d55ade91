"""The app started by a given command with a given environment."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time

import httpx
from playwright.sync_api import expect

from tests.conftest import ROOT

#: The start of an answer on a page.
ANSWERED = "Says: "


@contextlib.contextmanager
def started(command, port, *, ready="/api/v1/health", cwd=ROOT, env=None, enter=None):
    """Start the app and wait until `ready` answers (its address, str)."""
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env=os.environ | (env or {}), preexec_fn=enter,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            while not _answers(f"{url}{ready}"):
                if process.poll() is not None:
                    log.seek(0)
                    raise AssertionError(f"the app did not start:\n{log.read().decode()}")
                time.sleep(0.1)
            yield url
            assert process.poll() is None, "the app ended"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                # A page whose script is still running can prevent Python from ending.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(url):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False).is_success
    return False


def try_sample(page, url):
    """Open the app and request the answer for the sample."""
    page.goto(url)
    page.get_by_role("button", name="Try a sample").click(timeout=60_000)
    expect(page.get_by_text(ANSWERED).first).to_be_visible(timeout=60_000)


def dockerfile():
    """The Dockerfile's instructions: for each kind the arguments of each, in order (dict of str to list of list of str)."""
    text = re.sub(r"\\\n", " ", re.sub("(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text()))
    found = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        command = rest[rest.find("[") :]
        found.setdefault(kind, []).append(json.loads(command) if command.startswith("[") else rest.split())
    return found
