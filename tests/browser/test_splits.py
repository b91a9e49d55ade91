"""Many splits in a real Chromium: retraining shows progress, ends when the page is left, and works for two people at once."""

import time
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

from coughlab.evaluation import comparison
from coughlab.serving import predictors

MINUTES = 300_000


@pytest.fixture
def visit(browser, app):
    """A function that opens a view of the page by its link in a new session."""
    contexts = []

    def open_page(link):
        context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 1600})
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(f"{app}/splits?{link}")
        expect(page.get_by_role("heading", name="Many splits")).to_be_visible(timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


def train(page):
    page.get_by_role("button", name="Train", exact=False).click()


def downloaded(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="↓ CSV").first.click()
    return pd.read_csv(download.value.path())


def stored(model, n):
    study = predictors.default().study
    table = study.metrics[study.metrics["protocol"] == "published"]
    return comparison.wide(table, model).head(n)


def test_two_people_retrain_at_once_and_see_the_stored_splits_beside_theirs(visit):
    mlp = visit("view=retrain&train=6")
    train(mlp)
    expect(mlp.get_by_text("Starting …")).to_be_visible()
    other = visit("view=retrain&model=knn&train=3")
    train(other)
    # Results arrive in groups of four.
    expect(mlp.get_by_text("splits of 6 done").first).to_be_visible(timeout=MINUTES)
    for page, n in ((other, 3), (mlp, 6)):
        expect(page.get_by_text(f"All {n} splits are done.")).to_be_visible(timeout=MINUTES)
    expect(other.get_by_text("3 of the 3 splits that are stored too")).to_be_visible(timeout=60_000)
    pd.testing.assert_frame_equal(downloaded(other), stored("knn", 3), check_dtype=False)
    expect(mlp.get_by_text("trained one by one with Keras")).to_be_visible(timeout=60_000)
    results = downloaded(mlp)
    split_columns = ["split", "positives_test", "negatives_test"]
    pd.testing.assert_frame_equal(results[split_columns], stored("mlp", 6)[split_columns], check_dtype=False)


def children():
    """Command lines of the running training processes on this machine."""
    lines = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"coughlab.studies.retrain" in line and b'"seed": 4711' in line:
            lines.add(path.parent.name)
    return lines


def wait(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)


@pytest.mark.parametrize("how", ["cancel", "leave"])
def test_a_training_ends_when_it_is_cancelled_and_when_its_visitor_leaves(visit, how):
    page = visit("view=retrain&model=forest&train=200&seed=4711")
    train(page)
    wait(lambda: len(children()) == 1)
    if how == "cancel":
        expect(page.get_by_text("splits of 200 done")).to_be_visible(timeout=MINUTES)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Cancelled after")).to_be_visible()
    else:
        page.context.close()
    wait(lambda: not children())


def test_a_link_restores_the_view(visit):
    page = visit("view=few")
    page.get_by_text("All splits", exact=True).click()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="Decision tree").click()
    expect(page.get_by_text("the same Decision tree")).to_be_visible()
    sentence = page.get_by_text("the same Decision tree").inner_text()
    again = visit(page.url.partition("?")[2])
    expect(again.get_by_text("the same Decision tree")).to_have_text(sentence)


@pytest.mark.parametrize(
    ("view", "last"),
    [
        ("few", "Measured on"),
        ("many", "Measured on"),
        ("pair", "Measured on"),
        ("retrain", "Share of test rows"),
    ],
)
def test_every_view_fits_a_phone(visit, view, last):
    page = visit(f"view={view}&model=knn")
    page.set_viewport_size({"width": 390, "height": 900})
    expect(page.get_by_text(last)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # A table that is wider than its card would cover the next one.
    widths = "tables => tables.map(table => table.scrollWidth - table.parentElement.clientWidth)"
    assert max(page.locator("[data-testid=stMarkdown] table").evaluate_all(widths), default=0) <= 0
