"""A separate control group for the processes of a test: their memory is counted and limited."""

import contextlib
import os
import time
from pathlib import Path

from tests.conftest import missing

#: The hierarchies that are used here in version 1; version 2 has a single hierarchy.
OF_VERSION_1 = {"memory", "pids", "freezer", "name=systemd"}


class Cage:
    """A control group; `enter` moves a process into it."""

    def __init__(self, folders):
        self._folders = folders

    def enter(self):
        """Move the calling process and its future children into the group."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text("0")

    def limit(self, megabytes):
        """Limit the total memory of the group; above the limit the kernel kills processes."""
        limit = self._file("memory.max", "memory.limit_in_bytes")
        limit.write_text(str(megabytes * 2**20))
        swap = limit.with_name("memory.swap.max")
        if swap.exists():
            swap.write_text("0")

    def peak_mb(self):
        """The peak memory in MB (float)."""
        return int(self._file("memory.peak", "memory.max_usage_in_bytes").read_text()) / 2**20

    def killed(self):
        """The number of processes that were killed for memory (int)."""
        lines = self._file("memory.events", "memory.oom_control").read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])

    def held_mb(self):
        """The current memory of the processes, without the file cache, in MB (float)."""
        facts = dict(line.split() for line in self._file("memory.stat").read_text().splitlines())
        anonymous = facts.get("anon") or facts["total_rss"]
        return (int(anonymous) + int(facts.get("total_shmem") or facts["shmem"])) / 2**20

    def _file(self, *names):
        for folder in self._folders:
            for name in names:
                if (folder / name).exists():
                    return folder / name
        raise AssertionError(f"no {names} in {self._folders}")

    def _remove(self):
        for _ in range(100):
            with contextlib.suppress(OSError):
                for folder in self._folders:
                    for inner in sorted(folder.rglob("*/"), reverse=True):
                        if inner.is_dir():
                            inner.rmdir()
                    if folder.exists():
                        folder.rmdir()
                return
            time.sleep(0.1)


@contextlib.contextmanager
def cage(name):
    """Make a control group (Cage). The caller must end all processes in it."""
    if os.geteuid():
        missing("root, for a control group")
    folders = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, rest = line.split()[4], line.split(" - ")[1].split()
        kinds = OF_VERSION_1.intersection(rest[2].split(","))
        if rest[0] == "cgroup2" or (rest[0] == "cgroup" and kinds):
            folders.append(Path(place) / name)
    made = Cage(folders)
    made._remove()
    try:
        for folder in folders:
            folder.mkdir()
            # In version 2 the parent group selects the controllers.
            control = folder.parent / "cgroup.subtree_control"
            if control.exists():
                counted = (folder.parent / "cgroup.controllers").read_text().split()
                control.write_text(" ".join(f"+{kind}" for kind in counted if kind in ("memory", "pids")))
    except OSError as error:
        made._remove()
        missing(f"control groups that can be written: {error}")
    try:
        yield made
    finally:
        made._remove()
