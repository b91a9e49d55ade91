"""A refused upload shows a message on the page and is accepted later."""

from playwright.sync_api import expect

from coughlab import audio
from coughlab.audio import synthetic
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
