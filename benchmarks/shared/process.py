"""Memory of processes, as Linux tells it."""

import re
from pathlib import Path


def megabytes(field, pid="self", file="status"):
    """One of the figures that the system tells of a process.

    ``VmRSS`` is what it holds now, ``VmHWM`` the most it has held, which unlike that of getrusage does not count what was before
    the program began.
    """
    text = Path("/proc", str(pid), file).read_text()
    return int(re.search(rf"^{field}: +(\d+) kB", text.replace("\t", " "), re.MULTILINE)[1]) / 1024


def peak_mb(pid="self"):
    """The most memory that a running process has held."""
    return megabytes("VmHWM", pid)
