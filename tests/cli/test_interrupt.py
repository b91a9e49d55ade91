"""Ctrl+C while a command has its helpers started: it ends in a sentence, and they in silence."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.audit.test_run import own_folder
from tests.conftest import ROOT
from tests.servers import free_port


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return own_folder(tmp_path_factory.mktemp("own"), 400)


def children(pid):
    """Command lines of the processes that a process has started, and of theirs."""
    try:
        mine = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        lines = [Path(f"/proc/{child}/cmdline").read_bytes().decode() for child in mine]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [*lines, *(line for child in mine for line in children(child))]


# Once they have come so far that Python makes an exception of it, and while they still import what they need.
@pytest.mark.parametrize("after", [0.05, 0.1, 0.2])
@pytest.mark.parametrize(
    ("command", "helper", "statuses"),
    [
        (
            lambda folder, out: ("features", "own", "--jobs", "2", "--data", folder, "--out", out),
            "popen_loky",
            {130},
        ),
        (
            lambda *_: ("serve", "--port", str(free_port())),
            "coughlab.serving.worker_process",
            {0, 130, -signal.SIGINT},
        ),
    ],
)
def test_helpers_that_are_just_starting_say_nothing(folder, tmp_path, command, helper, statuses, after):
    process = subprocess.Popen(
        [sys.executable, "-m", "coughlab", *command(folder, tmp_path / "out")],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not any(helper in line for line in children(process.pid)):
        assert process.poll() is None
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode in statuses, said
    assert process.returncode != 130 or "coughlab: Stopped. What was finished is kept." in said.splitlines()
    assert "Traceback" not in said and "tasks" not in said
