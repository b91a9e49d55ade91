"""The app and a browser for the benchmarks that drive it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time

import httpx
from playwright.sync_api import sync_playwright


@contextlib.contextmanager
def server():
    """Address of the app, started as ``make run`` starts it; it may not be up yet."""
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
    """Wait until the app answers."""
    while True:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{url}/_stcore/health")
        time.sleep(0.02)


@contextlib.contextmanager
def browser():
    """A Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


def show(what, seconds, goal):
    """Print a figure beside its goal."""
    print(f"{what:52} {seconds:6.3f} s   goal {goal:.2f} s   ratio {seconds / goal:.2f}", flush=True)
