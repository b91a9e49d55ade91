"""Processes that answer, one a core: a recording in, the JSON of its answer out.

In one process Python runs one thread at a time, so that answers would wait for each other and for the pages. A worker knows
neither Streamlit nor pandas, and what a recording does to it is done to nobody else.
"""

import gc
import json
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from coughlab import audio, machine, serving
from coughlab.store import StoreError

#: Errors that a worker reports by what they were made of; any other is its own fault, and is logged.
_ERRORS = {
    "AudioError": audio.AudioError,
    "UnknownModelError": serving.UnknownModelError,
    "StoreError": StoreError,
}
#: How many freed bytes a worker keeps.
KEPT = 16 * 2**20

_log = logging.getLogger(__name__)


class WorkerError(RuntimeError):
    """A worker ended, or went wrong, before it had answered."""


class Pool:
    """Some workers. May be shared between threads.

    Parameters
    ----------
    n : int, optional
        How many; as many as this process may use cores unless given.
    """

    def __init__(self, n=None):
        self.size = n or machine.cores()
        self._idle = queue.SimpleQueue()
        for worker in _start(self.size):
            self._idle.put(worker)

    def answer(self, data, **options):
        """Have a recording answered; waits while all workers are busy.

        Parameters
        ----------
        data : bytes
            The file.
        **options
            Of `coughlab.serving.Predictor.predict`, as far as JSON can hold them.

        Returns
        -------
        bytes
            What `coughlab.serving.Prediction.to_dict` gives, as JSON.

        Raises
        ------
        coughlab.audio.AudioError, coughlab.serving.UnknownModelError, coughlab.store.StoreError
            As `coughlab.serving.load` and `coughlab.serving.Predictor.predict`.
        WorkerError
            If the worker ended or went wrong. Another one is in its place already.
        """
        worker = self._idle.get()
        try:
            failed, body = worker.ask(data, options)
        except (EOFError, OSError) as error:
            worker.close()
            (worker,) = _start(1)
            raise WorkerError("A worker ended before it had answered.") from error
        finally:
            self._idle.put(worker)
        if failed is None:
            return body
        if failed not in _ERRORS:
            raise WorkerError(body.decode())
        raise _ERRORS[failed](*json.loads(body))

    def close(self):
        """End all workers."""
        for _ in range(self.size):
            self._idle.get().close()


def _start(n):
    """Workers that share what they load: the first loads it and makes the others by forking."""
    pairs = [socket.socketpair() for _ in range(n)]
    theirs = [end.fileno() for _, end in pairs]
    process = subprocess.Popen(
        [sys.executable, "-m", "coughlab.workers", *map(str, theirs)],
        pass_fds=theirs,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    # When it has ended nobody may be asking any more, so somebody else has to notice.
    threading.Thread(target=process.wait, daemon=True).start()
    for _, end in pairs:
        end.close()
    return [_Worker(ours) for ours, _ in pairs]


class _Worker:
    """The end of a worker's connection that is ours; the worker ends when it is closed."""

    def __init__(self, end):
        self._connection = Connection(end.detach())

    def ask(self, data, options):
        self._connection.send_bytes(json.dumps(options).encode())
        self._connection.send_bytes(data)
        return json.loads(self._connection.recv_bytes()), self._connection.recv_bytes()

    def close(self):
        self._connection.close()


def respond(data, **options):
    """Answer one recording.

    Parameters
    ----------
    data : bytes
        The file.
    **options
        Of `coughlab.serving.Predictor.predict`.

    Returns
    -------
    bytes
        The answer as JSON.

    Raises
    ------
    coughlab.audio.AudioError, coughlab.serving.UnknownModelError, coughlab.store.StoreError
        As `coughlab.serving.load` and `coughlab.serving.Predictor.predict`.
    """
    prediction = serving.default().predict(serving.load(data), **options)
    return json.dumps(prediction.to_dict(), ensure_ascii=False, allow_nan=False).encode()


def main(descriptors):
    """The first worker's process; each worker answers until the other end of its connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What an answer frees the next one needs: fetching it anew takes a fifth of an answer's time.
    machine.mallopt(mmap_threshold=KEPT, trim_threshold=KEPT)
    with suppress(StoreError):  # those who ask are told
        serving.default().warm_up()
    gc.collect()
    gc.freeze()
    own, *others = descriptors
    for other in others:
        if os.fork() == 0:
            own = other
            break
    for descriptor in descriptors:
        if descriptor != own:
            os.close(descriptor)
    with Connection(own) as connection, suppress(EOFError, OSError):
        while True:
            _serve(connection)


def _serve(connection):
    options, data = json.loads(connection.recv_bytes()), connection.recv_bytes()
    failed = None
    try:
        body = respond(data, **options)
    except tuple(_ERRORS.values()) as error:
        failed, body = type(error).__name__, json.dumps(error.args).encode()
    except Exception as error:
        _log.exception("Unexpected error in a worker")
        failed, body = "Exception", repr(error).encode()
    connection.send_bytes(json.dumps(failed).encode())
    connection.send_bytes(body)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
