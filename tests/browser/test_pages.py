"""Every page, in a real Chromium: what it asks of other computers and of the visitor's own."""

import pytest
from playwright.sync_api import expect

from tests.conftest import ROOT

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
#: Notes when a page asks for the microphone or a camera, in each of its frames.
NOTED = """
const ask = navigator.mediaDevices?.getUserMedia;
if (ask) navigator.mediaDevices.getUserMedia = (...what) => {
    console.warn("asks for the microphone");
    return ask.apply(navigator.mediaDevices, what);
};
"""


@pytest.fixture(scope="module")
def visit(browser, app):
    """A function that opens a page: what it requested, and what it said to the console."""
    context = browser.new_context()
    context.add_init_script(NOTED)
    page, requested, said = context.new_page(), [], []
    context.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    def visit(path):
        requested.clear()
        said.clear()
        page.goto(f"{app}/{path}")
        expect(page.get_by_role("heading").first).to_be_visible(timeout=60_000)
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        page.wait_for_load_state("networkidle")
        return list(requested), list(said)

    yield visit
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_other_computer_and_not_for_the_microphone(visit, app, name):
    requested, said = visit("" if name == "analyse" else name)
    assert requested
    own = (app, app.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []
    assert [text for text in said if "asks for the microphone" in text] == []
    # Nor would the page's policy have had to stop it.
    assert [text for text in said if "Content Security Policy" in text] == []
