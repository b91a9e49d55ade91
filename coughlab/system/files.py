"""Atomic writing of files, even with an error, a full disk, a kill or a loss of power."""

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

#: Free space required before long work starts.
PROBE_BYTES = 2**20
#: Reasons why a file cannot be written, and what to do.
_REASONS = {
    errno.ENOSPC: "the disk is full; make room on it",
    errno.EDQUOT: "your share of the disk is used up; make room on it",
    errno.EROFS: "the disk is read-only; name a place on another one, or make it writable",
    errno.EACCES: "you may not write there; name another place, or ask for the right to",
    errno.EPERM: "you may not write there; name another place, or ask for the right to",
    errno.EFBIG: "the file would be larger than this system lets it be",
    errno.EIO: "the disk has failed; see the system's log, and save what is on it",
    errno.ENOTDIR: "a part of the path is a file and not a folder; name another place",
    errno.EISDIR: "there is a folder of that name; name another place",
}


@contextmanager
def writing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Write bytes to a temporary file, which replaces `path` when all of it is on the disk.

    If the block ends with an exception, `path` stays unchanged. Simultaneous writers of a file wait for each other. A `path` that
    is not a regular file, such as a pipe, is written to directly. OSError if it cannot be written.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()  # the target of a link, not the link
    aside = path.with_name(f".{path.name}.new")
    with _alone(aside) as file:
        try:
            yield file
            flush(file)
            aside.replace(path)
        except BaseException:
            with suppress(OSError):
                aside.unlink()
            raise
    sync(path.parent)


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """An empty, locked temporary file; only one caller of this function writes to it at a time."""
    while True:
        with path.open("ab") as file:
            lock(file.fileno())
            # The last holder may have renamed or removed the file before it released the lock.
            if not _is_at(file, path):
                continue
            file.truncate(0)
            yield file
            return


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def lock(descriptor: int, *, wait: bool = True) -> bool:
    """Acquire a lock on an open file or folder until it is closed; False if another process has it and `wait` is false.

    Not `filelock.FileLock`: it needs an extra file, which a killed process would leave in the user's folder, and it does not
    notice that a file was renamed.
    """
    from filelock import lock_descriptor  # slow to import, and most commands need no lock

    return lock_descriptor(descriptor, blocking=wait)


@contextmanager
def locked_folder(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Acquire a lock on a folder as `lock` does, and release it at the end."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield lock(descriptor, wait=wait)
    finally:
        os.close(descriptor)


def write(path: str | os.PathLike, data: bytes) -> None:
    """Write bytes to a file, as `writing` does."""
    with writing(path) as file:
        file.write(data)


def flush(file: IO) -> None:
    """Flush a file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync(folder: str | os.PathLike) -> None:
    """Flush a folder's entries to the disk: otherwise a loss of power may keep a rename but lose the renamed content."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a user may have the right to write there but not to read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot do this.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def check(folder: str | os.PathLike) -> None:
    """Raise, before long work, the OSError that writing its result to a folder would raise.

    For a folder that does not exist, the parent in which it would be made is checked.
    """
    folder = Path(folder).absolute()
    folder = next(path for path in (folder, *folder.parents) if path.exists())
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        left = PROBE_BYTES
        while left:
            left -= file.write(bytes(left))


class ClockError(OSError):
    """Files cannot be written at the clock's present time; the message is one of `reason`."""


def check_clock() -> None:
    """Raise a ClockError at a time that files cannot have: Keras writes models as ZIP files, which support 1980 to 2107."""
    now = time.gmtime()
    if not 1980 < now.tm_year < 2107:
        raise ClockError(f"the clock says {time.strftime('%Y-%m-%d', now)}; set it to the right time")


def reason(error: OSError) -> str:
    """Why a file cannot be written, and what to do: text after a colon, without a full stop."""
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    return f"{error.strerror} ({error.filename})" if error.filename else str(error)
