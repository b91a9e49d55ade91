"""Pages that stay open while the server is restarted, and while only the connection is lost, in a real Chromium."""

import re
import signal
import subprocess

import httpx
import pytest
from playwright.sync_api import expect

from coughlab.audio import synthetic
from tests import servers
from tests.browser.conftest import playing
from tests.browser.microphone import button
from tests.conftest import ROOT

COUGHS = synthetic.sample()


def ready(page):
    expect(page.get_by_role("heading").first).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def upload(page, name="earlier.wav"):
    file = {"name": name, "mimeType": "audio/wav", "buffer": COUGHS}
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_test_id("stFileChip").filter(has_text=name)).to_be_visible()
    expect(page.get_by_test_id("stFileChipIconSpinner")).to_have_count(0)


def try_sample(page):
    page.get_by_role("button", name="Try a sample").click()
    expect(page.get_by_text("Download the whole result")).to_be_visible()


def analyse(page):
    upload(page, "later.wav")
    expect(page.get_by_test_id("stText").filter(has_text="later.wav")).to_be_visible()
    expect(page.get_by_text("Says: ")).to_have_count(3)


def answer_all(page):
    upload(page, "later.wav")
    page.get_by_role("button", name="Analyse all").click()
    expect(page.get_by_text("1 file: ")).to_be_visible()


def listen(page):
    button(page, "Open the microphone").click()
    expect(page.locator(".status")).to_have_text("Listening")


def heard_nothing_yet(page):
    expect(page.locator(".status")).to_have_text("Not listening yet")
    listen(page)


def move(page):
    page.get_by_role("slider", name="probability of").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("threshold="))


def press(text, address):
    def act(page):
        page.get_by_test_id("stButtonGroup").get_by_text(text, exact=True).click()
        expect(page).to_have_url(re.compile(address))

    return act


def mark_a_cell(page):
    move(page)
    page.locator("[data-matrix=recall] [data-cell=fp]").click()
    expect(page.get_by_role("heading", name="False positives")).to_be_visible()


def ask_for_a_zip(page):
    page.get_by_role("button", name="Audit", exact=True).click()
    expect(page.get_by_text("Choose a ZIP first.")).to_be_visible()


def go_to_privacy(page):
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Privacy").click()
    expect(page.get_by_role("heading", name="The microphone")).to_be_visible()


#: Pages of each kind (uploads, our own components, choices of Streamlit's, none): their addresses, and what works afterwards.
PAGES = {
    "analyse": ("", analyse),
    "compare": ("compare", press("lowest", "beside=")),
    "matrices": ("matrices", mark_a_cell),
    "explore": ("explore?section=features", press("Source", "colour=")),
    "audit": ("audit?study=own", ask_for_a_zip),
    "about": ("about", go_to_privacy),
    # The last one: while it listens, all else is slow.
    "live": ("live", heard_nothing_yet),
}
#: Pages with something that would be gone if they were loaded again: what is done before and after the restart.
SHOWN = {"an answer": ("", try_sample, analyse), "files": ("batch", upload, answer_all)}


def start(port):
    process = subprocess.Popen(
        [*servers.APP, "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with httpx.Client(transport=httpx.HTTPTransport(retries=12)) as client:
        client.get(f"http://localhost:{port}/api/v1/health", timeout=60)
    return process


def message(page):
    """What the page says of its connection."""
    return page.locator(".st-key-connection").get_by_role("alert")


@pytest.fixture(scope="module")
def context(launch, tmp_path_factory):
    microphone = tmp_path_factory.mktemp("microphone") / "coughs.wav"
    microphone.write_bytes(synthetic.sample())
    browser = launch("--js-flags=--no-opt --no-maglev", *playing(microphone))
    yield browser.new_context(permissions=["microphone"], viewport={"width": 1280, "height": 900})
    browser.close()


@pytest.fixture(scope="module")
def restarted(context):
    """Pages that are open since before the server was restarted; and what one of them said in between."""
    port = servers.free_port()
    process, pages = start(port), {}
    try:
        for name, (path, act, *_) in (SHOWN | PAGES).items():
            page = pages[name] = context.new_page()
            if name == "about":
                page.clock.install()
            page.goto(f"http://localhost:{port}/{path}")
            ready(page)
            if name in SHOWN:
                act(page)
            elif name == "live":
                listen(page)
            page.evaluate("window.isOld = true")
        process.send_signal(signal.SIGKILL)
        process.wait()
        said = while_it_is_away(pages["about"])
        expect(pages["live"].locator(".status")).to_contain_text("Not listening")
        process = start(port)
        yield pages, said
    finally:
        process.kill()
        process.wait()


def while_it_is_away(page):
    """What a page says, and all that it shows, when Streamlit has tried to connect and then shown its own message."""
    logged = []
    page.on("console", lambda told: logged.append(told.text))
    while not any("Is Streamlit still running?" in text for text in logged):
        page.clock.run_for(1000)
        page.wait_for_timeout(50)
    page.clock.resume()
    return message(page).inner_text(), page.locator("body").inner_text()


def test_without_a_server_a_page_says_so_in_our_words(restarted):
    _, (said, shown) = restarted
    assert said.startswith("The connection to the server is lost.")
    assert "About CoughLab" in shown and "yourscript" not in shown and "Connection error" not in shown


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_loaded_again_after_a_restart_and_works(restarted, name):
    page = restarted[0][name]
    expect(message(page)).to_contain_text("So this page began anew.")
    assert page.evaluate("window.isOld") is None and page.url.endswith(PAGES[name][0])
    ready(page)
    PAGES[name][1](page)
    message(page).get_by_role("button", name="Close").click()
    expect(message(page)).to_be_hidden()
    page.close()


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_that_shows_something_is_left_as_it_is_until_it_is_used(restarted, name):
    page = restarted[0][name]
    expect(message(page)).to_contain_text("what you see can still be read")
    expect(message(page).get_by_role("button", name="Reload the page")).to_be_visible()
    assert page.evaluate("window.isOld")
    SHOWN[name][2](page)
    expect(message(page)).to_contain_text("So this page began anew.")
    assert page.evaluate("window.isOld")


def test_a_page_whose_connection_alone_was_lost_goes_on(context, app):
    page, connections = context.new_page(), []

    def connect(socket):
        connections.append((socket, socket.connect_to_server()))

    page.route_web_socket(re.compile("_stcore/stream"), connect)
    page.goto(f"{app}/matrices")
    slider = page.get_by_role("slider", name="probability of")
    expect(slider).to_be_visible()
    ready(page)
    page.evaluate("window.isOld = true")
    for end in connections.pop():
        end.close(code=1001)
    # What is chosen before the page is connected again counts.
    slider.press("ArrowLeft")
    expect(page).to_have_url(re.compile("threshold=0.49"))
    assert connections and page.evaluate("window.isOld")
    expect(message(page)).to_be_hidden()
