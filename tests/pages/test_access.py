"""The access rights of users, run by Streamlit without a browser."""

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from coughlab.audio import synthetic
from coughlab.serving import predictors
from pages.shared import access, login
from tests.conftest import ROOT
from tests.recordings import kaggle_trial_tree

AUTH = {
    "redirect_uri": "https://cough.example.org/oauth2callback",
    "cookie_secret": "0123456789abcdef" * 2,
    "client_id": "coughlab",
    "client_secret": "secret",
    "server_metadata_url": "https://login.example.org/.well-known/openid-configuration",
}
ROLES = {"trainer": ["Tina@Example.org"]}


def asks():
    import streamlit as st

    from pages.shared import access

    st.text(access.trusted())
    st.text(access.refusal("This"))


def asking():
    return AppTest.from_function(asks)


def retraining():
    page = AppTest.from_file(str(ROOT / "pages/splits.py"), default_timeout=60)
    page.session_state["view"], page.session_state["model"] = "retrain", "knn"
    return page


@pytest.fixture
def visit(monkeypatch):
    """Run a page as a user, with secrets, the data of the login, and the headers of the browser."""

    def visit(page, secrets=None, user=None, headers=None):
        for name, content in (secrets or {}).items():
            page.secrets[name] = content
        monkeypatch.setattr(access.st, "user", user or {})
        monkeypatch.setattr(type(access.st.context), "headers", headers or {})
        return page.run()

    return visit


def answer(page):
    assert not page.exception
    return page.text[0].value == "True", page.text[1].value


@pytest.mark.parametrize(
    ("user", "allowed", "why"),
    [
        ({"email": "tina@example.org"}, True, ""),
        ({"email": " TINA@EXAMPLE.ORG", "email_verified": True}, True, ""),
        ({"email": "tina@example.org", "email_verified": "true"}, True, ""),
        ({"email": "tina@example.org", "email_verified": False}, False, "is not verified"),
        ({"email": "tina@example.org", "email_verified": "false"}, False, "is not verified"),
        ({"email": "tina@example.org", "email_verified": None}, False, "is not verified"),
        ({"email": "vera@example.org"}, False, "can add your e-mail address"),
        ({"email": ""}, False, "can add your e-mail address"),
        ({"name": "tina@example.org"}, False, "can add your e-mail address"),
        ({"email": ["tina@example.org"]}, False, "is not verified"),
    ],
)
def test_with_a_login_a_verified_address_that_is_named_is_trusted(visit, user, allowed, why):
    trusted, sentence = answer(visit(asking(), {"auth": AUTH, "roles": ROLES}, user))
    assert trusted is allowed
    assert why in sentence and sentence.startswith("This is only for some people")


@pytest.mark.parametrize("roles", [{}, {"trainer": []}, {"trainer": ""}, "tina@example.org", None])
def test_with_a_login_and_no_named_user_no_user_is_trusted(visit, roles):
    secrets = {"auth": AUTH} | ({"roles": roles} if roles is not None else {})
    trusted, _ = answer(visit(asking(), secrets, {"email": "tina@example.org"}))
    assert not trusted


def test_an_empty_section_is_a_login_too(visit):
    assert not answer(visit(asking(), {"auth": {}}))[0]


@pytest.mark.parametrize(
    ("address", "headers", "allowed"),
    [
        ("localhost", {"Host": "localhost:8501", "Origin": "http://localhost:8501"}, True),
        ("127.0.0.1", {"Host": "127.0.0.1:8501", "Origin": "http://127.0.0.1:8501"}, True),
        ("::1", {"Host": "[::1]:8501", "Origin": "http://[::1]:8501"}, True),
        (None, {"Host": "localhost:8501", "Origin": "http://localhost:8501"}, False),
        ("0.0.0.0", {"Host": "localhost:8501", "Origin": "http://localhost:8501"}, False),
        # Behind a proxy that runs on this computer.
        ("localhost", {"Host": "cough.example.org", "Origin": "https://cough.example.org"}, False),
        ("localhost", {"Host": "localhost:8501", "Origin": "https://cough.example.org"}, False),
        ("localhost", {"Host": "localhost:8501", "X-Forwarded-For": "192.0.2.1"}, False),
        ("localhost", {"Host": "localhost:8501", "Via": "2.0 Caddy"}, False),
    ],
)
def test_without_a_login_a_user_at_this_computer_is_trusted(visit, address, headers, allowed):
    config.set_option("server.address", address)
    trusted, sentence = answer(visit(asking(), headers=headers))
    assert trusted is allowed
    assert "`[auth]`" in sentence and "`[roles]`" in sentence


def test_secrets_that_cannot_be_read_give_no_access(visit, tmp_path, monkeypatch):
    (tmp_path / "secrets.toml").write_text("[auth\n")
    monkeypatch.chdir(tmp_path)
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    try:
        trusted, sentence = answer(visit(asking()))
    finally:
        config.set_option("secrets.files", before)
    assert not trusted and "cannot be read" in sentence


def test_an_untrusted_user_cannot_train(visit):
    page = visit(retraining(), {"auth": AUTH, "roles": ROLES}, {"email": "vera@example.org"})
    assert not page.exception
    assert page.info[0].value.startswith("Training here is only for some people")
    assert not [button for button in page.button if button.label == "Train"]
    page = visit(retraining(), {"auth": AUTH, "roles": ROLES}, {"email": "tina@example.org"})
    assert [button for button in page.button if button.label == "Train"]


def test_a_user_who_loses_the_role_between_two_runs_cannot_train(visit, monkeypatch):
    page = visit(retraining(), {"auth": AUTH, "roles": ROLES}, {"email": "tina@example.org"})
    press = next(button for button in page.button if button.label == "Train")
    monkeypatch.setattr(access.st, "user", {"email": "vera@example.org"})
    press.click().run()
    assert not page.exception and "job" not in page.session_state
    assert page.info[0].value.startswith("Training here is only for some people")


def test_an_untrusted_user_cannot_play_the_recordings_on_the_server(visit, tmp_path, monkeypatch):
    name = predictors.default().study.features["recording"].iloc[0]
    listed = f'file_properties,class\n"{name}",covid'
    kaggle_trial_tree(tmp_path / "kaggle-trial", {name: synthetic.recording(rate=16_000)}, listed=listed)
    monkeypatch.setenv("COUGHLAB_DATA", str(tmp_path))
    for address, players in (("localhost", 1), ("0.0.0.0", 0)):
        config.set_option("server.address", address)
        page = AppTest.from_file(str(ROOT / "pages/explore.py"), default_timeout=60)
        page.session_state["section"], page.session_state["recording"] = "recording", name
        visit(page)
        assert not page.exception and not page.error
        assert len(page.get("audio")) == players
    assert page.info[0].value.startswith("To see and hear the recordings on this server is open only")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        *(({key: value}, f"`{key}` is missing") for key in AUTH for value in ("", None, 5)),
        ({"redirect_uri": "https://cough.example.org/"}, "`redirect_uri` is not"),
        ({"redirect_uri": "cough.example.org/oauth2callback"}, "`redirect_uri` is not"),
        ({"cookie_secret": "xxx"}, "`cookie_secret` has fewer than 32"),
    ],
)
def test_errors_in_the_settings_are_reported_without_secret_values(change, why):
    problem = login.problem(AUTH | change)
    assert why in problem and "xxx" not in problem


def test_complete_settings_have_no_problem():
    assert login.problem(AUTH) is None
    assert login.problem(AUTH | {"client_kwargs": {"prompt": "login"}}) is None
    shared = {key: AUTH[key] for key in ("redirect_uri", "cookie_secret")}
    own = {key: AUTH[key] for key in login.PROVIDER}
    assert login.problem(shared | {"hospital": own, "university": own}) is None
    assert list(login.providers(shared | {"hospital": own, "university": own})) == ["hospital", "university"]
    assert login.problem(shared | {"hospital": own, "university": {}}) == "`client_id` is missing"
    assert login.problem("no section") == "there is nothing"
