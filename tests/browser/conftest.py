"""The browser that the browser tests share."""

import pytest
from playwright.sync_api import expect, sync_playwright

# Other work on the machine may slow the browser down.
expect.set_options(timeout=60_000)

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def playing(sound):
    """Arguments of a Chromium whose microphone plays the WAV file at a path, again and again."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    )


@pytest.fixture(scope="package")
def launch(chromium):
    """A function that starts a Chromium with extra arguments; the Chromium is closed at the end."""
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *more])


@pytest.fixture(scope="package")
def browser(launch):
    """A Chromium."""
    # A page is open for seconds, too short for compilers that optimise to pay: an eighth less CPU for each page.
    browser = launch("--js-flags=--no-opt --no-maglev")
    yield browser
    browser.close()
