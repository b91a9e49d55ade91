"""Temporary folders in memory, for data that must not be written to a disk.

A folder is removed by the process that made it; folders of killed processes are removed by the next process that starts.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from coughlab.system import files

_PREFIX = "coughlab-"
#: Where such folders may be, if there is a file system in memory.
PLACES = ("/dev/shm", "/run/shm", "/tmp")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A new folder that is removed with its contents at the end, even after an error.

    OSError if there is no place in memory. On systems other than Linux this is not known: the folder may be on a disk.
    """
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place()))
    try:
        with files.locked_folder(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep() -> None:
    """Remove folders of killed processes."""
    with contextlib.suppress(OSError):
        for path in Path(place()).glob(f"{_PREFIX}*"):
            if path.stat().st_uid == os.getuid() and not _in_use(path):
                shutil.rmtree(path, ignore_errors=True)


def _in_use(path: Path) -> bool:
    with files.locked_folder(path, wait=False) as free:
        return not free


def place() -> str:
    """Path for such folders; raises OSError as `folder` does."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return tempfile.gettempdir()
    in_memory = {
        line.split()[1] for line in mounts.read_text().splitlines() if line.split()[2] in ("tmpfs", "ramfs")
    }
    for place in PLACES:
        if place in in_memory and os.access(place, os.W_OK):
            return place
    raise OSError(
        f"There is no file system in memory: none of {', '.join(PLACES)} is one that can be written to."
    )
