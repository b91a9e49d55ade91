"""Links to pages: the navigation, and addresses that name what a page shows."""

import re

import pytest
from playwright.sync_api import expect

from pages.shared import navigation
from tests.conftest import running_app


@pytest.fixture
def cold_app():
    """Address of a separate app that no browser has opened yet."""
    with running_app() as url:
        yield url


def test_a_link_to_a_page_opens_it_with_the_app_s_navigation(browser, cold_app):
    page = browser.new_page()
    page.goto(f"{cold_app}/about")
    # The page itself, with the tab title and the navigation that only Home.py provides.
    expect(page.get_by_role("heading", name="About")).to_be_visible(timeout=60_000)
    expect(page).to_have_title("About · CoughLab")
    others = page.get_by_role("link")
    expect(others.filter(has_text="Analyse a cough")).to_be_visible()
    expect(others.filter(has_text="Many splits")).to_be_visible()
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_hidden_in_the_navigation(browser, app, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{app}/about")
    expect(page.get_by_role("heading", name="About")).to_be_visible()
    if width < 768:
        page.get_by_test_id("stExpandSidebarButton").click()
    files = sorted(navigation.FOLDER.glob("*.py"))
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links).to_have_count(len(files))
    for path in files:
        link = links.filter(has_text=navigation.facts(path, 0)["title"]).first
        expect(link).to_be_in_viewport(ratio=1)
    page.close()


def shows(page, label, value):
    """Check that a page shows a value in one of its select boxes."""
    box = page.get_by_test_id("stSelectbox").filter(has=page.get_by_text(label, exact=True))
    expect(box.get_by_role("combobox")).to_have_value(value)


def test_the_selection_is_kept_on_the_next_page_and_back(browser, app):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{app}/matrices?study=covid19-cough&model=knn&protocol=external:kaggle-trial&split=all")
    shows(page, "Tested on", "Another dataset: kaggle-trial")
    shows(page, "Model", "Nearest neighbour")
    # Default values are not in the address.
    expect(page).to_have_url(
        re.compile(r"\?study=covid19-cough&model=knn&protocol=external(:|%3A)kaggle-trial$")
    )
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Reality check").click()
    expect(page.get_by_role("heading", name="Reality check").first).to_be_visible()
    shows(page, "Model", "Nearest neighbour")
    for part in ("study=covid19-cough", "model=knn"):
        expect(page).to_have_url(re.compile(rf"/reality\?.*\b{part}\b"))
    page.get_by_role("combobox", name="Metric").click()
    page.get_by_role("option", name="Sensitivity").click()
    expect(page).to_have_url(re.compile("metric=sensitivity"))
    page.go_back()
    expect(page).not_to_have_url(re.compile("metric="))
    shows(page, "Metric", "ROC AUC")
    shows(page, "Dataset", "covid19-cough")
    page.close()


def test_unknown_values_in_an_address_are_reported(browser, app):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{app}/matrices?model=oracle&threshold=high")
    alerts = page.get_by_test_id("stAlert")
    expect(
        alerts.filter(has_text="asks for model=oracle, which is unknown here. Possible: mlp, ")
    ).to_be_visible()
    expect(alerts.filter(has_text="asks for threshold=high, which is unknown here.")).to_be_visible()
    shows(page, "Model", "MLP")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="Decision tree").click()
    expect(page).to_have_url(re.compile("model=tree"))
    expect(alerts.filter(has_text="model=oracle")).to_have_count(0)
    page.close()
