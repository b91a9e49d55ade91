"""The page "Live" where the microphone cannot be heard live. Unlike those of `test_live`, these tests may run beside others."""

import pytest
from playwright.sync_api import expect

from coughlab.audio import synthetic
from pages.components.live.microphone import PATIENCE_S
from tests.browser.microphone import MINUTE, browsers, button


@pytest.fixture
def visit(launch, app, tmp_path_factory):
    with browsers(launch, app, tmp_path_factory) as open_page:
        yield open_page


def test_without_a_connection_the_recorder_is_used(visit):
    # The browser never accepts the server's session description.
    deaf = "RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => {});"
    page = visit(synthetic.recording(onsets_s=(1.0, 2.0, 3.0), duration_s=30.0), script=deaf)
    button(page, "Open the microphone").click()
    expect(page.get_by_text(f"No sound arrived within {PATIENCE_S} seconds.")).to_be_visible(timeout=MINUTE)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_test_id("stAudioInputWaveformTimeCode")).to_have_text("00:05", timeout=MINUTE)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text("3 coughs found in this recording.")).to_be_visible(timeout=MINUTE)
    expect(page.locator(".total")).to_have_text("3")
    expect(page.locator(".coughs > li")).to_have_count(3)


def test_at_an_address_without_microphone_the_page_says_so_first(launch, app):
    browser = launch("--host-resolver-rules=MAP 10.1.2.3 127.0.0.1")
    page = browser.new_page()
    page.goto(app.replace("localhost", "10.1.2.3") + "/live")
    expect(page.get_by_text("The browser will refuse the microphone at this address.")).to_be_visible(
        timeout=MINUTE
    )
    assert page.evaluate("navigator.mediaDevices") is None  # the browser would have refused
    assert page.locator("iframe[title*=webrtc]").count() == 0
    browser.close()
