"""The threshold slider in a real Chromium: it shows the numbers that Python computes."""

import csv
import io
import re
import xml.etree.ElementTree as ET

import pytest
from playwright.sync_api import expect

from coughlab.evaluation import confusion, roc
from coughlab.serving import predictors

PNG = b"\x89PNG\r\n\x1a\n"
NAMES = {"tp": "true positives", "fn": "false negatives", "fp": "false positives", "tn": "true negatives"}


@pytest.fixture
def page(browser):
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def open_at(page, app, query):
    page.goto(f"{app}/matrices?{query}")
    expect(slider(page)).to_be_visible(timeout=60_000)


def slider(page):
    return page.get_by_role("slider", name="Predicted COVID from a probability of")


def button(page, matrix, cell):
    return page.locator(f"[data-matrix={matrix}] [data-cell={cell}]")


def rows(model, split):
    predictions = predictors.default().study.predictions
    return predictions.query(
        "model == @model and split == @split and role == 'test' and protocol == 'published'"
    )


def expect_numbers(page, rows, threshold):
    """Check counts, shares and intervals of all twelve cells."""
    for number in confusion.at(rows, [threshold]).itertuples():
        cell = button(page, number.matrix, number.cell)
        expect(cell.locator(".count")).to_have_text(str(number.count))
        if number.of:
            expect(cell.locator(".share")).to_have_text(f"{number.share:.1%}")
            expect(cell.locator(".interval")).to_have_text(f"{number.low:.1%} to {number.high:.1%}")
        expect(cell).to_have_attribute(
            "aria-label", re.compile(f"^{NAMES[number.cell]}: {number.count} of {number.of} ")
        )


def listed(page, key):
    """The recordings that the page lists, read from the downloaded table."""
    with page.expect_download() as download:
        page.locator(f".st-key-{key}-csv").get_by_role("button").click()
    lines = csv.DictReader(io.StringIO(download.value.path().read_text()))
    # A name that a spreadsheet could run as a formula is saved with an apostrophe in front.
    return [line["recording"].removeprefix("'") for line in lines]


def saved(page, within, name):
    with page.expect_download() as download:
        page.locator(within).get_by_role("button", name=name).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_the_slider_moves_all_numbers_and_a_cell_lists_its_recordings(page, app):
    open_at(page, app, "model=mlp&split=1")
    of = rows("mlp", 0)
    expect_numbers(page, of, 0.5)
    slider(page).focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect_numbers(page, of, 0.47)
    page.keyboard.press("Home")
    expect_numbers(page, of, 0.0)
    marks = page.locator("[data-curve=roc] .read").all_text_contents()
    assert marks == ["sensitivity 100.0%", "false positive rate 100.0%", "threshold 0"]
    button(page, "recall", "fp").click()
    expect(page.get_by_role("heading", name="False positives")).to_be_visible()
    expect(page).to_have_url(re.compile("threshold=0&cell=fp"))
    assert (
        listed(page, "mlp-published-kaggle-trial-split-1-test-fp-0-0")
        == confusion.cell(of, 0.0, "fp")["recording"].tolist()
    )

    # The link opens the same view again.
    page.reload()
    expect(slider(page)).to_have_value("0")
    expect_numbers(page, of, 0.0)
    expect(button(page, "confusion", "fp")).to_have_attribute("aria-pressed", "true")
    assert (
        listed(page, "mlp-published-kaggle-trial-split-1-test-fp-0-0")
        == confusion.cell(of, 0.0, "fp")["recording"].tolist()
    )
    button(page, "precision", "fp").click()
    expect(page.get_by_role("heading", name="False positives")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("cell="))


def test_the_thresholds_on_offer(page, app):
    open_at(page, app, "model=mlp&split=2")
    of = rows("mlp", 1)
    page.get_by_role("button", name="Youden's J").click()
    youden = roc.youden(of["positive"], of["probability"])
    expect_numbers(page, of, youden)
    page.get_by_label("Sensitivity at least").select_option("100%")
    kept = roc.keeping_sensitivity(of["positive"], of["probability"], 1.0)
    expect_numbers(page, of, kept)
    expect(button(page, "recall", "tp").locator(".share")).to_have_text("100.0%")
    page.get_by_role("button", name="One half").click()
    expect_numbers(page, of, 0.5)


def test_another_split_keeps_the_threshold_and_the_cell(page, app):
    open_at(page, app, "model=mlp&split=1&threshold=0.123&cell=tn")
    expect_numbers(page, rows("mlp", 0), 0.123)
    page.get_by_role("combobox", name="Split").click()
    page.get_by_role("option", name="2", exact=True).click()
    expect(page.locator("[data-curve=roc]")).to_contain_text("split 2")
    expect_numbers(page, rows("mlp", 1), 0.123)
    expect(button(page, "recall", "tn")).to_have_attribute("aria-pressed", "true")
    for part in ("split=2", "threshold=0.123", "cell=tn"):
        expect(page).to_have_url(re.compile(rf"[?&]{part}(&|$)"))
    assert (
        listed(page, "mlp-published-kaggle-trial-split-2-test-tn-0-123")
        == confusion.cell(rows("mlp", 1), 0.123, "tn")["recording"].tolist()
    )


def test_matrices_and_curves_can_be_downloaded(page, app):
    open_at(page, app, "model=mlp&split=1&threshold=0.25")
    name, table = saved(page, ".matrices", "CSV")
    assert name == "matrices-mlp-published-kaggle-trial-split-1-test.csv"
    expected = confusion.at(rows("mlp", 0), [0.25])
    for line, number in zip(csv.DictReader(io.StringIO(table.decode())), expected.itertuples(), strict=True):
        assert (line["matrix"], line["cell"]) == (number.matrix, number.cell)
        assert [int(line["count"]), int(line["of"])] == [number.count, number.of]
        assert float(line["share"]) == pytest.approx(number.share, abs=1e-5)
    for curve in ("roc", "pr"):
        name, drawing = saved(page, f"[data-curve={curve}]", "SVG")
        assert name == f"{curve}-mlp-published-kaggle-trial-split-1-test.svg"
        texts = [text.text for text in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]
        assert "MLP, split 1, test rows of kaggle-trial" in texts and "threshold 0.25" in texts
        name, picture = saved(page, f"[data-curve={curve}]", "PNG")
        assert name == f"{curve}-mlp-published-kaggle-trial-split-1-test.png" and picture.startswith(PNG)
        assert int.from_bytes(picture[16:20]) == 800


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_the_screen(page, app, width):
    page.set_viewport_size({"width": width, "height": 900})
    open_at(page, app, "model=mlp&split=1&cell=tp")
    expect(page.get_by_role("heading", name="True positives")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for element in page.locator("table, svg, .offers").all():
        box = element.bounding_box()
        assert box is None or box["x"] + box["width"] <= width
