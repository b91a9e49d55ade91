"""A link to a page, opened before anybody has visited the app."""

import pytest
from playwright.sync_api import expect

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
    expect(page).to_have_title("CoughLab")
    others = page.get_by_role("link")
    expect(others.filter(has_text="Analyse a cough")).to_be_visible()
    expect(others.filter(has_text="Many splits")).to_be_visible()
    page.close()
