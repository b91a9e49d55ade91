"""What a process takes of its machine: cores, and memory that is kept for the next use or given back."""

import contextlib
import ctypes
import os
import resource

#: Numbers of glibc's settings (``man mallopt``).
_PARAMETERS = {"trim_threshold": -1, "mmap_threshold": -3, "mmap_max": -4, "arena_max": -8}


def cores():
    """How many cores this process may use (int); not every system tells, and then it is all of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def mallopt(**settings):
    """Set what glibc's allocator does, in this process and from now on; elsewhere nothing happens.

    Parameters
    ----------
    **settings
        ``trim_threshold`` (bytes at the end of the heap that are kept, -1 for any number), ``mmap_threshold`` (bytes from which
        on memory is fetched from the system for itself alone, and given back when freed), ``mmap_max`` (how many such pieces
        there may be) and ``arena_max`` (how many heaps threads share).
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        for name, value in settings.items():
            libc.mallopt(_PARAMETERS[name], value)


def no_core_dumps():
    """See to it that the memory of this process, which may hold recordings, is not written to the disk if it crashes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
