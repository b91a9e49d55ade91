"""How long a person waits: first paint, the first answer of a cold server, the next answers.

    python benchmarks/first_answer.py

It drives a real Chromium. Every figure is printed beside its goal as a ratio: below 1 the goal is met.
"""

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import time

import httpx
from playwright.sync_api import sync_playwright

from coughlab import audio, synthetic


@contextlib.contextmanager
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield f"http://localhost:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def until_up(url):
    while True:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{url}/_stcore/health")
        time.sleep(0.02)


def recording(seconds):
    return audio.encode_wav(synthetic.recording(duration_s=seconds), synthetic.RATE)


def upload(page, seconds, awaited):
    """Seconds from choosing a file until `awaited` is on screen."""
    file = {"name": f"{seconds}.wav", "mimeType": "audio/wav", "buffer": recording(seconds)}
    started = time.perf_counter()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text(awaited).first.wait_for()
    return time.perf_counter() - started


def show(what, seconds, goal):
    print(f"{what:52} {seconds:6.2f} s   goal {goal:.2f} s   ratio {seconds / goal:.2f}", flush=True)


with sync_playwright() as playwright, server() as url:
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
    )
    page = browser.new_page()
    until_up(url)
    started = time.perf_counter()
    page.goto(url)
    page.get_by_role("heading", name="Analyse a cough").wait_for()
    show("first paint of the page, cold server", time.perf_counter() - started, 1.5)
    show("first answer after an upload, cold server", upload(page, 3.5, "Probability of COVID"), 2.0)
    time.sleep(3)
    # The line about the recording comes after the models' answers and tells one upload from the next.
    later = [upload(page, seconds, f"in {seconds:.1f} s of") for seconds in (3.1, 4.2, 5.3, 6.4, 7.5)]
    show("an answer after that, on the page, median of 5", statistics.median(later), 0.3)
    data = recording(3.5)
    started = time.perf_counter()
    for _ in range(20):
        httpx.post(f"{url}/api/v1/predict", files={"file": data}).raise_for_status()
    show("an answer as JSON, warm, mean of 20", (time.perf_counter() - started) / 20, 0.3)
    browser.close()
