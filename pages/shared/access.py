"""Access control: some actions are only for users named in the secrets, or for users at the computer that runs the app."""

from pathlib import Path

import streamlit as st

from coughlab.web.keys import SecretsError, at_this_machine


def secrets() -> dict:
    """The contents of Streamlit's secrets; empty if there are none, SecretsError if they cannot be read."""
    try:
        return st.secrets.to_dict()
    except (OSError, ValueError) as error:
        # A damaged file must not switch off the login.
        if any(Path(path).exists() for path in st.get_option("secrets.files")):
            raise SecretsError("The server's secrets cannot be read.") from error
        return {}


def trusted() -> bool:
    """Whether this visitor may train here, and hear the recordings on this server.

    With a login: the users named as ``trainer`` under ``[roles]`` in the secrets. Without one: users at this computer.
    """
    try:
        known = secrets()
    except SecretsError:
        return False
    if "auth" not in known:
        return _at_this_computer()
    email = _verified_email()
    return email is not None and email in _trainers(known)


def refusal(what: str) -> str:
    """A message that says who may do something, and how to get access; it begins with `what`."""
    try:
        known = secrets()
    except SecretsError as error:
        return f"{what} is closed: {error}"
    if "auth" not in known:
        return (
            f"{what} is open only on the very computer that runs CoughLab, because this server asks nobody to log in. Whoever"
            " runs it can open it to some people, with a login and a list of their e-mail addresses: sections `[auth]` and"
            " `[roles]` of the server's secrets."
        )
    if st.user.get("email") and _verified_email() is None:
        return f"{what} is only for some people, and your e-mail address is not verified: verify it where you log in."
    return (
        f"{what} is only for some people. Whoever runs this server can add your e-mail address to `trainer` in the section"
        " `[roles]` of its secrets."
    )


def _trainers(known):
    roles = known.get("roles")
    named = roles.get("trainer", []) if isinstance(roles, dict) else []
    return {str(email).strip().casefold() for email in ([named] if isinstance(named, str) else named)}


def _verified_email():
    """The visitor's e-mail address; None if the provider gives none, or if it is not verified."""
    email = st.user.get("email")
    # Providers that give only verified addresses omit this field, and some send it as text.
    verified = str(st.user.get("email_verified", True)).casefold() == "true"
    return email.strip().casefold() if isinstance(email, str) and email.strip() and verified else None


def _at_this_computer():
    return at_this_machine(st.get_option("server.address"), st.context.headers)
