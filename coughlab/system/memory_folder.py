"""A folder that lies in memory, for what must not be written to a disk.

It is removed by the process that made it; what a killed process left behind is removed by the next one that starts.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from coughlab.system import files

_PREFIX = "coughlab-"
#: Where such folders may be, if a file system in memory is there.
PLACES = ("/dev/shm", "/run/shm", "/tmp")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A new folder that is removed with all in it at the end, even after an error.

    An OSError says that there is no place in memory. Other systems than Linux do not say: there a disk may hold the folder.
    """
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place()))
    try:
        with files.locked_folder(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep() -> None:
    """Remove what killed processes left behind."""
    with contextlib.suppress(OSError):
        for path in Path(place()).glob(f"{_PREFIX}*"):
            if path.stat().st_uid == os.getuid() and not _in_use(path):
                shutil.rmtree(path, ignore_errors=True)


def _in_use(path: Path) -> bool:
    with files.locked_folder(path, wait=False) as free:
        return not free


def place() -> str:
    """Where such a folder can be; raises OSError as `folder` does."""
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
