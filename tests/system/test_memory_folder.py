"""The folder in memory: its place, and that nothing of it stays, even after a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coughlab.system import memory_folder
from tests.conftest import missing


def test_the_folder_is_in_memory():
    if not Path("/proc/mounts").exists():
        missing("a system that tells what lies in memory")
    with memory_folder.folder() as folder:
        (folder / "a").write_bytes(b"x")
        found = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True)
    assert found.stdout.strip() in ("tmpfs", "ramfs")


def test_the_folder_is_removed_at_the_end_also_after_an_exception():
    with memory_folder.folder() as folder:
        (folder / "deep").mkdir()
        (folder / "deep/a").write_bytes(b"x")
    assert not folder.exists()
    with pytest.raises(KeyboardInterrupt), memory_folder.folder() as folder:
        raise KeyboardInterrupt
    assert not folder.exists()


CHILD = """
import sys
from coughlab.system import memory_folder
with memory_folder.folder() as folder:
    (folder / "a").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_only_the_folder_of_a_killed_process_is_removed():
    def started():
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return child, Path(child.stdout.readline().strip())

    (killed, left), (living, kept) = started(), started()
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert (left / "a").exists()
    memory_folder.sweep()
    assert not left.exists() and (kept / "a").exists()
    living.communicate()
    assert not kept.exists()


def test_without_a_place_in_memory_nothing_is_written_elsewhere(monkeypatch):
    monkeypatch.setattr(memory_folder, "PLACES", ("/nowhere",))
    with pytest.raises(OSError, match="no file system in memory"), memory_folder.folder():
        pass
    memory_folder.sweep()
