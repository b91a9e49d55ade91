"""The page "Privacy", run by Streamlit without a browser."""

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_server_config import AUTH_COOKIE_MAX_AGE_SECONDS

from coughlab.live import connection
from pages.shared import access
from tests.conftest import ROOT


@pytest.fixture
def page(monkeypatch):
    monkeypatch.delenv(connection.SETTING, raising=False)
    return AppTest.from_file(str(ROOT / "pages/privacy.py"), default_timeout=60)


def text_of(page):
    page.run()
    assert not page.exception
    return "\n".join(element.value for element in page.markdown)


def test_the_stated_retention_times_are_those_of_streamlit(page):
    page.secrets["auth"] = {"client_id": "coughlab"}
    text = text_of(page)
    assert f"for {AUTH_COOKIE_MAX_AGE_SECONDS // 86_400} days" in text
    assert f"held for {config.get_option('server.disconnectedSessionTTL') // 60} minutes more" in text
    assert config.get_option("browser.gatherUsageStats") is False


def test_without_a_login_there_is_no_login_cookie(page):
    assert "nobody logs in here" in text_of(page) and "30 days" not in text_of(page)


def test_the_servers_that_the_page_live_contacts_are_named(page, monkeypatch):
    monkeypatch.setattr(type(access.st.context), "url", "http://localhost:8501/privacy")
    assert "asks no other server" in text_of(page) and not page.code
    monkeypatch.setenv(connection.SETTING, connection.EXAMPLE)
    assert "asks no other server" not in text_of(page)
    assert page.code[0].value == "turn:turn.example.org:3478"
    monkeypatch.delenv(connection.SETTING)
    monkeypatch.setattr(type(access.st.context), "url", "https://cough.example.org/privacy")
    text_of(page)
    assert page.code[0].value == connection.PUBLIC[0]["urls"][0]
