"""Worker processes that decode and answer, one a core: a recording in, its samples or the JSON of its answer out.

In one process Python runs one thread at a time, so that answers would wait for each other and for the pages. And a decoder
written in C may crash on a stranger's file, or take all time or memory there is: in a worker this ends the worker only. It is
replaced within milliseconds, because a parent process that has everything loaded forks the next one.

`multiprocessing`'s fork server with preloaded modules was tried in its place (Python 3.11). Each child of it imports the app's
``__main__`` anew: Streamlit's script or, after the first visit, Home.py. A worker took 69 MB instead of 28, and the answer of one
that replaced another 0.6 to 1.0 s instead of 0.2 to 0.3 s. Without that import a child was ready after 10 ms at best and 20 ms in
the median, ours after 3 and 10 ms. The fork server also starts one more process (7 MB), hears Ctrl+C while it loads unless that
process was started beforehand, and can be stopped by a private function only. It would save 22 lines.
"""

import json
import logging
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

import coughlab
from coughlab import audio, config
from coughlab.serving import predictors, worker_process
from coughlab.system import logs, resources

_ATTEMPTS = 3
#: How much longer than its own limit a worker is waited for, in seconds.
_GRACE_S = 2
#: The message where a worker ended or went wrong after it had decoded a recording.
FAULT = "Something went wrong here, not with the recording. Please try again."

_log = logging.getLogger(__name__)


class WorkerError(RuntimeError):
    """A worker ended, or went wrong, before it had answered; the message is for people, the log says more."""


class BusyError(RuntimeError):
    """The queue is full, or a recording has waited too long; the message says to try again in ``retry_after`` seconds."""

    def __init__(self, retry_after: int):
        seconds = "a second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(
            f"More recordings have come at once than can be answered here. Try again in {seconds}."
        )
        self.retry_after = retry_after


class Pool:
    """Worker processes, as many as the setting COUGHLAB_WORKERS says unless given. May be shared between threads.

    There are `size` workers, `admitted` recordings that are being answered or wait for it, and `replaced` workers were replaced.
    """

    def __init__(self, size: int | None = None):
        self.size = size or config.value("COUGHLAB_WORKERS") or resources.workers()
        self.admitted = self.replaced = 0
        self._room, self._wait_s = config.value("COUGHLAB_QUEUE"), config.value("COUGHLAB_WAIT_S")
        self._answer_s = 0.05
        self._lock = threading.Lock()
        self._parent = _Parent()
        self._idle = _Idle()
        for _ in range(self.size):
            self._idle.release(self._parent.fork())

    def answer(self, data: bytes, **options: Any) -> bytes:
        """Have a recording answered; waits while all workers are busy, but not for long, nor with too many others.

        The options are of `coughlab.serving.predictors.Predictor.predict`, the answer is its `Prediction.to_dict` as JSON.

        Raises
        ------
        coughlab.audio.AudioError, coughlab.serving.predictors.UnknownModelError, coughlab.studies.store.StoreError
            As `coughlab.serving.predictors.load` and `coughlab.serving.predictors.Predictor.predict`; the first also if the
            worker ended while it decoded.
        BusyError
            If there is no room to wait, or it took too long.
        WorkerError
            If the worker ended later or went wrong. Another one is in its place already.
        """
        with self._lock:
            if self.admitted >= self.size + self._room:
                raise self._busy()
            self.admitted += 1
        try:
            worker = self._idle.acquire(self._wait_s)
            if worker is None:
                raise self._busy()
            return self._ask(worker, data, predictors.LIMITS, options=options)[1]
        finally:
            with self._lock:
                self.admitted -= 1

    def load(
        self, source: bytes | memoryview | str | os.PathLike, limits: audio.Limits = predictors.LIMITS
    ) -> audio.Recording:
        """Decode the bytes of a file, or the file at a path; waits while all workers are busy.

        AudioError as of `coughlab.audio.load`, and if the worker ended meanwhile; WorkerError if it went wrong.
        """
        # A worker may have another working directory.
        path = str(Path(source).absolute()) if isinstance(source, (str, os.PathLike)) else None
        data = b"" if path is not None else source
        facts, samples = self._ask(self._idle.acquire(), data, limits, path=path)
        return audio.Recording(np.frombuffer(samples, np.float32), **facts)

    def sound(self) -> "Sound":
        """A worker for one sound that comes packet by packet, as from a microphone."""
        return Sound(self._parent)

    def close(self) -> None:
        """End all workers."""
        for _ in range(self.size):
            if worker := self._idle.acquire():
                worker.close()
        self._parent.close()

    def _busy(self):
        return BusyError(max(1, math.ceil(self.admitted / self.size * self._answer_s)))

    def _ask(self, worker, data, limits, **request):
        """Ask a worker, or others where it ended before it had received the recording, and release it."""
        request |= {"limits": asdict(limits), "id": logs.request_id.get()}
        began = time.monotonic()
        try:
            for _ in range(_ATTEMPTS):
                try:
                    failed, facts, body = worker.ask(data, request)
                    break
                except BaseException as error:
                    # Whatever it was: what this worker would send next belongs to this recording.
                    worker.close()
                    progress, worker = worker.progress, self._parent.fork()
                    self.replaced += 1
                    if not isinstance(error, (EOFError, OSError)):
                        raise
                    if progress == worker_process.RECEIVED:
                        _log.warning("A worker ended while it decoded a recording")
                        raise audio.error("undecodable") from None
                    if progress == worker_process.DECODED:
                        _log.error("A worker ended before it had answered")
                        raise WorkerError(FAULT) from None
            else:
                _log.error("The workers end as soon as they are started")
                raise WorkerError(FAULT)
        finally:
            self._idle.release(worker)
        # Of the recordings so far, the later ones count more.
        self._answer_s += 0.1 * (time.monotonic() - began - self._answer_s)
        if failed is None:
            return facts, body
        if failed not in worker_process.ERRORS:
            raise WorkerError(FAULT)
        raise worker_process.ERRORS[failed](*facts)


class Sound:
    """Decodes one sound packet by packet, in a worker of its own, which ends with this and is replaced where it ends before."""

    def __init__(self, parent: "_Parent"):
        self._parent, self._worker = parent, parent.fork()

    def decode(self, packet: bytes) -> bytes:
        """Decode the next packet as `coughlab.audio.opus.decode` does; gives nothing also where the worker ended."""
        try:
            return self._worker.ask(packet, {"packet": True, "id": logs.request_id.get()})[2]
        except (EOFError, OSError):
            _log.warning("A worker ended while it decoded the sound of a microphone")
            self._worker.close()
            self._worker = self._parent.fork()
            return b""


class _Idle:
    """Idle workers, and a queue of threads that wait for one: first come, first served, which Python's own do not promise."""

    def __init__(self):
        self._lock, self._workers, self._waiting = threading.Lock(), deque(), deque()

    def acquire(self, timeout: float | None = None) -> "_Worker | None":
        """The next worker; None where none is released in time."""
        turn: Future[_Worker] = Future()
        with self._lock:
            self._waiting.append(turn)
            self._match()
        with suppress(TimeoutError):
            return turn.result(timeout)
        # False where a worker has come at the last moment.
        return None if turn.cancel() else turn.result()

    def release(self, worker: "_Worker") -> None:
        with self._lock:
            self._workers.append(worker)
            self._match()

    def _match(self):
        while self._workers and self._waiting:
            turn = self._waiting.popleft()
            if turn.set_running_or_notify_cancel():
                turn.set_result(self._workers.popleft())


class _Parent:
    """The parent process of the workers, which has everything loaded."""

    def __init__(self):
        self._lock = threading.Lock()
        self._start()

    def _start(self):
        self._end, theirs = socket.socketpair()
        with theirs, resources.without_ctrl_c():
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    f"from {worker_process.__name__} import main; main({theirs.fileno()})",
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(coughlab.__file__).parent.parent,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
        # It leaves no zombie, even where no worker is asked for any more.
        threading.Thread(target=process.wait, daemon=True).start()

    def fork(self) -> "_Worker":
        """A new worker."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            try:
                socket.send_fds(self._end, [b"."], [theirs.fileno()])
            except OSError:  # it was killed
                self._end.close()
                self._start()
                socket.send_fds(self._end, [b"."], [theirs.fileno()])
        return _Worker(ours)

    def close(self) -> None:
        self._end.close()


class _Worker:
    """The app's end of the connection to a worker, which ends when it is closed."""

    def __init__(self, end: socket.socket):
        self._connection = Connection(end.detach())
        self.progress: bytes | None = None

    def ask(self, data: bytes, request: dict[str, Any]) -> tuple[str | None, Any, bytes]:
        """Name of the error, if any, facts and body that the worker sends back."""
        self.progress = None
        # As JSON, because from a pickle a worker that a stranger's file has taken over could run code in the app.
        self._connection.send_bytes(json.dumps(request).encode())
        self._connection.send_bytes(data)
        while True:
            if not self._connection.poll(config.value("COUGHLAB_ANSWER_S") + _GRACE_S):
                raise TimeoutError
            message = self._connection.recv_bytes()
            if message not in (worker_process.RECEIVED, worker_process.DECODED):
                return *json.loads(message), self._connection.recv_bytes()
            self.progress = message

    def close(self) -> None:
        self._connection.close()


_sharing = threading.Lock()


@cache
def _shared():
    return Pool()


def shared() -> Pool:
    """The workers of this process, started when first asked for."""
    with _sharing:
        return _shared()


def load(
    source: bytes | memoryview | str | os.PathLike, limits: audio.Limits = predictors.LIMITS
) -> audio.Recording:
    """Decode a stranger's recording: `Pool.load` of the workers of this process."""
    return shared().load(source, limits)
