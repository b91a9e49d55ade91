"""What the C library does with memory that is freed: keeps it for the next use, or gives it back to the system."""

import contextlib
import ctypes

#: Numbers of glibc's settings (``man mallopt``).
_PARAMETERS = {"trim_threshold": -1, "mmap_threshold": -3, "mmap_max": -4, "arena_max": -8}


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
