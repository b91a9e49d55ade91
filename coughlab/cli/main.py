"""The program ``coughlab``: parses its arguments, runs one of `coughlab.cli.commands` and exits with its status."""

import argparse
import os
import signal
import sys
import threading

from coughlab import __version__
from coughlab.cli import commands, console
from coughlab.system import files, resources

#: Freed bytes that a command keeps for reuse.
_KEPT = 32 * 2**20


def main(argv: list[str] | None = None) -> None:
    """Run the command and exit with its status."""
    _hear_every_ctrl_c()
    try:
        status = _run(argv) or 0
        sys.stdout.flush()
        sys.exit(status)
    except KeyboardInterrupt:
        # Threads that are interrupted would print errors.
        threading.excepthook = lambda _: None
        console.complain("Stopped. What was finished is kept.")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of stdout has closed it; Python would report another error when it closes the stream.
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        # Python would try the failed write again, and report another error, when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        console.complain(f"What was found could not be written: {files.reason(error)}.")
        sys.exit(2)


def _hear_every_ctrl_c() -> None:
    """Repeat an interrupt that Python drops while it frees an object: in trainings, 1 of 70 was lost."""

    def dropped(unraisable, usual=sys.unraisablehook):
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
        else:
            usual(unraisable)

    sys.unraisablehook = dropped
    signal.signal(signal.SIGALRM, signal.default_int_handler)


def _run(argv: list[str] | None) -> int | None:
    description = "Cough sounds: what models say of them. For research; no answer is a diagnosis."
    parser = argparse.ArgumentParser(prog="coughlab", description=description)
    parser.add_argument("--version", action="version", version=f"coughlab {__version__}")
    commands.add(parser)
    arguments = parser.parse_args(argv)
    # Each recording needs the same amount of memory: allocating it again each time takes a fifth of the time.
    resources.mallopt(mmap_threshold=_KEPT, trim_threshold=_KEPT)
    try:
        return arguments.run(arguments)
    except console.CommandError as error:
        console.complain(str(error))
        return 2
