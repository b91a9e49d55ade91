"""The app in a real Chromium, whose microphone plays a WAV file."""

import json

import httpx
import pytest
from playwright.sync_api import expect

from coughlab.audio import synthetic
from tests import sounds
from tests.browser.conftest import playing

ANSWERED = "Says: "


@pytest.fixture(scope="module")
def browser(launch, tmp_path_factory):
    """A Chromium whose microphone plays a WAV file."""
    microphone = tmp_path_factory.mktemp("microphone") / "coughs.wav"
    microphone.write_bytes(synthetic.sample())
    browser = launch(*playing(microphone))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, app):
    context = browser.new_context(permissions=["microphone"], accept_downloads=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(app)
    expect(page.get_by_role("heading", name="Analyse a cough")).to_be_visible(timeout=60_000)
    yield page
    own = (app, app.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []
    context.close()


def downloaded(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the whole result as JSON").click()
    return json.loads(download.value.path().read_text())


def test_a_recording_made_in_the_browser_is_answered(page):
    page.get_by_role("button", name="Record", exact=True).click()
    # The recorder shows the recorded time; this is long enough for two of the coughs.
    expect(page.get_by_test_id("stAudioInputWaveformTimeCode")).to_have_text("00:03", timeout=60_000)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text(ANSWERED).first).to_be_visible(timeout=60_000)
    assert page.get_by_text(ANSWERED).count() == 3
    answer = downloaded(page)
    assert answer["audio"]["sample_rate"] == synthetic.RATE  # of the file that the microphone plays
    assert len(answer["events"]) >= 2
    probability = answer["models"]["mlp"]["probability"]
    shown = page.get_by_text(ANSWERED).first.inner_text()
    assert shown.partition("Probability of COVID: ")[2] in (
        f"{probability:.1%}",
        "under 0.1%",
        "over 99.9%",
    )


def test_an_uploaded_webm_gets_the_answer_of_the_api(page, app):
    data = sounds.FORMATS["webm opus"]()
    upload = {"name": "phone.wav", "mimeType": "audio/wav", "buffer": data}
    page.locator("input[type=file]").set_input_files(upload)
    expect(page.get_by_text(ANSWERED).first).to_be_visible(timeout=60_000)
    answer = downloaded(page)
    del answer["features"]
    assert answer == httpx.post(f"{app}/api/v1/predict", files={"file": data}, timeout=60).json()
    assert answer["audio"]["codec"] == "opus"


def test_without_a_cough_there_is_no_answer_unless_it_is_forced(page):
    noise = sounds.with_soundfile("WAV", samples=sounds.OTHERS["faint noise"])
    upload = {"name": "room.wav", "mimeType": "audio/wav", "buffer": noise}
    page.locator("input[type=file]").set_input_files(upload)
    heading = page.get_by_role("heading", name="I hear no cough in this recording")
    expect(heading).to_be_visible(timeout=60_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(1, timeout=60_000)
    assert page.get_by_text(ANSWERED).count() == 0
    assert downloaded(page)["label"] is None
    page.get_by_text("Ask the models anyway").click()
    expect(page.get_by_text(ANSWERED)).to_have_count(3, timeout=60_000)
    expect(heading).to_be_visible()
    assert downloaded(page)["label"] in ("covid", "not_covid")


def test_any_cough_of_the_list_can_be_heard(page):
    page.get_by_role("button", name="Try a sample").click()
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Cough 1, with")).to_be_visible()
    first = page.get_by_test_id("stAudio").last.get_attribute("src")
    # The checkbox at the left edge of the second row; the table is drawn on a canvas with rows of 35 pixels.
    table.click(position={"x": 15, "y": 35 * 2.5})
    expect(page.get_by_text("Cough 2, with")).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stAudio").last).not_to_have_attribute("src", first)


def test_a_renamed_text_file_gets_a_sentence(page):
    upload = {"name": "cough.wav", "mimeType": "audio/wav", "buffer": b"Dear Sir or Madam,\n" * 50}
    page.locator("input[type=file]").set_input_files(upload)
    alert = page.get_by_test_id("stAlertContentError")
    expect(alert).to_contain_text("not a sound file", timeout=60_000)
    assert "Traceback" not in page.content()
    assert page.get_by_test_id("stException").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_the_sample_fits_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="Try a sample").click()
    expect(page.get_by_text("Download the whole result")).to_be_visible(timeout=60_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(2, timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
