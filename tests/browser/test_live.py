"""The page "Live" in a real Chromium, whose microphone plays a WAV file with a known number of coughs and speech between them."""

import base64
import csv
import io
import re
import statistics
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect

from coughlab import audio, detector, live
from coughlab.audio import synthetic
from coughlab.audio.opus import BITRATE
from coughlab.detector.training import sounds
from coughlab.live import cough_log
from tests.browser.microphone import MINUTE, browsers, button

# The file starts with the click, but sound arrives only when the connection is up: a second later, or more on a busy machine.
LEAD = 10.0
ONSETS = tuple(LEAD + onset for onset in (0.0, 2.5, 3.3, 6.9, 9.4, 12.6))
SECONDS = LEAD + 15.0
# Peak of the speech-like sound; coughs have up to 0.6.
SPEECH = 0.3

# The content of an address, in base64.
FETCH = """async (address) => {
    const reader = new FileReader();
    reader.readAsDataURL(await (await fetch(address)).blob());
    await new Promise((resolve) => (reader.onload = resolve));
    return reader.result.split(",")[1];
}"""


# Keeps the connections, in the frame that makes them.
KEEP_CONNECTIONS = """
window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {construct: (kind, options) => {
    const connection = new kind(...options);
    (window.connections ??= []).push(connection);
    return connection;
}});
"""
# How connections send: the bit rate, and what the server asked for.
SENT = """async () => {
    const reports = await Promise.all((window.connections ?? []).map((connection) => connection.getStats()));
    return reports.flatMap((report) => [...report.values()]
        .filter((stats) => stats.type === "outbound-rtp")
        .map((stats) => [stats.targetBitrate, report.get(stats.codecId).sdpFmtpLine]));
}"""


def coughs_between_speech(onsets=ONSETS, seconds=SECONDS, seed=5):
    """Samples with coughs at known times and speech-like sound in all pauses of at least a second."""
    y = synthetic.recording(onsets_s=onsets, duration_s=seconds, seed=seed)
    pauses = zip((0.0, *(onset + 0.4 for onset in onsets)), (*onsets, seconds), strict=True)
    for k, (start, end) in enumerate(pauses):
        if end - start > 1:
            speech = sounds.speech(seed=seed + k, duration_s=end - start - 0.5, peak=SPEECH)
            first = round((start + 0.25) * synthetic.RATE)
            y[first : first + speech.size] += speech
    return y


@pytest.fixture(scope="module")
def visit(launch, app, tmp_path_factory):
    with browsers(launch, app, tmp_path_factory) as open_page:
        yield open_page


def listen(page):
    button(page, "Open the microphone").click()
    expect(page.locator(".status")).to_have_text("Listening", timeout=MINUTE)


def wait_for(page, seconds):
    """Wait until the page has listened for that time."""
    pattern = re.compile(rf"^\d+:({'|'.join(f'{s:02}' for s in range(int(seconds), 60))})$")
    expect(page.locator(".heard")).to_have_text(pattern, timeout=2 * MINUTE)


def total(page):
    return page.locator(".total")


def downloaded(page, name, file):
    button = page.get_by_role("button", name=name)
    button.focus()
    with page.expect_download() as download:
        button.press("Enter")
    assert download.value.suggested_filename == file
    data = download.value.path().read_bytes()
    # A slow browser fetches the file later, while the page continues.
    page.wait_for_timeout(1000)
    assert base64.b64decode(page.evaluate(FETCH, download.value.url)) == data
    return data


@pytest.fixture(scope="module")
def heard(visit):
    """The page after it has listened to the whole sound, and the updates of its picture in that time."""
    page = visit(coughs_between_speech(), script=KEEP_CONNECTIONS)
    page.locator("canvas").evaluate("canvas => { canvas.dataset.same = 'yes'; }")
    listen(page)
    counted = "canvas => [Number(canvas.dataset.drawn), performance.now()]"
    expect(total(page)).to_have_text("1", timeout=MINUTE)
    drawn, then = page.locator("canvas").evaluate(counted)
    wait_for(page, SECONDS)
    drawn_later, now = page.locator("canvas").evaluate(counted)
    return page, 1000 * (drawn_later - drawn) / (now - then)


def test_the_coughs_are_counted_and_their_times_are_right(heard):
    page, _ = heard
    expect(total(page)).to_have_text(str(len(ONSETS)))
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "The list (CSV)", "coughs.csv").decode())))
    assert [int(row["cough"]) for row in rows] == list(range(1, len(ONSETS) + 1))
    starts = np.array([float(row["start_s"]) for row in rows])
    # The start time of the playback is unknown, so times are measured from the first cough.
    assert starts - starts[0] == pytest.approx(np.array(ONSETS) - ONSETS[0], abs=0.2)
    lengths = [float(row["duration_s"]) for row in rows]
    assert lengths == pytest.approx([0.4] * len(ONSETS), abs=0.2)
    shown = page.locator(".coughs > li")
    assert [float(row.get_attribute("data-start")) for row in shown.all()] == list(reversed(starts.tolist()))
    for row, saved in zip(shown.all(), reversed(rows), strict=True):
        assert row.locator(".answers li").count() == 3
        label = {"covid": "COVID", "not_covid": "not COVID"}[saved["mlp_label"]]
        expect(row.locator(".answers li").first).to_have_text(re.compile(rf"^MLP: {label}, "))


def test_the_browser_sends_what_was_measured(heard):
    page, _ = heard
    ((rate, asked),) = (sent for frame in page.frames for sent in frame.evaluate(SENT))
    assert rate == BITRATE
    assert set(asked.split(";")) == {f"maxaveragebitrate={BITRATE}", "stereo=1"}


def test_each_cough_is_marked_within_half_a_second(heard):
    page, _ = heard
    delays = [
        (float(row.get_attribute("data-shown")) - float(row.get_attribute("data-ended"))) / 1000
        for row in page.locator(".coughs > li").all()
    ]
    assert statistics.median(delays) < 0.5


def test_the_picture_is_updated_without_being_rebuilt(heard):
    page, redraws = heard
    assert redraws >= 5
    assert page.locator("canvas").get_attribute("data-same") == "yes"


def test_every_cough_can_be_played_and_downloaded(heard):
    page, _ = heard
    row = page.locator(".coughs > li").nth(1)
    row.get_by_role("button", name="Play cough 5").click()
    expect(row).to_have_attribute("data-played", "1")
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "The sound", "coughs.zip"))) as file:
        names = [name for name in file.namelist() if name.endswith(".wav")]
        assert len(names) == len(ONSETS)
        for name in names:
            recording = audio.load(file.read(name))
            assert recording.rate == live.RATE
            assert len(detector.default().detect(recording).events) == 1


def test_the_page_fits_the_screen(heard):
    page, _ = heard
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for element in page.locator("canvas, .meter, .coughs > li").all():
            box = element.bounding_box()
            assert box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert cough_log.MINUTE == 60  # the number "in the last minute"


def test_stop_resume_and_clear(heard):
    page, _ = heard
    button(page, "Stop").click()
    expect(page.locator(".status")).to_have_text("Stopped")
    expect(total(page)).to_have_text(str(len(ONSETS)))
    # The microphone plays its file again, and the count continues.
    listen(page)
    expect(total(page)).to_have_text(str(len(ONSETS) + 2), timeout=MINUTE)
    assert page.locator(".coughs > li").count() == len(ONSETS) + 2
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".coughs > li")).to_have_count(0)
    expect(page.locator(".status")).to_have_text("Listening")
    expect(total(page)).not_to_have_text("0", timeout=MINUTE)
    button(page, "Stop").click()
    expect(page.locator(".status")).to_have_text("Stopped")


def test_two_sessions_at_once_are_separate(visit):
    # Coughs only: this test is about the separation of sessions, not about the detection.
    one, other = (
        visit(synthetic.recording(onsets_s=[LEAD + at for at in onsets], duration_s=LEAD + 5, seed=seed))
        for seed, onsets in ((11, (0, 2)), (12, (0, 1, 2.5, 3.5)))
    )
    listen(one)
    listen(other)
    for page, n in ((one, 2), (other, 4)):
        wait_for(page, LEAD + 5)
        expect(total(page)).to_have_text(str(n))
