"""Processes that decode and answer, one a core: a recording in, its samples or the JSON of its answer out.

In one process Python runs one thread at a time, so that answers would wait for each other and for the pages. And a decoder
written in C may crash on a stranger's file, or take all time or memory there is: in a worker this ends the worker, which is
replaced within milliseconds, because a process that has everything loaded, and does nothing else, makes a new one by forking.
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

from coughlab import audio, config
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
#: What a worker says before its answer: that it has the recording, and that the recording is decoded.
_TAKEN, _DECODED = b"taken", b"decoded"
#: How often a recording is handed to another worker where one ended before it had taken it.
_ATTEMPTS = 3
#: How much longer than its own limit a worker is waited for, in seconds.
_GRACE_S = 2

#: What is told of a worker that ended or went wrong after it had decoded a recording.
FAULT = "Something went wrong here, not with the recording. Please try again."

_log = logging.getLogger(__name__)


class WorkerError(RuntimeError):
    """A worker ended, or went wrong, before it had answered; the message tells people, the log more."""


class BusyError(RuntimeError):
    """All workers are busy, and as many as may wait for one are waiting; the message says what to do.

    Attributes
    ----------
    retry_after : int
        Seconds after which there may be room.
    """

    def __init__(self, retry_after):
        seconds = "a second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(
            f"More recordings have come at once than can be answered here. Try again in {seconds}."
        )
        self.retry_after = retry_after


class Pool:
    """Some workers. May be shared between threads.

    Parameters
    ----------
    n : int, optional
        How many; as the setting COUGHLAB_WORKERS says unless given.

    Attributes
    ----------
    size : int
        How many workers there are.
    admitted : int
        How many recordings are answered, or wait for it.
    replaced : int
        How many workers were replaced.
    """

    def __init__(self, n=None):
        self.size = n or config.value("COUGHLAB_WORKERS") or resources.workers()
        self.admitted = self.replaced = 0
        self._room, self._wait_s = config.value("COUGHLAB_QUEUE"), config.value("COUGHLAB_WAIT_S")
        self._limit_s = config.value("COUGHLAB_ANSWER_S")
        self._answer_s = 0.05
        self._lock = threading.Lock()
        self._mother = _Mother()
        self._idle = _Line()
        for _ in range(self.size):
            self._idle.put(self._mother.fork())

    def answer(self, data, **options):
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
        with self._admitted():
            return self._asked(self._taken(self._wait_s), data, predictors.LIMITS, asked=options)[1]

    def load(self, source, limits=predictors.LIMITS):
        """Decode a recording; waits while all workers are busy.

        Parameters
        ----------
        source : bytes-like, str or os.PathLike
            The bytes of a file, or the path of one.
        limits : coughlab.audio.Limits
            What to accept.

        Returns
        -------
        coughlab.audio.Recording

        Raises
        ------
        coughlab.audio.AudioError
            As `coughlab.audio.load`, and if the worker ended meanwhile.
        WorkerError
            If the worker went wrong.
        """
        path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
        data = b"" if path is not None else source
        facts, samples = self._asked(self._taken(), data, limits, path=path)
        return audio.Recording(np.frombuffer(samples, np.float32), **facts)

    def sound(self):
        """A worker for one sound that comes packet by packet, as from a microphone.

        Returns
        -------
        Sound
        """
        return Sound(self._mother)

    def close(self):
        """End all workers."""
        for _ in range(self.size):
            self._idle.get().close()
        self._mother.close()

    @contextmanager
    def _admitted(self):
        with self._lock:
            if self.admitted >= self.size + self._room:
                raise self._busy()
            self.admitted += 1
        try:
            yield
        finally:
            with self._lock:
                self.admitted -= 1

    def _busy(self):
        return BusyError(max(1, math.ceil(self.admitted / self.size * self._answer_s)))

    def _taken(self, timeout=None):
        try:
            return self._idle.get(timeout)
        except TimeoutError:
            raise self._busy() from None

    def _asked(self, worker, data, limits, **request):
        """Ask a worker, or others where it ended before it had anything to do with the recording, and put it back."""
        request |= {"limits": asdict(limits), "id": logs.request_id.get()}
        began = time.monotonic()
        try:
            for _ in range(_ATTEMPTS):
                try:
                    failed, facts, body = worker.ask(data, request, self._limit_s + _GRACE_S)
                    break
                except BaseException as error:
                    # Whatever it was: what this one would say next belongs to this recording.
                    worker.close()
                    said, worker = worker.said, self._mother.fork()
                    self.replaced += 1
                    if not isinstance(error, (EOFError, OSError)):
                        raise
                    if said == _TAKEN:
                        _log.warning("A worker ended while it decoded a recording")
                        raise audio.error("undecodable") from None
                    if said == _DECODED:
                        _log.error("A worker ended before it had answered")
                        raise WorkerError(FAULT) from None
            else:
                _log.error("The workers end as soon as they are started")
                raise WorkerError(FAULT)
        finally:
            self._idle.put(worker)
        # Of the recordings so far, the later ones count more.
        self._answer_s += 0.1 * (time.monotonic() - began - self._answer_s)
        if failed is None:
            return facts, body
        if failed not in _ERRORS:
            raise WorkerError(FAULT)
        raise _ERRORS[failed](*facts)


class Sound:
    """Decodes one sound packet by packet, in a worker of its own, which ends with this and is replaced where it ends before.

    Parameters
    ----------
    mother : _Mother
        Of `Pool`.
    """

    def __init__(self, mother):
        self._mother, self._worker = mother, mother.fork()

    def decode(self, packet):
        """Decode the next packet.

        Parameters
        ----------
        packet : bytes
            See `coughlab.serving.microphone.decode`.

        Returns
        -------
        bytes
            Its samples; empty if it could not be decoded.
        """
        request = {"packet": True, "id": logs.request_id.get()}
        try:
            return self._worker.ask(packet, request, config.value("COUGHLAB_ANSWER_S") + _GRACE_S)[2]
        except (EOFError, OSError):
            _log.warning("A worker ended while it decoded the sound of a microphone")
            self._worker.close()
            self._worker = self._mother.fork()
            return b""


class _Line:
    """Workers at rest, or those who wait for one: first come, first served, which Python's own queues do not promise."""

    def __init__(self):
        self._lock, self._workers, self._waiting = threading.Lock(), deque(), deque()

    def get(self, timeout=None):
        with self._lock:
            if self._workers:
                return self._workers.popleft()
            turn = Future()
            self._waiting.append(turn)
        try:
            return turn.result(timeout)
        except TimeoutError:
            with self._lock:
                if turn.done():  # it came at the last moment
                    return turn.result()
                self._waiting.remove(turn)
            raise

    def put(self, worker):
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(worker)
            else:
                self._workers.append(worker)


class _Mother:
    """The process that has everything loaded and makes the workers."""

    def __init__(self):
        self._lock = threading.Lock()
        self._start()

    def _start(self):
        self._end, theirs = socket.socketpair()
        with theirs, resources.without_ctrl_c():
            process = subprocess.Popen(
                [sys.executable, "-m", "coughlab.serving.workers", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
        # When it has ended nobody may be asking any more, so somebody else has to notice.
        threading.Thread(target=process.wait, daemon=True).start()

    def fork(self):
        """A new worker."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            try:
                socket.send_fds(self._end, [b"."], [theirs.fileno()])
            except OSError:
                self._end.close()
                self._start()
                socket.send_fds(self._end, [b"."], [theirs.fileno()])
        return _Worker(ours)

    def close(self):
        self._end.close()


class _Worker:
    """The end of a worker's connection that is ours; the worker ends when it is closed."""

    def __init__(self, end):
        self._connection = Connection(end.detach())
        self.said = None

    def ask(self, data, request, seconds):
        self.said = None
        self._connection.send_bytes(json.dumps(request).encode())
        self._connection.send_bytes(data)
        while True:
            if not self._connection.poll(seconds):
                raise TimeoutError
            message = self._connection.recv_bytes()
            if message not in (_TAKEN, _DECODED):
                break
            self.said = message
        failed, facts = json.loads(message)
        return failed, facts, self._connection.recv_bytes()

    def close(self):
        self._connection.close()


def respond(data, **options):
    """Answer one recording, in this process.

    Parameters
    ----------
    data : bytes
        The file.
    **options
        Of `coughlab.serving.predictors.Predictor.predict`.

    Returns
    -------
    bytes
        The answer as JSON.

    Raises
    ------
    coughlab.audio.AudioError, coughlab.serving.predictors.UnknownModelError, coughlab.studies.store.StoreError
        As `coughlab.serving.predictors.load` and `coughlab.serving.predictors.Predictor.predict`.
    """
    return _json(predictors.load(data), options)


def _json(recording, options):
    prediction = predictors.default().predict(recording, **options)
    return json.dumps(prediction.to_dict(), ensure_ascii=False, allow_nan=False).encode()


_sharing = threading.Lock()


@cache
def _shared():
    return Pool()


def shared():
    """The workers of this process, started when first asked for.

    Returns
    -------
    Pool
        Shared between threads.
    """
    with _sharing:
        return _shared()


def load(source, limits=predictors.LIMITS):
    """Decode a stranger's recording: `Pool.load` of the workers of this process."""
    return shared().load(source, limits)


def main(descriptor):
    """The mother's process: forks a worker for each connection it is handed, until the other end of its own is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    resources.no_core_dumps()
    logs.start()
    # What an answer frees the next one needs: fetching it anew takes a fifth of an answer's time.
    resources.mallopt(mmap_threshold=KEPT, trim_threshold=KEPT)
    with suppress(StoreError):  # those who ask are told
        predictors.default().warm_up()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as asked:
        while descriptors := socket.recv_fds(asked, 1, 1)[1]:
            if os.fork() == 0:
                break
            os.close(descriptors[0])
        else:
            return
    resources.first_to_go()
    with Connection(descriptors[0]) as connection, suppress(EOFError, OSError):
        while True:
            _serve(connection)


def _serve(connection):
    request, data = json.loads(connection.recv_bytes()), connection.recv_bytes()
    logs.request_id.set(request["id"])
    connection.send_bytes(_TAKEN)
    failed, body = None, b""
    with _seconds(config.value("COUGHLAB_ANSWER_S")):
        try:
            with _megabytes(config.value("COUGHLAB_WORKER_MB")):
                decoded = _decoded(request, data)
            connection.send_bytes(_DECODED)
            if "packet" in request:
                facts, body = None, decoded
            elif "asked" in request:
                facts, body = None, _json(decoded, request["asked"])
            else:
                facts = {field.name: getattr(decoded, field.name) for field in fields(decoded)[1:]}
                body = decoded.samples
        except MemoryError:
            failed, facts = "AudioError", audio.error("undecodable").args
        except tuple(_ERRORS.values()) as error:
            failed, facts = type(error).__name__, error.args
        except Exception:
            _log.exception("Unexpected error in a worker")
            failed, facts = "Exception", []
    connection.send_bytes(json.dumps([failed, facts]).encode())
    connection.send_bytes(body)


def _decoded(request, data):
    if "packet" in request:
        from coughlab.serving import microphone

        return microphone.decode(data)
    source = data if request.get("path") is None else request["path"]
    return audio.load(source, audio.Limits(**request["limits"]))


@contextmanager
def _seconds(limit):
    """End this process when what is in this context takes longer: the signal ends it in the midst of C, too."""
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _megabytes(limit):
    """Refuse this process more memory than that, beside what it has."""
    # Not every system tells, and not every one keeps to the limit.
    before = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + limit * 2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


if __name__ == "__main__":
    main(int(sys.argv[1]))
