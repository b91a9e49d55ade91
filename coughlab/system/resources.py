"""Cores and memory of a process."""

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


#: Memory of the app with its pages open in a few browsers, and of a worker with the longest accepted recording, in MB.
_APP_MB, _WORKER_MB = 300, 128


def cores() -> int:
    """Number of cores that this process may use; all cores on systems that do not report it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_mb() -> int:
    """Memory limit of this process and those that share it: the machine's, or the container's."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits()]) // 2**20


def resident() -> int:
    """Memory that this process occupies, in bytes; 0 on systems that do not report it."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def _limits() -> Iterator[int]:
    """The memory limits of the control groups of this process, in bytes."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            # Version 2 has one hierarchy for all resources; version 1 has one for memory.
            if kinds in ("", "memory"):
                top = Path("/sys/fs/cgroup", kinds)
                # In a container the path may be outside it; then the top directory is the container's.
                own = top / path.lstrip("/")
                for folder in (own, *own.parents):
                    for name in ("memory.max", "memory.limit_in_bytes"):
                        # Without a limit, the file has a word instead of a number.
                        with contextlib.suppress(OSError, ValueError):
                            yield int((folder / name).read_text())


def workers() -> int:
    """Number of worker processes: one per core, as far as they fit the memory, and at least one."""
    return max(1, min(cores(), (memory_mb() - _APP_MB) // _WORKER_MB))


def first_to_go() -> None:
    """Let the system end this process, which can be replaced, before others when memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


@contextlib.contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Start processes and threads that never receive Ctrl+C, not even while they start; this process receives it afterwards."""
    before, received = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}), []
    # A signal that another thread receives is raised in the main thread, even if that one has blocked it.
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
    """Run NumPy's matrix products in one thread each, in this process and from now on.

    With several threads, the order of the sums, and so the last digits, depends on other load. A process that answers many
    requests at once uses its threads for these.
    """
    threadpool_limits(1, user_api="blas")


def mallopt(**settings: int) -> None:
    """Set options of glibc's allocator in this process, from now on; no effect without glibc.

    Parameters
    ----------
    **settings
        ``trim_threshold`` (bytes at the end of the heap that are kept, -1 for any number), ``mmap_threshold`` (blocks of at least
        this many bytes are allocated directly from the system, and given back when freed), ``mmap_max`` (most blocks of this
        kind) and ``arena_max`` (number of heaps shared by the threads).
    """
    with contextlib.suppress(OSError, AttributeError):
        for name, value in settings.items():
            _libc().mallopt(_PARAMETERS[name], value)


def trim() -> None:
    """Give all freed memory back to the system, which takes some milliseconds; no effect without glibc."""
    with contextlib.suppress(OSError, AttributeError):
        _libc().malloc_trim(0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL("libc.so.6")


def no_core_dumps() -> None:
    """Prevent a core dump: the memory of this process may have recordings, which must not be written to a disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
