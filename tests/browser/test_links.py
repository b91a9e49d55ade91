"""Links to pages: the navigation, and addresses that name what a page shows."""

import pytest
from playwright.sync_api import expect

from pages.shared import navigation
from tests.conftest import running_app


@pytest.fixture
def cold_app():
    """Address of an app of our own that nobody has opened yet."""
    with running_app() as url:
        yield url


def test_a_link_to_a_page_opens_it_with_the_app_s_navigation(browser, cold_app):
    page = browser.new_page()
    page.goto(f"{cold_app}/about")
    # The page itself, with the title of the tab and the other pages, which only Home.py gives it.
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
