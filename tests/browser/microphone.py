"""The page "Live" in Chromiums whose microphone plays a WAV file."""

import contextlib

from playwright.sync_api import expect

from coughlab import audio
from coughlab.audio import synthetic
from tests.browser.conftest import playing

MINUTE = 60_000


@contextlib.contextmanager
def browsers(launch, app, tmp_path_factory):
    """A function that opens the page in a separate browser whose microphone plays a sound once."""
    started = []

    def open_page(samples, width=1280, script=None, address=app):
        path = tmp_path_factory.mktemp("microphone") / "sound.wav"
        path.write_bytes(audio.encode_wav(samples, synthetic.RATE))
        browser = launch(
            *playing(f"{path}%noloop"),
            "--autoplay-policy=no-user-gesture-required",
        )
        started.append(browser)
        context = browser.new_context(
            permissions=["microphone"], accept_downloads=True, viewport={"width": width, "height": 900}
        )
        context.set_default_timeout(MINUTE)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(f"{address}/live")
        expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible(timeout=MINUTE)
        return page

    yield open_page
    for browser in started:
        browser.close()


def button(page, name):
    """The button in the frame of the microphone component."""
    return page.frame_locator("iframe[title*=webrtc]").get_by_role("button", name=name)
