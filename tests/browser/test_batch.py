"""Many recordings at once, in a real Chromium."""

import io
import json

import pandas as pd
import pytest
from playwright.sync_api import expect

from tests import sounds
from tests.audio.test_archive import zipped

WAV = sounds.FORMATS["wav 16-bit"]()


@pytest.fixture
def page(browser, app):
    context = browser.new_context(accept_downloads=True, viewport={"width": 390, "height": 844})
    context.set_default_timeout(60_000)
    page = context.new_page()
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{app}/batch")
    expect(page.get_by_role("button", name="Analyse all")).to_be_visible(timeout=60_000)
    yield page
    own = (app, app.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []
    context.close()


def hand_over(page, *files):
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    )
    expect(page.get_by_test_id("stFileChipName")).to_have_count(len(files), timeout=60_000)
    expect(page.get_by_test_id("stFileChipIconSpinner")).to_have_count(0, timeout=60_000)
    page.get_by_role("button", name="Analyse all").click()


def downloaded(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return download.value.path().read_bytes()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_files_and_a_zip_are_listed_and_downloaded_on_a_phone(page):
    zip_file = zipped(("ward/x.webm", sounds.FORMATS["webm opus"]()), ("ward/notes.txt", b"Dear Sir"))
    hand_over(page, ("c.wav", WAV), ("letter.wav", b"Dear Sir"), ("c.wav", WAV), ("ward.zip", zip_file))
    expect(page.get_by_text("4 files: ")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("1 could not be read")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    assert fits(page)
    table = pd.read_csv(io.BytesIO(downloaded(page, "CSV of all 4")))
    assert table["file"].tolist() == ["c.wav", "letter.wav", "c.wav (2)", "ward.zip/x.webm"]
    assert table["status"].tolist() == ["ok", "error", "ok", "ok"]
    answers = json.loads(downloaded(page, "JSON of all 4"))
    assert [answer["file"] for answer in answers] == table["file"].tolist()
    # The checkbox of the first row, below the header.
    frame = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(frame["x"] + 15, frame["y"] + 35 + 17)
    expect(page.get_by_role("heading", name="The marked recording")).to_be_visible(timeout=60_000)
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=60_000)
    expect(page.locator("audio")).to_have_count(1)
    assert fits(page)
    page.get_by_test_id("stButtonGroup").get_by_text("Errors 1").click()
    expect(page.get_by_role("button", name="CSV of the 1 shown")).to_be_visible(timeout=60_000)
    shown = pd.read_csv(io.BytesIO(downloaded(page, "CSV of the 1 shown")))
    assert shown["file"].tolist() == ["letter.wav"]


def test_cancel_ends_the_work_and_keeps_what_was_answered(page):
    hand_over(page, *((f"{n:03}.wav", WAV) for n in range(100)))
    expect(page.get_by_text("Recordings: ")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    stopped = page.get_by_text("Stopped: ")
    expect(stopped).to_be_visible(timeout=60_000)
    done = int(stopped.inner_text().removeprefix("Stopped: ").partition(" ")[0])
    assert done < 100
    page.get_by_role("button", name="Go on with the rest").click()
    expect(page.get_by_text("100 files: ")).to_be_visible(timeout=60_000)
    expect(stopped).to_have_count(0)
