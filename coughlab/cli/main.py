"""The program ``coughlab``: parses its arguments, runs one of `coughlab.cli.commands` and exits with its status."""

import argparse
import os
import signal
import sys
import threading

from coughlab import __version__
from coughlab.cli import commands, console
from coughlab.system import files, resources

#: How many freed bytes a command keeps.
_KEPT = 32 * 2**20


def main(argv: list[str] | None = None) -> None:
    """Run the command and exit with its status."""
    _hear_every_ctrl_c()
    try:
        status = _run(argv) or 0
        sys.stdout.flush()
        sys.exit(status)
    except KeyboardInterrupt:
        # Threads whose work is cut off complain of it.
        threading.excepthook = lambda _: None
        console.complain("Stopped. What was finished is kept.")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output left; Python would complain once more when it closes the stream.
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        # What was not written Python would try once more, and complain again, when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        console.complain(f"What was found could not be written: {files.reason(error)}.")
        sys.exit(2)


def _hear_every_ctrl_c() -> None:
    """Interrupt once more where Python drops an interrupt, as it does while an object is freed: in trainings 1 of 70 was."""

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
    # One recording after another needs as much memory: fetching it anew each time takes a fifth of the time.
    resources.mallopt(mmap_threshold=_KEPT, trim_threshold=_KEPT)
    try:
        return arguments.run(arguments)
    except console.CommandError as error:
        console.complain(str(error))
        return 2
