"""Ctrl+C while a command starts its helper processes: the command prints one sentence, the helpers print nothing."""

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
    """Command lines of all descendants of a process."""
    try:
        mine = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        lines = [Path(f"/proc/{child}/cmdline").read_bytes().decode() for child in mine]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [*lines, *(line for child in mine for line in children(child))]


# At this point Python turns the signal into an exception, and the helpers are still importing modules.
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
def test_helpers_that_are_just_starting_print_nothing(folder, tmp_path, command, helper, statuses, after):
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
    _, errors = process.communicate()
    assert process.returncode in statuses, errors
    assert process.returncode != 130 or "coughlab: Stopped. What was finished is kept." in errors.splitlines()
    assert "Traceback" not in errors and "tasks" not in errors
