"""Child processes that end with their parent process and do work for it."""

import importlib
import json
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coughlab.system import resources


def belong(parent: int, function: Callable | None = None) -> None:
    """Make this process end within a second after its parent process.

    `function`, the work of this process, only distinguishes workers of different kinds.
    """

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Child:
    """A process of low priority and with one thread that runs ``work(*arguments, send)`` of a module.

    It is killed by `kill`, and when no reference to this object is left. `arguments`, and what the child passes to `send`, are
    JSON-serializable. `receive` is called with each object sent, and `ended` at the end with the exit status. Both run in a
    separate thread and must not keep a reference to this object.
    """

    def __init__(
        self, module: str, arguments: list, receive: Callable[[Any], None], ended: Callable[[int], None]
    ):
        command = [sys.executable, "-m", __name__, str(os.getpid()), module, json.dumps(arguments)]
        with resources.without_ctrl_c():
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env=os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
                cwd=Path(__file__).parents[2],
            )
        self.pid = process.pid
        threading.Thread(target=_listen, args=(process, receive, ended), daemon=True).start()
        self.kill = weakref.finalize(self, process.kill)


def _listen(process: subprocess.Popen, receive: Callable[[Any], None], ended: Callable[[int], None]) -> None:
    assert process.stdout  # a pipe
    try:
        with process.stdout as lines:
            for line in lines:
                receive(json.loads(line))
        process.wait()
    finally:
        process.kill()
        ended(process.wait())


def main(parent: str, module: str, arguments: str) -> None:
    """The child process's main function: it writes a line of JSON for each object that is sent."""
    belong(int(parent))
    os.nice(10)
    # The output of libraries must not be mixed with these lines.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    work = importlib.import_module(module).work
    work(*json.loads(arguments), lambda message: print(json.dumps(message), file=out))


if __name__ == "__main__":
    main(*sys.argv[1:])
