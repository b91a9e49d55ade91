"""The login: any OpenID Connect provider that the secrets name, before any page is run."""

import re
import time

import streamlit as st
from streamlit.errors import Error
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

from pages.shared import access
from pages.shared.text import literal

WHAT = (
    "CoughLab shows what published cough classifiers say of a recording, and how far that can be believed. For research and"
    " teaching, **not a medical device**."
)
#: The settings of a provider.
PROVIDER = ("client_id", "client_secret", "server_metadata_url")
#: With the secret that signs the cookies, an attacker could be any user, so it has to be long.
SECRET_LENGTH = 32
PATIENCE_S = 5
#: If a user returns from the provider within this many seconds without being logged in, the login has failed.
AWAY_S = 600
MOST_AWAY = 1000


def run(pages: dict[str, list[StreamlitPage]]) -> None:
    """Run the requested page; if a login is set up, only for logged-in users."""
    try:
        auth = access.secrets().get("auth")
    except access.SecretsError as error:
        # The allowed users are not known, so access is refused.
        st.navigation(pages, position="hidden")
        with _card():
            _say_wrong(str(error))
        return
    if auth is None:
        _open(pages).run()
    elif st.user.get("is_logged_in"):
        page = _open(pages)
        _show_person()
        page.run()
    else:
        st.navigation(pages, position="hidden")
        with _card():
            _ask(auth)


def _open(pages):
    """Run the requested page, with the navigation and the title of the browser's tab."""
    page = st.navigation(pages, position="sidebar", expanded=True)
    st.set_page_config(page_title=f"{page.title} · CoughLab")
    return page


def _card():
    with st.container(horizontal_alignment="center"):
        card = st.container(border=True, width=480, gap="medium")
    card.title("CoughLab")
    card.markdown(WHAT)
    return card


def _say_wrong(why):
    st.error(
        f"**Nobody can log in at present.** {why} Whoever runs this server can mend it.",
        icon=":material/build:",
    )


def _ask(auth):
    """Show a button for each provider, or the problem with it."""
    if why := problem(auth):
        _say_wrong(f"In the section `[auth]` of the server's secrets {why}.")
        return
    away = _away()
    when, session = away.get(_browser(), (0.0, None))
    if session not in (None, _session()) and time.monotonic() - when < AWAY_S:
        st.warning(
            "You came back without being logged in. If that was not your wish and happens again, tell its operator:"
            " its log says why.",
            icon=":material/undo:",
        )
    named = providers(auth)
    for name, settings in named.items():
        label = "Log in" if len(named) == 1 else f"Log in with {literal(name)}"
        if not st.button(
            label, type="primary", icon=":material/login:", width="stretch", key=f"login {name}"
        ):
            continue
        with st.spinner("Asking the login …"):
            why = unreachable(settings["server_metadata_url"])
        if why:
            _say_wrong(why)
            continue
        away.pop(_browser(), None)
        away[_browser()] = time.monotonic(), _session()
        while len(away) > MOST_AWAY:
            del away[next(iter(away))]
        try:
            st.login(None if settings is auth else name)
        except Error as error:
            _say_wrong("The login's settings are not as they must be:")
            st.text(str(error))


def providers(auth: dict) -> dict[str, dict]:
    """The settings of each provider by its name; one without a name is "default", with the settings of the section itself."""
    named = {key: held for key, held in auth.items() if isinstance(held, dict) and key != "client_kwargs"}
    return named or {"default": auth}


def problem(auth: object) -> str | None:
    """The problem with the section ``[auth]`` of the secrets: part of a sentence, without the values of the settings."""
    if not isinstance(auth, dict):
        return "there is nothing"
    wanted = [("redirect_uri", auth), ("cookie_secret", auth)]
    wanted += [(key, settings) for settings in providers(auth).values() for key in PROVIDER]
    for key, settings in wanted:
        if not isinstance(settings.get(key), str) or not settings[key].strip():
            return f"`{key}` is missing"
    if not re.fullmatch(r"https?://[^/\s]+/(\S+/)?oauth2callback", auth["redirect_uri"]):
        return "`redirect_uri` is not this app's address followed by `/oauth2callback`"
    if len(auth["cookie_secret"]) < SECRET_LENGTH:
        return f"`cookie_secret` has fewer than {SECRET_LENGTH} characters"
    return None


def unreachable(address: str) -> str | None:
    """Why a provider with its metadata at this address cannot be used; None if it can."""
    import httpx

    try:
        answer = httpx.get(address, timeout=PATIENCE_S, follow_redirects=True)
        if answer.is_success and "authorization_endpoint" in answer.json():
            return None
    except (httpx.HTTPError, httpx.InvalidURL):
        return "The service that people log in with does not answer."
    except (ValueError, TypeError):
        pass
    return "At the address `server_metadata_url` in the server's secrets there is no login service."


@st.cache_resource(show_spinner=False)
def _away():
    """By browser: time and session of the redirect to the provider."""
    return {}


def _browser():
    """An identifier of this browser; None if there is none."""
    # The token against cross-site requests; its cookie is written again at each visit.
    return decode_xsrf_token_string(st.context.cookies.get("_streamlit_xsrf", ""))[0]


def _session():
    return get_script_run_ctx().session_id


def _show_person():
    """Show the logged-in user and the logout button."""
    _away().pop(_browser(), None)
    name, email = (st.user.get(key) for key in ("name", "email"))
    with (
        st.container(horizontal_alignment="right"),
        st.popover(literal(name or email or "Logged in"), icon=":material/account_circle:", type="tertiary"),
    ):
        st.text("\n".join(dict.fromkeys(filter(None, ("Logged in as", name, email)))))
        if access.trusted():
            st.markdown(":small[You may train models here.]")
        if st.button("Log out", icon=":material/logout:", width="stretch"):
            st.logout()
