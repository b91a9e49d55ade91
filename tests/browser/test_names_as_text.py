"""Uploaded names are shown literally, without markup, and do not run in a spreadsheet; in a real Chromium."""

import pandas as pd
import pytest
from playwright.sync_api import expect

from coughlab.audio import synthetic
from tests import sounds
from tests.audio.test_archive import zipped

#: Markdown, Streamlit's own markup, HTML for browsers and for charts, and mathematics.
NASTY = "**bold** <img src=x onerror=alert(1)> <b>b</b> :red[r] :star: [l](http:x) `c` $x^2$ &lt; _u_ ~~s~~ www.example.org"
#: The same without the characters that separate parts of a path.
NAME, ZIP, TXT = (NASTY.replace("/", "|") + ending for ending in (".wav", ".zip", ".txt"))
#: Elements that would exist if any of it were interpreted as markup.
MADE = ", ".join(
    [
        'img[src="x"]',
        ".katex",
        'a[href*="http:x"]',
        'a[href*="example.org"]',
        "del",
        'code:text-is("c")',
        'em:text-is("u")',
        'strong:text-is("bold")',
        'strong:text-is("patient")',
    ]
)
WAV = sounds.FORMATS["wav 16-bit"]()


@pytest.fixture
def page(browser, app):
    context = browser.new_context(viewport={"width": 1280, "height": 2000})
    context.set_default_timeout(20_000)
    page = context.new_page()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    yield page
    expect(page.locator(MADE)).to_have_count(0)
    expect(page.get_by_test_id("stIconEmoji")).to_have_count(0)
    # A star, if its name was interpreted; "r" alone, if it was coloured.
    assert "⭐" not in page.content() and page.get_by_text("r", exact=True).count() == 0
    assert asked == []
    context.close()


def hand_over(page, *files):
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    )


def uploaded(page, number):
    expect(page.get_by_test_id("stFileChipName")).to_have_count(number)
    expect(page.get_by_test_id("stFileChipIconSpinner")).to_have_count(0)


def shows(page, text):
    expect(page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=60_000)


def cells(page, number=0):
    """The texts of a table: it is drawn on a canvas, with the same texts beside it for screen readers."""
    found = page.get_by_test_id("stDataFrame").nth(number).locator("[role=gridcell]")
    expect(found.first).to_be_attached()
    return found.all_text_contents()


def test_a_recording_s_name(page, app):
    page.goto(app)
    hand_over(page, (NAME, WAV))
    expect(page.get_by_test_id("stText").get_by_text(NAME)).to_be_visible(timeout=60_000)
    shows(page, "The recording")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()


def test_names_in_a_batch(page, app):
    page.goto(f"{app}/batch")
    data = zipped((NAME, WAV), ("x" + NAME, b"Dear Sir"), (TXT, b"Dear Sir"))
    hand_over(page, (ZIP, data), (f"no{ZIP}", b"no ZIP"))
    uploaded(page, 2)
    page.get_by_role("button", name="Analyse all").click()
    shows(page, f"no{ZIP}: ")
    shows(
        page,
        f"Left out, as they are no recordings: {ZIP}/{TXT}",
    )
    names = [f"{ZIP}/{name}" for name in (NAME, "x" + NAME)]
    assert set(names) <= set(cells(page))
    frame = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(frame["x"] + 15, frame["y"] + 35 + 17)
    expect(page.get_by_test_id("stText").get_by_text(names[0])).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()


def test_tables_are_downloaded_only_where_nothing_in_them_runs(page, app):
    page.goto(f"{app}/batch")
    hand_over(page, (f"=1+1{NAME}", WAV), (f"@x{NAME}", b"Dear Sir"))
    uploaded(page, 2)
    page.get_by_role("button", name="Analyse all").click()
    button = page.get_by_role("button", name="CSV of all 2")
    expect(button).to_be_visible()
    with page.expect_download() as download:
        button.click()
    read = pd.read_csv(download.value.path(), keep_default_na=False)
    assert read["file"].tolist() == [f"'=1+1{NAME}", f"'@x{NAME}"]
    # Streamlit's own download would write them unchanged.
    page.get_by_test_id("stDataFrame").hover()
    toolbar = page.get_by_test_id("stElementToolbar").filter(has=page.get_by_label("Fullscreen"))
    expect(toolbar.get_by_role("button", name="Search").first).to_be_visible()
    assert page.locator('button[aria-label^="Download as CSV"]').count() > 0
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)


def test_names_labels_people_sources_and_columns_in_a_dataset(page, app):
    # Any other header would not be recognised as a column of people.
    headings = [f"file {NASTY}", f"label {NASTY}", "**patient** `number` [id](name)", f"source {NASTY}"]
    rows, entries = [",".join(f'"{heading}"' for heading in headings)], []
    for number in range(12):
        label, name = ("one", "other")[number % 2] + NASTY, f"{number}{NAME}"
        rows.append(",".join(f'"{text}"' for text in (name, label, f"{number // 2}{NASTY}", f"s{NASTY}")))
        samples = synthetic.recording(onsets_s=(0.1 + 0.02 * (number // 4),), duration_s=0.6, rate=16_000)
        entries.append((name, sounds.with_soundfile("WAV", rate=16_000, samples=samples)))
    rows += [f'"gone{NAME}","one{NASTY}",p,s', f'"unlabelled{NAME}","",p,s']
    entries += [("list.csv", "\n".join(rows).encode()), (f"unlabelled{NAME}", WAV)]
    page.goto(f"{app}/audit?study=own")
    hand_over(page, (ZIP, zipped(*entries)))
    uploaded(page, 1)
    page.get_by_role("button", name="Audit", exact=True).click()
    shows(page, "Findings, the worst first")
    shows(page, f"one{NASTY}")
    for heading in headings:
        shows(page, f"from the column “{heading}”")
    shows(page, f"s{NASTY}")
    for examples in page.get_by_text("Examples", exact=True).all():
        examples.click()
    shows(page, f"gone{NAME}")
    expect(page.get_by_test_id("stCode").get_by_text(f"0{NAME}").first).to_be_visible()
    assert f"unlabelled{NAME}" in cells(page)
