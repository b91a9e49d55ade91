"""What Streamlit Community Cloud installs and runs, within its 690 MB: ``make test-cloud``.

The Cloud starts ``streamlit run Home.py``, listening at all addresses, with the packages of ``requirements.txt``.
"""

import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from coughlab.audio import synthetic
from tests import sounds
from tests.browser.conftest import ARGUMENTS, playing
from tests.conftest import ROOT
from tests.deploy.apps import ANSWERED, started, try_sample
from tests.deploy.cage import cage
from tests.servers import free_port

LIMIT_MB = 690
PAGES = ("", *sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "analyse"))
VISITORS = 3
STREAMLIT = (Path(sys.executable).with_name("streamlit"), "run", "Home.py")
LONGEST = synthetic.recording(onsets_s=range(1, 58, 4), duration_s=59.9)


@pytest.fixture
def memory():
    """The Cloud's memory."""
    with cage("coughlab-cloud") as own:
        own.limit(LIMIT_MB)
        yield own


@pytest.fixture
def cloud(memory, monkeypatch):
    """The app, started as on the Cloud."""
    for name in ("COUGHLAB_API_KEYS", "COUGHLAB_DATA", "COUGHLAB_VGG16", "COUGHLAB_MODELS"):
        monkeypatch.delenv(name, raising=False)
    port = free_port()
    command = (*STREAMLIT, "--server.port", port, "--server.headless", "true")
    with started(command, port, enter=memory.enter) as url:
        yield url


@pytest.fixture
def browser(chromium, tmp_path):
    microphone = tmp_path / "coughs.wav"
    microphone.write_bytes(synthetic.sample())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                *ARGUMENTS,
                *playing(microphone),
            ],
        )
        yield browser
        browser.close()


def test_every_page_and_every_input_fit_the_memory_of_the_cloud(cloud, memory, browser):
    most, stop = [0.0], threading.Event()

    def watch():
        while not stop.wait(0.1):
            most[0] = max(most[0], memory.held_mb())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        print(f"\nstarted: {memory.held_mb():.0f} MB")
        # Programs need a key there, and no key was issued.
        assert httpx.get(f"{cloud}/api/v1/models").status_code == 401
        visitors = [browser.new_context(permissions=["microphone"]) for _ in range(VISITORS)]
        for visitor in visitors:
            page = visitor.new_page()
            for path in PAGES:
                page.goto(f"{cloud}/{path}")
                expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
                settle(page)
                # The page would show an exception.
                assert page.get_by_test_id("stException").count() == 0, path
            print(f"every page: {memory.held_mb():.0f} MB")
        page = visitors[0].new_page()
        page.goto(cloud)
        record(page)
        for name, make in sounds.FORMATS.items():
            page = visitors[1].new_page()
            page.goto(cloud)
            page.locator("input[type=file]").set_input_files(
                {"name": name, "mimeType": "audio/wav", "buffer": make()}
            )
            expect(page.get_by_text(ANSWERED).first).to_be_visible(timeout=60_000)
            page.close()
        # The longest recording that is accepted, in the format with the most data per second.
        page = visitors[2].new_page()
        page.goto(cloud)
        longest = sounds.with_soundfile("FLAC", samples=LONGEST)
        page.locator("input[type=file]").set_input_files(
            {"name": "long.flac", "mimeType": "audio/flac", "buffer": longest}
        )
        expect(page.get_by_text(ANSWERED).first).to_be_visible(timeout=120_000)
        print(f"recorded and uploaded: {memory.held_mb():.0f} MB")
        try_sample(page, cloud)
        health = httpx.get(f"{cloud}/api/v1/health").json()
    finally:
        stop.set()
        watching.join()
    print(f"at most: {most[0]:.0f} of {LIMIT_MB} MB held by processes, {memory.killed()} killed")
    assert memory.killed() == 0 and health["ready"] and 0 < most[0] < LIMIT_MB


def test_without_enough_memory_workers_are_replaced_and_the_app_stays(memory):
    longest = sounds.with_soundfile("FLAC", samples=LONGEST)
    port = free_port()
    command = (
        *STREAMLIT,
        "--server.address",
        "localhost",
        "--server.port",
        port,
        "--server.headless",
        "true",
    )
    # Far more workers than this memory can hold.
    with (
        started(command, port, enter=memory.enter, env={"COUGHLAB_WORKERS": "12"}) as url,
        httpx.Client() as client,
    ):

        def ask(_):
            return client.post(f"{url}/api/v1/predict", files={"file": longest}, timeout=120).status_code

        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(ask, range(48)))
        print(f"\n{memory.killed()} killed, answers: {Counter(answers)}")
        assert memory.killed() > 0 and answers.count(200) > 0
        assert httpx.get(f"{url}/api/v1/health").json()["ready"]


def settle(page):
    """Wait until the page's script has ended."""
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=60_000)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=60_000)


def record(page):
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_test_id("stAudioInputWaveformTimeCode")).to_have_text("00:03", timeout=60_000)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text(ANSWERED).first).to_be_visible(timeout=60_000)
