"""Logging in through a real OpenID Connect provider, in a real Chromium."""

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from playwright.sync_api import expect

from tests import provider
from tests.conftest import ROOT, running_app

SECRET, COOKIE_SECRET = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
COOKIE, DAY_S = "_streamlit_user", 86_400


class Provider:
    """A provider that can be stopped and started again."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://localhost:{self.port}/.well-known/openid-configuration"

    @contextlib.contextmanager
    def running(self, app, secret=SECRET):
        """The provider of an app that has this client secret."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.provider", str(self.port), f"{app}/oauth2callback", secret],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not self._answers():
                assert process.poll() is None, "the provider did not start"
                time.sleep(0.1)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()

    def _answers(self):
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(self.address).is_success
        return False


@pytest.fixture(scope="module")
def known():
    """The provider that the app is configured with."""
    return Provider()


@pytest.fixture(scope="module")
def app(known, tmp_path_factory):
    """Address of an app that requires a login."""
    file = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    file.write_text(
        f"""
        [auth]
        redirect_uri = "http://localhost:{{port}}/oauth2callback"
        cookie_secret = "{COOKIE_SECRET}"
        client_id = "{provider.CLIENT}"
        client_secret = "{SECRET}"
        server_metadata_url = "{known.address}"
        [roles]
        trainer = ["tina@example.org"]
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMLIT_SECRETS_FILES", str(file))
        with running_app() as url:
            yield url


@pytest.fixture
def answering(known, app):
    """The provider in its running state."""
    with known.running(app):
        yield


@pytest.fixture
def page(browser):
    context = browser.new_context()
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def log_in(page, app, user):
    page.goto(app)
    button(page, "Log in").click()
    page.get_by_label("Login").fill(user)
    page.keyboard.press("Enter")
    page.locator("input[type=password]").fill(provider.PASSWORD)
    page.keyboard.press("Enter")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def sees_only_the_card(page):
    expect(button(page, "Log in")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading")).to_have_text(["CoughLab"])
    expect(page.get_by_role("link").filter(has_text=re.compile("Analyse|About|splits"))).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(1)


def sees_the_app(page):
    expect(page.get_by_role("heading", name="Analyse a cough")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("path", ["/", "/splits?view=retrain", "/audit"])
def test_without_a_login_only_the_card_is_visible(page, app, path):
    page.goto(app + path)
    sees_only_the_card(page)


def test_a_trainer_logs_in_trains_and_logs_out(answering, page, app):
    log_in(page, app, "tina")
    sees_the_app(page)
    page.goto(f"{app}/splits?view=retrain&model=knn&train=2")
    button(page, "Train").click()
    expect(page.get_by_text("All 2 splits are done.")).to_be_visible(timeout=60_000)
    button(page, "Tina Trainer").click()
    expect(page.get_by_text("Tina@Example.org")).to_be_visible()
    button(page, "Log out").click()
    sees_only_the_card(page)
    assert COOKIE not in [cookie["name"] for cookie in page.context.cookies()]
    page.goto(f"{app}/splits?view=retrain")
    sees_only_the_card(page)


def test_another_user_logs_in_and_cannot_train(answering, page, app):
    log_in(page, app, "vera")
    sees_the_app(page)
    # A user's name is not interpreted as markup.
    expect(button(page, provider.PEOPLE["vera"][0])).to_be_visible()
    page.goto(f"{app}/splits?view=retrain")
    expect(page.get_by_text("Training here is only for some people.")).to_be_visible(timeout=60_000)
    expect(button(page, "Train")).to_have_count(0)


def cookie(app, *, secret=COOKIE_SECRET, age_s=0):
    """The login cookie of a trainer, signed with a secret some time ago."""
    content = {"email": "tina@example.org", "name": "Tina", "origin": app, "is_logged_in": True}

    class Signer(TimestampSigner):
        def get_timestamp(self):
            return int(time.time()) - age_s

    made = URLSafeTimedSerializer(secret, salt=COOKIE, signer=Signer).dumps(
        json.dumps(content | {"provider": "default"})
    )
    return {"name": COOKIE, "value": made, "url": app}


@pytest.mark.parametrize(
    ("options", "sees"),
    [
        # The valid case shows that the other cases are refused for the intended reason.
        ({}, sees_the_app),
        ({"secret": secrets.token_urlsafe(32)}, sees_only_the_card),
        ({"secret": ""}, sees_only_the_card),
        ({"age_s": 32 * DAY_S}, sees_only_the_card),
    ],
    ids=["genuine", "forged", "forged without a secret", "expired"],
)
def test_only_a_genuine_cookie_of_this_month_is_accepted(page, app, options, sees):
    page.context.add_cookies([cookie(app, **options)])
    page.goto(app)
    sees(page)


def test_a_cookie_of_another_app_is_refused(page, app):
    genuine = cookie(app)
    page.context.add_cookies([genuine | {"value": cookie("https://another.example.org")["value"]}])
    page.goto(app)
    sees_only_the_card(page)


def test_a_provider_that_does_not_answer_is_reported(page, app):
    page.goto(app)
    button(page, "Log in").click()
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("The service that people log in with does not answer.", timeout=60_000)
    assert page.url.startswith(app) and "Traceback" not in page.content()
    sees_only_the_card(page)


def test_a_provider_that_refuses_the_app_is_reported(known, page, app):
    with known.running(app, secret="another secret"):
        log_in(page, app, "tina")
        expect(page.get_by_text("You came back without being logged in.")).to_be_visible(timeout=60_000)
    assert re.fullmatch(f"{app}/?", page.url)
    sees_only_the_card(page)
