"""The browser of all tests that drive one."""

import pytest
from playwright.sync_api import expect, sync_playwright

# A machine may have more to do than this.
expect.set_options(timeout=60_000)

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@pytest.fixture(scope="package")
def launch(chromium):
    """A function that starts a Chromium with more arguments; it is closed at the end."""
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *more])


@pytest.fixture(scope="package")
def browser(launch):
    """A Chromium."""
    browser = launch()
    yield browser
    browser.close()
