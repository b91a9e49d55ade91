"""The browser of all tests that drive one."""

import pytest
from playwright.sync_api import sync_playwright

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
