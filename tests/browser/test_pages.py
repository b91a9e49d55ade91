"""Every page in a real Chromium: it requests nothing from other computers and does not ask for the microphone."""

import pytest
from playwright.sync_api import expect

from tests.conftest import ROOT

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
#: Logs requests of a page for the microphone or a camera, in each of its frames.
NOTED = """
const ask = navigator.mediaDevices?.getUserMedia;
if (ask) navigator.mediaDevices.getUserMedia = (...what) => {
    console.warn("asks for the microphone");
    return ask.apply(navigator.mediaDevices, what);
};
"""


@pytest.fixture(scope="module")
def visit(browser, app):
    """A function that opens a page and returns its requests and its console messages."""
    context = browser.new_context()
    context.add_init_script(NOTED)
    page, requested, messages = context.new_page(), [], []
    context.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))

    def visit(path):
        requested.clear()
        messages.clear()
        page.goto(f"{app}/{path}")
        expect(page.get_by_role("heading").first).to_be_visible(timeout=60_000)
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        page.wait_for_load_state("networkidle")
        return list(requested), list(messages)

    yield visit
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_other_computer_and_not_for_the_microphone(visit, app, name):
    requested, messages = visit("" if name == "analyse" else name)
    assert requested
    own = (app, app.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []
    assert [text for text in messages if "asks for the microphone" in text] == []
    # The page's Content Security Policy did not have to block anything either.
    assert [text for text in messages if "Content Security Policy" in text] == []
