"""Memory of processes, as reported by Linux."""

import re
from pathlib import Path


def megabytes(field, pid="self", file="status"):
    """One of the figures that the system reports for a process.

    ``VmRSS`` is its present memory, ``VmHWM`` the most memory so far. Unlike getrusage's figure, the latter
    does not include the process's memory before the program started.
    """
    text = Path("/proc", str(pid), file).read_text()
    return int(re.search(rf"^{field}: +(\d+) kB", text.replace("\t", " "), re.MULTILINE)[1]) / 1024


def peak_mb(pid="self"):
    """The most memory of a running process so far."""
    return megabytes("VmHWM", pid)
