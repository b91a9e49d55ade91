"""What a process takes of its machine: cores, and memory that is kept for the next use or given back."""

import contextlib
import ctypes
import os
import resource
import signal
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits

#: Numbers of glibc's settings (``man mallopt``).
_PARAMETERS = {"trim_threshold": -1, "mmap_threshold": -3, "mmap_max": -4, "arena_max": -8}


#: What the app takes with its pages open in a few browsers, and a worker with the longest recording that is taken, in MB.
_APP_MB, _WORKER_MB = 300, 128


def cores() -> int:
    """How many cores this process may use; all of them on systems that do not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_mb() -> int:
    """How much memory this process may have, together with what shares it: the machine's, or its container's."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits()]) // 2**20


def _limits() -> Iterator[int]:
    """The memory limits of the control groups of this process, in bytes."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            # In version 2 there is one hierarchy for all; in version 1 this is that of memory.
            if kinds in ("", "memory"):
                top = Path("/sys/fs/cgroup", kinds)
                # In a container the path may be one outside it, and the top is its own.
                own = top / path.lstrip("/")
                for folder in (own, *own.parents):
                    for name in ("memory.max", "memory.limit_in_bytes"):
                        # Where there is no limit, there is a word.
                        with contextlib.suppress(OSError, ValueError):
                            yield int((folder / name).read_text())


def workers() -> int:
    """How many processes may answer at once: one a core, as far as they fit the memory, and at least one."""
    return max(1, min(cores(), (memory_mb() - _APP_MB) // _WORKER_MB))


def first_to_go() -> None:
    """Have the system end this process, which can be replaced, before others where memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


@contextlib.contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Start processes and threads that never receive Ctrl+C, not even while they start; this process receives it afterwards."""
    before, received = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}), []
    # A signal that another thread receives is raised in the main one, although that has blocked it.
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda *_: received.append(True)) if is_main else None
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if is_main:
            signal.signal(signal.SIGINT, handler)
            if received:
                signal.raise_signal(signal.SIGINT)


def use_one_thread() -> None:
    """Have NumPy's matrix products run in one thread each, in this process and from now on.

    With several, the order of the sums depends on what else is running, and so do the last digits. A process that answers
    many at once has its threads elsewhere.
    """
    threadpool_limits(1, user_api="blas")


def mallopt(**settings: int) -> None:
    """Set glibc's allocator, in this process and from now on; elsewhere nothing happens.

    Parameters
    ----------
    **settings
        ``trim_threshold`` (bytes at the end of the heap that are kept, -1 for any number), ``mmap_threshold`` (bytes from which
        on memory is fetched from the system for itself alone, and given back when freed), ``mmap_max`` (how many such pieces
        there may be) and ``arena_max`` (how many heaps threads share).
    """
    with contextlib.suppress(OSError, AttributeError):
        for name, value in settings.items():
            _libc().mallopt(_PARAMETERS[name], value)


def trim() -> None:
    """Give freed memory back, all of it, which takes some milliseconds; elsewhere than with glibc nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        _libc().malloc_trim(0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL("libc.so.6")


def no_core_dumps() -> None:
    """Keep the memory of this process, which may hold recordings, from being written to the disk if it crashes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
