"""Answering: our server compared to the published one; both are started here and answer the same recording in turns.

    python benchmarks/serving.py

The published stack returns a label and one probability. Ours returns the answers of three models about the recording and about
each of its three coughs, and how reliable they are. The floor of an answer is the time of its networks, transforms and resampling
in C. ``coughlab serve`` has the API alone, ``streamlit run`` also the pages.
"""

import contextlib
import functools
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import numpy as np
import soxr
from shared.browser import PAGES, browser, open_page
from shared.run import size
from shared.server import PUBLISHED, api_alone, app, published, wav
from shared.table import Row, show

from coughlab.classifiers import runtime
from coughlab.serving import worker_process
from coughlab.system import resources

STARTS, BEFORE, ONE_BY_ONE = size(3, 1), size(100, 1), size(200, 2)
CLIENTS, LOAD_S = size(16, 2), size(10.0, 0.5)
OPENED = size(tuple(PAGES), ("", "about"))
#: Community Cloud's smallest machine has 690 MB; this leaves memory for visitors.
LIMIT_MB = 400.0
RECORDING = wav(5.0)


@contextlib.contextmanager
def answering(start):
    """A server that has given its first answer, and the seconds from the start of its process to that answer."""
    began = time.perf_counter()
    with start() as server:
        server.first(RECORDING)
        yield server, time.perf_counter() - began


def seconds_to_first_answer(start):
    with answering(start) as (_, seconds):
        return seconds


def milliseconds(servers):
    """Each server's times; requests are sent in turns, so that other load on the machine affects all equally."""
    times = [[] for _ in servers]
    for _ in range(ONE_BY_ONE):
        for server, taken in zip(servers, times, strict=True):
            began = time.perf_counter()
            server.ask(RECORDING)
            taken.append(1000 * (time.perf_counter() - began))
    return times


def answers_a_second(server):
    """With many clients at once, each sending the next request as soon as it has its answer."""
    began = time.perf_counter()

    def client(_):
        done = 0
        while time.perf_counter() < began + LOAD_S:
            server.ask(RECORDING)
            done += 1
        return done

    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(client, range(CLIENTS))) / (time.perf_counter() - began)


def floor_ms():
    """Milliseconds of the networks, transforms and resampling of one of our answers, all in C, without other work."""
    spent = []

    def timed(function):
        def run(*arguments, **options):
            began = time.perf_counter()
            result = function(*arguments, **options)
            spent[-1] += 1000 * (time.perf_counter() - began)
            return result

        return run

    resources.mallopt(mmap_threshold=worker_process.KEPT, trim_threshold=worker_process.KEPT)
    compiled = ((runtime.LiteRT, "outputs"), (np.fft, "rfft"), (soxr, "resample"))
    with contextlib.ExitStack() as patches:
        for owner, name in compiled:
            patches.enter_context(patch.object(owner, name, timed(getattr(owner, name))))
        for _ in range(ONE_BY_ONE):
            spent.append(0.0)
            worker_process.respond(RECORDING)
    return statistics.median(spent)


def main():
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        subprocess.run(
            [sys.executable, PUBLISHED / "files.py", folder], check=True, stderr=subprocess.DEVNULL
        )
        kinds = (api_alone, app, functools.partial(published, folder))
        starts = [[seconds_to_first_answer(start) for start in kinds] for _ in range(STARTS - 1)]
        # The servers of the last round keep running.
        servers, seconds = zip(*(running.enter_context(answering(start)) for start in kinds), strict=True)
        alone, with_pages, other = map(statistics.median, zip(*starts, seconds, strict=True))
        show(Row("process start to first JSON answer, the API alone", alone, other, "s", 8))
        show(Row("process start to first JSON answer, with the pages", with_pages, other, "s", 8))
        for _ in range(BEFORE):
            for server in servers:
                server.ask(RECORDING)
        alone, with_pages, other = (server.memory_mb() for server in servers)
        show(Row(f"memory after {BEFORE} answers, the API alone", alone, other, "MB", 3))
        show(Row(f"memory after {BEFORE} answers, with the pages", with_pages, other, "MB", 3))
        _, our, _ = servers
        times = milliseconds(servers[1:])
        floor = floor_ms()
        for name, percent in (("median", 50), ("99th percentile", 99)):
            mine, other = np.percentile(times, percent, axis=1)
            show(Row(f"one 5 s WAV to JSON over HTTP, warm: {name}", mine, other, "ms", 10, floor))
        rates = map(answers_a_second, servers[1:])
        most = resources.cores() * 1000 / floor
        show(Row(f"answers a second, {CLIENTS} clients", *rates, "/s", 10, most, more=True))
        context = running.enter_context(browser()).new_context()
        for address in OPENED:
            open_page(context, our.url, address)
        for _ in range(BEFORE):
            our.ask(RECORDING)
        what = f"memory with {len(OPENED)} pages open"
        show(Row(what, our.memory_mb(), LIMIT_MB, "MB", 1, against="limit"))


if __name__ == "__main__":
    main()
