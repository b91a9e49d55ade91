"""Uploads to a page in a real Chromium: files in turn, and a file that is refused and accepted later."""

from playwright.sync_api import expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from coughlab import audio
from coughlab.audio import synthetic
from tests import sounds
from tests.fuzz.server import Server
from tests.web.test_page_uploads import MEGABYTE, sending

WORDS = "element => getComputedStyle(element, '::after').content"


def test_a_file_without_room_is_reported_and_accepted_later(browser):
    data = audio.encode_wav(synthetic.recording(duration_s=50.0, rate=48_000), 48_000)
    assert len(data) > 3 * MEGABYTE
    file = {"name": "cough.wav", "mimeType": "audio/wav", "buffer": data}
    with Server(COUGHLAB_PAGES_MB="100") as server:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.url)
        uploader = page.get_by_test_id("stFileUploader")
        with sending(server, 98 * MEGABYTE) as (connection, rest):
            connection.sendall(rest[:MEGABYTE])
            uploader.locator("input[type=file]").set_input_files(file)
            expect(page.get_by_test_id("stFileChip")).to_have_attribute(
                "aria-invalid", "true", timeout=60_000
            )
            assert "was not taken" in uploader.evaluate(WORDS)
        page.get_by_role("button", name="Remove cough.wav").click()
        expect(page.get_by_test_id("stFileChip")).to_have_count(0)
        assert uploader.evaluate(WORDS) == "none"
        uploader.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_text("Says: ").first).to_be_visible(timeout=60_000)
        context.close()


def test_files_in_turn_are_each_answered(browser, app):
    """A browser once forgot a message that the server had sent before and then only named: the page ended with an error."""
    # Without a cough, so that no model is asked.
    files = [
        {
            "name": f"{name}.wav",
            "mimeType": "audio/wav",
            "buffer": sounds.with_soundfile("WAV", samples=samples),
        }
        for name, samples in sounds.OTHERS.items()
        if name in ("faint noise", "a quiet hum")
    ]
    named = []

    def read(frame):
        message = ForwardMsg()
        message.ParseFromString(frame)
        named.append(message.ref_hash)

    page = browser.new_page()
    page.on("websocket", lambda socket: socket.on("framereceived", read))
    page.goto(app)
    for file in files * 6:
        page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
        expect(page.get_by_test_id("stText").filter(has_text=file["name"])).to_be_visible()
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-connection-state", "CONNECTED")
    # A quicker or slower browser would not have forgotten it; so no message is only named.
    assert named and not any(named)
    page.close()
