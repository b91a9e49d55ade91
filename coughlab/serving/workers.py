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

import gc
import json
import logging
import math
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

import coughlab
from coughlab import audio, config
from coughlab.audio import opus
from coughlab.serving import predictors
from coughlab.studies.store import StoreError
from coughlab.system import logs, resources

#: Errors that a worker reports by what they were made of; any other is its own fault, and is logged.
_ERRORS = {
    "AudioError": audio.AudioError,
    "UnknownModelError": predictors.UnknownModelError,
    "StoreError": StoreError,
}
#: How many freed bytes a worker keeps.
KEPT = 16 * 2**20
#: What a worker sends before its answer: that it has the recording, and that the recording is decoded.
_RECEIVED, _DECODED = b"received", b"decoded"
#: How many workers are given a recording, one after the other, where each ends before it has received it.
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

    Attributes
    ----------
    size : int
        How many workers there are.
    admitted : int
        How many recordings are being answered, or wait for it.
    replaced : int
        How many workers were replaced.
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

    def answer(self, data: bytes, **options) -> bytes:
        """Have a recording answered; waits while all workers are busy, but not for long, nor with too many others.

        Parameters
        ----------
        data : bytes
            The file.
        **options
            Of `coughlab.serving.predictors.Predictor.predict`, as far as JSON can hold them.

        Returns
        -------
        bytes
            What `coughlab.serving.predictors.Prediction.to_dict` gives, as JSON.

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

        Raises
        ------
        coughlab.audio.AudioError
            As `coughlab.audio.load`, and if the worker ended meanwhile.
        WorkerError
            If the worker went wrong.
        """
        # A worker may have another working directory.
        path = str(Path(source).absolute()) if isinstance(source, (str, os.PathLike)) else None
        data = b"" if path is not None else source
        facts, samples = self._ask(self._idle.acquire(), data, limits, path=path)
        return audio.Recording(np.frombuffer(samples, np.float32), **facts)

    def sound(self) -> "Sound":
        """A worker for one sound that comes packet by packet, as from a microphone."""
        return Sound(self._parent)

    def close(self):
        """End all workers."""
        for _ in range(self.size):
            self._idle.acquire().close()
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
                    if progress == _RECEIVED:
                        _log.warning("A worker ended while it decoded a recording")
                        raise audio.error("undecodable") from None
                    if progress == _DECODED:
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
        if failed not in _ERRORS:
            raise WorkerError(FAULT)
        raise _ERRORS[failed](*facts)


class Sound:
    """Decodes one sound packet by packet, in a worker of its own, which ends with this and is replaced where it ends before."""

    def __init__(self, parent):
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

    def acquire(self, timeout=None):
        """The next worker; None where none is released in time."""
        turn = Future()
        with self._lock:
            self._waiting.append(turn)
            self._match()
        with suppress(TimeoutError):
            return turn.result(timeout)
        # False where a worker has come at the last moment.
        return None if turn.cancel() else turn.result()

    def release(self, worker):
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
                [sys.executable, "-c", f"from {__name__} import main; main({theirs.fileno()})"],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(coughlab.__file__).parent.parent,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
        # It leaves no zombie, even where nobody asks for a worker any more.
        threading.Thread(target=process.wait, daemon=True).start()

    def fork(self):
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

    def close(self):
        self._end.close()


class _Worker:
    """The app's end of the connection to a worker, which ends when it is closed."""

    def __init__(self, end):
        self._connection = Connection(end.detach())
        self.progress = None

    def ask(self, data, request):
        """Name of the error, if any, facts and body that the worker sends back."""
        self.progress = None
        # As JSON, because from a pickle a worker that a stranger's file has taken over could run code in the app.
        self._connection.send_bytes(json.dumps(request).encode())
        self._connection.send_bytes(data)
        while True:
            if not self._connection.poll(config.value("COUGHLAB_ANSWER_S") + _GRACE_S):
                raise TimeoutError
            message = self._connection.recv_bytes()
            if message not in (_RECEIVED, _DECODED):
                return *json.loads(message), self._connection.recv_bytes()
            self.progress = message

    def close(self):
        self._connection.close()


def respond(data: bytes, **options) -> bytes:
    """Answer one recording in this process: what `Pool.answer` does in a worker."""
    return _json(predictors.load(data), options)


def _json(recording, options):
    prediction = predictors.default().predict(recording, **options)
    return json.dumps(prediction.to_dict(), ensure_ascii=False, allow_nan=False).encode()


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


def main(descriptor: int):
    """The parent process: forks a worker for each connection it is sent, until the app closes the socket at its other end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    resources.no_core_dumps()
    logs.start()
    # What an answer frees the next one needs: fetching it anew takes a fifth of an answer's time.
    resources.mallopt(mmap_threshold=KEPT, trim_threshold=KEPT)
    with suppress(StoreError):  # each answer reports it
        predictors.default().warm_up()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as app:
        while descriptors := socket.recv_fds(app, 1, 1)[1]:
            if os.fork() == 0:
                app.close()
                _work(Connection(descriptors[0]))
            os.close(descriptors[0])


def _work(connection):
    """What a worker does until the app closes the connection."""
    resources.first_to_go()
    try:
        while True:
            _serve(connection)
    except (EOFError, OSError):
        # To free one by one what the parent process has loaded would copy all of it first, which takes tens of milliseconds.
        os._exit(0)


def _serve(connection):
    request, data = json.loads(connection.recv_bytes()), connection.recv_bytes()
    logs.request_id.set(request["id"])
    connection.send_bytes(_RECEIVED)
    failed, facts, body = None, None, b""
    with _time_limit(config.value("COUGHLAB_ANSWER_S")):
        try:
            with _memory_limit(config.value("COUGHLAB_WORKER_MB")):
                decoded = _decode(request, data)
            connection.send_bytes(_DECODED)
            if "packet" in request:
                body = decoded
            elif "options" in request:
                body = _json(decoded, request["options"])
            else:
                facts = {field.name: getattr(decoded, field.name) for field in fields(decoded)[1:]}
                body = decoded.samples
        except MemoryError:
            failed, facts = "AudioError", audio.error("undecodable").args
        except tuple(_ERRORS.values()) as error:
            failed, facts = type(error).__name__, error.args
        except Exception:
            _log.exception("Unexpected error in a worker")
            failed = "Exception"
    connection.send_bytes(json.dumps([failed, facts]).encode())
    connection.send_bytes(body)


def _decode(request, data):
    if "packet" in request:
        return opus.decode(data)
    source = data if request.get("path") is None else request["path"]
    return audio.load(source, audio.Limits(**request["limits"]))


@contextmanager
def _time_limit(seconds):
    """End this process when what is in this context takes longer: the signal ends it in the midst of C, too."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _memory_limit(megabytes):
    """Refuse this process more memory than that, beside what it has."""
    # Not every system tells, and not every one keeps to the limit.
    before = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(
            resource.RLIMIT_AS, (pages * resource.getpagesize() + megabytes * 2**20, before[1])
        )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
