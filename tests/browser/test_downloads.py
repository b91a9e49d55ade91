"""Downloads of charts and tables from a page, in a real Chromium."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import expect

from coughlab.charts import COLOURS
from coughlab.evaluation import description
from coughlab.serving import predictors

TITLE = "MFCC 1 against Spectral centroid (Hz), a mark a row"


@pytest.fixture
def context(browser):
    # A screen pixel has the size of a PNG pixel.
    context = browser.new_context(accept_downloads=True, color_scheme="light", device_scale_factor=2)
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def page(context, app):
    """The scatter of two features."""
    page = context.new_page()
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{app}/explore?section=features")
    expect(chart(page).locator(".main-svg").first).to_be_visible(timeout=60_000)
    yield page
    own = (app, app.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []


def chart(page):
    return page.get_by_role("figure", name=TITLE).locator(".js-plotly-plot")


def downloaded(page, name, *, by_keyboard=False):
    button = page.get_by_role("button", name=name)
    with page.expect_download() as download:
        if by_keyboard:
            button.focus()
            page.keyboard.press("Enter")
        else:
            button.click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def share(picture, colour):
    """Share of the pixels that have a colour such as "#0072b2"."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=int)
    wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return (np.abs(pixels - wanted).max(axis=2) <= 8).mean()


def test_a_chart_as_png_is_the_picture_on_the_screen_in_twice_its_pixels(page):
    box = chart(page).bounding_box()
    shown = chart(page).screenshot()
    name, png = downloaded(page, f'Download "{TITLE}" as PNG')
    assert name == "two-features.png"
    width, height = Image.open(io.BytesIO(png)).size
    assert (width, height) == pytest.approx((2 * box["width"], 2 * box["height"]), abs=4)
    for colour in COLOURS["positive"], COLOURS["negative"], "#ffffff":
        assert share(png, colour) == pytest.approx(share(shown, colour), rel=0.1)


def test_a_chart_as_svg_has_its_titles_and_a_mark_a_row(page, context, tmp_path):
    shown = chart(page).screenshot()
    name, svg = downloaded(page, f'Download "{TITLE}" as SVG', by_keyboard=True)
    assert name == "two-features.svg"
    root = ET.fromstring(svg)
    texts = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Spectral centroid (Hz)", "MFCC 1", "COVID (19 rows)"} <= texts
    points = [e for e in root.iter("{http://www.w3.org/2000/svg}g") if e.get("class") == "points"]
    assert sum(len(group) for group in points) == len(predictors.default().study.features)
    # The SVG does not depend on the page: any program can show it.
    (tmp_path / name).write_bytes(svg)
    viewer = context.new_page()
    viewer.set_viewport_size({"width": int(root.get("width")), "height": int(root.get("height"))})
    viewer.goto((tmp_path / name).as_uri())
    picture = viewer.screenshot()
    for colour in COLOURS["positive"], COLOURS["negative"], "#ffffff":
        assert share(picture, colour) == pytest.approx(share(shown, colour), rel=0.1)


def test_what_is_hidden_is_not_downloaded(page):
    chart(page).locator(".legendtoggle").nth(1).click()
    expect(chart(page).locator(".scatterlayer .trace")).to_have_count(1, timeout=60_000)
    _, png = downloaded(page, f'Download "{TITLE}" as PNG')
    assert share(png, COLOURS["negative"]) > 0.0005
    # The mark in the legend stays, but is pale.
    assert share(png, COLOURS["positive"]) < 0.0001


def test_heatmaps_are_in_the_svg(kaggle_trial, page, app):
    page.goto(f"{app}/explore?section=recording&recording=cov1.wav")
    title = "MFCC and chroma of cov1.wav over time"
    expect(page.get_by_role("figure", name=title).locator("image")).to_have_count(2, timeout=60_000)
    name, svg = downloaded(page, f'Download "{title}" as SVG')
    assert name == "cov1-mfcc-chroma.svg"
    pictures = list(ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}image"))
    links = [picture.get("{http://www.w3.org/1999/xlink}href") for picture in pictures]
    assert [link.partition(",")[0] for link in links] == ["data:image/png;base64"] * 2


def test_a_table_as_csv_is_the_table(page, app):
    page.goto(f"{app}/explore?section=feature&feature=mfcc3")
    name, csv = downloaded(page, "↓ CSV")
    assert name == "mfcc3-by-class.csv"
    read = pd.read_csv(io.BytesIO(csv), index_col="label").rename(index={"not COVID": False, "COVID": True})
    summary = description.summary(predictors.default().study.features, "mfcc3")
    pd.testing.assert_frame_equal(read, summary, check_names=False)


def click_on_point(page, k):
    """Click at mark `k` of the last group; the layer above all marks receives the click."""
    layer = chart(page).locator(".nsewdrag")
    point = chart(page).locator(".scatterlayer .trace").last.locator(".point").nth(k)
    mark, area = (
        place.evaluate("element => element.getBoundingClientRect().toJSON()") for place in (point, layer)
    )
    x, y = (mark[side] + mark[size] / 2 - area[side] for side, size in (("x", "width"), ("y", "height")))
    layer.click(position={"x": x, "y": y})


def test_a_click_on_a_point_chooses_its_recording_and_the_address_keeps_it(page):
    features = predictors.default().study.features
    covid = features.loc[features["label"] == "covid", "recording"].tolist()
    field = page.get_by_role("combobox", name="Recording")
    for k in (2, 3, 2):
        click_on_point(page, k)
        expect(field).to_have_value(covid[k], timeout=60_000)
        expect(page.get_by_text("Labelled COVID")).to_be_visible(timeout=60_000)
    page.goto(page.url)
    expect(field).to_have_value(covid[2], timeout=60_000)
