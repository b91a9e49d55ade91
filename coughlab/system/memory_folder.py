"""A folder that lies in memory, for what must not be written to a disk.

It is gone with the machine's power in any case, and with the process that made it: what one that was killed left behind is
removed by the next one that starts.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from coughlab.system import files

_PREFIX = "coughlab-"
#: Where such folders may be, if a file system in memory is there.
PLACES = ("/dev/shm", "/run/shm", "/tmp")


@contextlib.contextmanager
def folder():
    """A new folder; it and all in it are gone at the end, however that comes.

    Yields
    ------
    pathlib.Path

    Raises
    ------
    OSError
        If there is no place in memory. Only systems other than Linux, which do not tell, take their folder for temporary files.
    """
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place()))
    try:
        with files.locked_folder(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep():
    """Remove what processes that were killed left behind."""
    with contextlib.suppress(OSError):
        for path in Path(place()).glob(f"{_PREFIX}*"):
            if path.stat().st_uid == os.getuid() and not _in_use(path):
                shutil.rmtree(path, ignore_errors=True)


def _in_use(path):
    with files.locked_folder(path, wait=False) as free:
        return not free


def place():
    """Where such a folder can be (str); OSError as of `folder`."""
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
