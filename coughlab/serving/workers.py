"""Worker processes that decode and answer, one per core: a recording in, its samples or its answer in JSON out.

In one process Python runs one thread at a time, so that answers would wait for each other and for the pages. Also, a decoder
written in C may crash on an untrusted file, or take too much time or memory: in a worker this ends only the worker. It is
replaced within milliseconds, because a parent process that has everything loaded forks the next one.

`multiprocessing`'s fork server with preloaded modules was tried instead (Python 3.11). Each of its children imports the app's
``__main__`` again: Streamlit's script or, after the first visit, Home.py. A worker took 69 MB instead of 28, and the first answer
of a replacement 0.6 to 1.0 s instead of 0.2 to 0.3 s. Without that import a child was ready after 10 ms at best and 20 ms in the
median, ours after 3 and 10 ms. The fork server also starts one more process (7 MB), receives Ctrl+C while it loads unless that
process was started beforehand, and can be stopped only by a private function. It would save 22 lines.
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

from coughlab import audio, config
from coughlab.features.sound import Remark
from coughlab.serving import predictors, worker_process
from coughlab.system import logs, resources

_ATTEMPTS = 3
#: Timeout for a worker's answer beyond the worker's own limit, in seconds.
_GRACE_S = 2
#: The message if a worker ended or failed after it had decoded a recording.
FAULT = "Something went wrong here, not with the recording. Please try again."

_log = logging.getLogger(__name__)


class WorkerError(RuntimeError):
    """A worker ended, or failed, before it had answered; the message is for users, the log says more."""


class BusyError(RuntimeError):
    """The queue is full, or a recording has waited too long; the message says to try again in ``retry_after`` seconds."""

    def __init__(self, retry_after: int):
        seconds = "a second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(
            f"More recordings have come at once than can be answered here. Try again in {seconds}."
        )
        self.retry_after = retry_after


class Pool:
    """Worker processes; by default their number is the setting COUGHLAB_WORKERS. Thread-safe.

    `size` is the number of workers, `admitted` the number of recordings in progress or in the queue, `replaced` the number of
    replaced workers.
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
        """Answer a recording in a worker. While all workers are busy it waits in the queue, up to a timeout.

        The options are those of `coughlab.serving.predictors.Predictor.predict`, the answer is its `Prediction.to_dict` as JSON.

        Raises
        ------
        coughlab.audio.AudioError, coughlab.serving.predictors.UnknownModelError, coughlab.studies.store.StoreError
            As in `coughlab.serving.predictors.load` and `coughlab.serving.predictors.Predictor.predict`; the first also if the
            worker ended while it decoded.
        BusyError
            If the queue is full, or after the timeout.
        WorkerError
            If the worker ended later or failed. It has been replaced already.
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

        AudioError as in `coughlab.audio.load`, and if the worker ended meanwhile; WorkerError if it failed.
        """
        # A worker may have another working directory.
        path = str(Path(source).absolute()) if isinstance(source, (str, os.PathLike)) else None
        data = b"" if path is not None else source
        facts, samples = self._ask(self._idle.acquire(), data, limits, path=path)
        remarks = tuple(Remark(**remark) for remark in facts.pop("remarks"))
        return audio.Recording(np.frombuffer(samples, np.float32), **facts, remarks=remarks)

    def sound(self) -> "Sound":
        """A worker for one sound that arrives in packets, as from a microphone."""
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
        """Send a request to a worker and release it; try another one if it ended before it had received the recording."""
        request |= {"limits": asdict(limits), "id": logs.request_id.get()}
        began = time.monotonic()
        try:
            for _ in range(_ATTEMPTS):
                try:
                    failed, facts, body = worker.ask(data, request)
                    break
                except BaseException as error:
                    # After any error the worker must end: its next message would belong to this recording.
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
        # A moving average: later recordings have more weight.
        self._answer_s += 0.1 * (time.monotonic() - began - self._answer_s)
        if failed is None:
            return facts, body
        if failed not in worker_process.ERRORS:
            raise WorkerError(FAULT)
        raise worker_process.ERRORS[failed](*facts)


class Sound:
    """Decodes one sound packet by packet in its own worker, which ends with this object and is replaced if it ends earlier."""

    def __init__(self, parent: "_Parent"):
        self._parent, self._worker = parent, parent.fork()

    def decode(self, packet: bytes) -> bytes:
        """Decode the next packet as `coughlab.audio.opus.decode` does; empty also if the worker ended."""
        try:
            return self._worker.ask(packet, {"packet": True, "id": logs.request_id.get()})[2]
        except (EOFError, OSError):
            _log.warning("A worker ended while it decoded the sound of a microphone")
            self._worker.close()
            self._worker = self._parent.fork()
            return b""


class _Idle:
    """Idle workers, and a first-in, first-out queue of waiting threads; Python's own queues do not guarantee this order."""

    def __init__(self):
        self._lock, self._workers, self._waiting = threading.Lock(), deque(), deque()

    def acquire(self, timeout: float | None = None) -> "_Worker | None":
        """The next worker; None if none is released before the timeout."""
        turn: Future[_Worker] = Future()
        with self._lock:
            self._waiting.append(turn)
            self._match()
        with suppress(TimeoutError):
            return turn.result(timeout)
        # False if a worker was assigned at the last moment.
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
                cwd=Path(__file__).parents[2],
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
        # Leaves no zombie process, even if no further worker is needed.
        threading.Thread(target=process.wait, daemon=True).start()

    def fork(self) -> "_Worker":
        """Fork a new worker."""
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
    """The app's end of the connection to a worker; closing it ends the worker."""

    def __init__(self, end: socket.socket):
        self._connection = Connection(end.detach())
        self.progress: bytes | None = None

    def ask(self, data: bytes, request: dict[str, Any]) -> tuple[str | None, Any, bytes]:
        """Send a request. Returns the worker's error name (or None), properties and body."""
        self.progress = None
        # As JSON: with pickle, a worker that an untrusted file has taken over could run code in the app.
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
    """The workers of this process, started on first use."""
    with _sharing:
        return _shared()


def load(
    source: bytes | memoryview | str | os.PathLike, limits: audio.Limits = predictors.LIMITS
) -> audio.Recording:
    """Decode an untrusted recording: `Pool.load` of the workers of this process."""
    return shared().load(source, limits)
