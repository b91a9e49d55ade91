"""The worker processes, and the parent process that forks them; `coughlab.serving.workers` is the app's side.

A worker receives a request in JSON and a recording. It reports that it has received the recording, and then that it has decoded
it. Then it sends the name of an error or None, properties in JSON, and bytes.
"""

import gc
import json
import logging
import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from coughlab import audio, config
from coughlab.audio import opus
from coughlab.serving import predictors
from coughlab.studies.store import StoreError
from coughlab.system import logs, resources

#: Errors that a worker reports by their constructor's arguments; any other error is a bug, and is logged.
ERRORS: dict[str, type[Exception]] = {
    "AudioError": audio.AudioError,
    "UnknownModelError": predictors.UnknownModelError,
    "StoreError": StoreError,
}
#: Freed bytes at the end of the heap that a worker keeps for reuse.
KEPT = 16 * 2**20
#: Growth of a worker, in bytes, from which on it gives all freed memory back after an answer; without, it keeps its largest need.
GROWTH = 64 * 2**20
#: Messages of a worker before its answer: recording received, recording decoded.
RECEIVED, DECODED = b"received", b"decoded"

_log = logging.getLogger(__name__)


def respond(data: bytes, **options: Any) -> bytes:
    """Answer one recording in this process; `coughlab.serving.workers.Pool.answer` does so in a worker."""
    return _json(predictors.load(data), options)


def _json(recording, options):
    prediction = predictors.default().predict(recording, **options)
    return json.dumps(prediction.to_dict(), ensure_ascii=False, allow_nan=False).encode()


def main(descriptor: int) -> None:
    """The parent process: forks a worker for each connection it receives, until the app closes the socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    resources.no_core_dumps()
    logs.start()
    # The next answer needs the memory that the last one freed: allocating it again takes a fifth of an answer's time.
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
    """The worker's loop, until the app closes the connection."""
    resources.first_to_go()
    first = resources.resident()
    try:
        while True:
            _serve(connection)
            if resources.resident() > first + GROWTH:
                gc.collect()
                resources.trim()
    except (EOFError, OSError):
        # Exit without clean-up: freeing the objects of the parent process would first copy their memory pages, which takes tens
        # of milliseconds.
        os._exit(0)


def _serve(connection):
    request, data = json.loads(connection.recv_bytes()), connection.recv_bytes()
    logs.request_id.set(request["id"])
    connection.send_bytes(RECEIVED)
    failed, facts, body = None, None, b""
    with _time_limit(config.value("COUGHLAB_ANSWER_S")):
        try:
            with _memory_limit(config.value("COUGHLAB_WORKER_MB")):
                decoded = _decode(request, data)
            connection.send_bytes(DECODED)
            if "packet" in request:
                body = decoded
            elif "options" in request:
                body = _json(decoded, request["options"])
            else:
                facts = {field.name: getattr(decoded, field.name) for field in fields(decoded)[1:]}
                facts["remarks"] = [asdict(remark) for remark in decoded.remarks]
                body = decoded.samples
        except MemoryError:
            failed, facts = "AudioError", audio.error("undecodable").args
        except tuple(ERRORS.values()) as error:
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
def _time_limit(seconds: float) -> Iterator[None]:
    """End this process when the code in this context takes longer; the signal also ends it inside C code."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _memory_limit(megabytes: int) -> Iterator[None]:
    """Limit the additional memory of this process."""
    # Not every system reports a process's memory or enforces the limit.
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
