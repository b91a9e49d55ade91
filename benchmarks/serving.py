"""Answering: our server beside the published one, both started here and asked about the same recording in turns.

    python benchmarks/serving.py

The published stack says the label and one probability; ours says in the same answer what three models make of the recording and
of each of its three coughs, and how far that can be believed. The floor under an answer is what its networks, transforms and
resampling take in C. ``coughlab serve`` has the API alone, ``streamlit run`` also the pages.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from unittest.mock import patch

import numpy as np
import soxr
from app import browser
from table import Row, show

from coughlab import audio
from coughlab.audio import synthetic
from coughlab.classifiers import runtime
from coughlab.serving import workers
from coughlab.system import resources
from pages import PAGES

HERE = Path(__file__).parent
BOUNDARY = "a-boundary"
STARTS, ONE_BY_ONE, CLIENTS, LOAD_S = 3, 200, 16, 10.0
#: Community Cloud's smallest machine has 690 MB; this leaves room for visitors.
LIMIT_MB = 400.0


RECORDING = audio.encode_wav(synthetic.recording(duration_s=5.0), synthetic.RATE)


def multipart(data):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="cough.wav"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


BODY = multipart(RECORDING)


class Server:
    """A server in a process group of its own."""

    def __init__(self, command, path, **environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.path = path
        self.process = subprocess.Popen(
            [part.format(port=self.port) for part in command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | environment,
        )

    def ask(self):
        """One answer, on a connection of its own, as one client after another comes."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            connection.request("POST", self.path, BODY, headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{self.path} answered {answer.status}: {body[:200]}")
        return body

    def first(self):
        """Wait for the first answer."""
        while True:
            with contextlib.suppress(ConnectionError):
                return self.ask()
            time.sleep(0.01)

    def memory(self):
        """Megabytes that the server holds: its own pages, shared among its processes, and the files of the largest of them.

        Not the proportional share of all, since other programs that run may map the same libraries.
        """
        own, files = 0, [0]
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.getpgid(int(folder.name)) == self.process.pid:
                    rollup = (folder / "smaps_rollup").read_text()
                    kb = {name: int(n) for name, n in re.findall(r"^(\w+): +(\d+) kB", rollup, re.MULTILINE)}
                    own += kb["Pss_Anon"]
                    files.append(kb["Rss"] - kb["Anonymous"])
        return (own + max(files)) / 1024

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def ours():
    streamlit = str(Path(sys.executable).with_name("streamlit"))
    return Server(
        [streamlit, "run", "Home.py", "--server.port", "{port}", "--server.headless", "true"],
        "/api/v1/predict",
    )


def api_alone():
    return Server([sys.executable, "-m", "coughlab", "serve", "--port", "{port}"], "/api/v1/predict")


def published(folder):
    return Server(
        [sys.executable, str(HERE / "published" / "serve.py"), folder, "{port}"],
        "/predict",
        TF_CPP_MIN_LOG_LEVEL="3",
    )


@contextlib.contextmanager
def running(start):
    server = start()
    try:
        server.first()
        yield server
    finally:
        server.stop()


def seconds_to_first_answer(start):
    began = time.perf_counter()
    with running(start):
        return time.perf_counter() - began


def milliseconds(servers):
    """Each server's times, asked in turns so that what else the machine does slows all alike."""
    times = [[] for _ in servers]
    for _ in range(ONE_BY_ONE):
        for server, taken in zip(servers, times, strict=True):
            began = time.perf_counter()
            server.ask()
            taken.append(1000 * (time.perf_counter() - began))
    return times


def answers_a_second(server):
    """With 16 clients at once, each asking again as soon as it has its answer."""
    done, stop = [], time.perf_counter() + LOAD_S

    def client():
        while time.perf_counter() < stop:
            server.ask()
            done.append(time.perf_counter())

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    began = time.perf_counter()
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    return len(done) / (max(done) - began)


def floor_ms():
    """What networks, transforms and resampling alone, all of them in C, take of one of our answers, without any other work."""
    spent = []

    def timed(function):
        def run(*arguments, **options):
            began = time.perf_counter()
            result = function(*arguments, **options)
            spent[-1] += 1000 * (time.perf_counter() - began)
            return result

        return run

    resources.mallopt(mmap_threshold=workers.KEPT, trim_threshold=workers.KEPT)
    compiled = ((runtime.LiteRT, "outputs"), (np.fft, "rfft"), (soxr, "resample"))
    with contextlib.ExitStack() as patches:
        for owner, name in compiled:
            patches.enter_context(patch.object(owner, name, timed(getattr(owner, name))))
        for _ in range(ONE_BY_ONE):
            spent.append(0.0)
            workers.respond(RECORDING)
    return statistics.median(spent)


@contextlib.contextmanager
def open_pages(server):
    """Every page of the app open in a browser."""
    with browser() as chromium:
        context = chromium.new_context()
        for address, (heading, content) in PAGES.items():
            page = context.new_page()
            page.goto(f"http://localhost:{server.port}/{address}")
            page.get_by_role("heading", name=heading, exact=True).wait_for()
            page.locator(content).first.wait_for()
        yield


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, HERE / "published" / "files.py", folder], check=True, stderr=subprocess.DEVNULL
        )

        def theirs():
            return published(folder)

        starts = [
            [seconds_to_first_answer(start) for start in (api_alone, ours, theirs)] for _ in range(STARTS)
        ]
        alone, with_pages, other = map(statistics.median, zip(*starts, strict=True))
        show(Row("process start to first JSON answer, the API alone", alone, other, "s", 8))
        show(Row("process start to first JSON answer, with the pages", with_pages, other, "s", 8))
        with running(api_alone) as alone, running(ours) as our, running(theirs) as their:
            servers = [alone, our, their]
            for _ in range(100):
                for server in servers:
                    server.ask()
            held = [server.memory() for server in servers]
            show(Row("memory after 100 answers, the API alone", held[0], held[2], "MB", 3))
            show(Row("memory after 100 answers, with the pages", held[1], held[2], "MB", 3))
            times = milliseconds([our, their])
            floor = floor_ms()
            for name, percent in (("median", 50), ("99th percentile", 99)):
                mine, other = np.percentile(times, percent, axis=1)
                show(Row(f"one 5 s WAV to JSON over HTTP, warm: {name}", mine, other, "ms", 10, floor))
            rates = [answers_a_second(server) for server in (our, their)]
            most = resources.cores() * 1000 / floor
            show(Row("answers a second, 16 clients", *rates, "/s", 10, most, more=True))
            if shutil.which("chromium"):
                with open_pages(our):
                    for _ in range(100):
                        our.ask()
                    what = f"memory with {len(PAGES)} pages open"
                    show(Row(what, our.memory(), LIMIT_MB, "MB", 1, against="limit"))


if __name__ == "__main__":
    main()
