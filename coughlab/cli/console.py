"""What commands write to stderr: messages and a progress bar. Answers go to stdout."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coughlab.system import files

#: What is kept when a disk is full.
KEPT = "What was written before is kept; the same command goes on from there."
_BAR = "{desc:28} {percentage:3.0f} % {bar} {elapsed}, {remaining} left"


class CommandError(Exception):
    """A command cannot start or go on; the message says why, and the exit status is 2."""


def complain(message: str) -> None:
    """Write a line to stderr."""
    print(f"coughlab: {message}", file=sys.stderr)


@contextmanager
def explained(*errors: type[Exception]) -> Iterator[None]:
    """Convert errors whose messages explain the problem to `CommandError`."""
    try:
        yield
    except errors as error:
        raise CommandError(str(error)) from error


@contextmanager
def long_work(unwritten: str, *errors: type[Exception], kept: str = KEPT) -> Iterator[Callable]:
    """A function that shows a stage, how much of it is done, and of how much. Errors are reported after the bar is closed.

    The message for an OSError has three parts: `unwritten`, which says what could not be written, the reason, and `kept`, which
    says what is left.
    """
    from tqdm import tqdm

    bar = tqdm(disable=True)

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal bar
        if bar.disable or bar.desc != stage:
            bar.close()
            bar = tqdm(total=total, desc=stage, bar_format=_BAR)
        bar.update(done - bar.n)

    try:
        with explained(*errors):
            yield progress
    except OSError as error:
        raise CommandError(f"{unwritten}: {files.reason(error)}. {kept}") from error
    finally:
        bar.close()


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Keep LiteRT's start-up message, which C++ writes, off stderr."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def printable(name: str) -> str:
    """A file's name without characters that would move the terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in name)
