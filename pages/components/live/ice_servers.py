"""The STUN and TURN servers of the page "Live"."""

import contextlib

import streamlit as st

from coughlab import config
from coughlab.live import connection


def ice_servers() -> list[dict]:
    """The servers named in the environment or the secrets; an invalid setting gives a message, and no servers are used."""
    setting = config.value(connection.SETTING)
    with contextlib.suppress(FileNotFoundError):  # secrets are optional
        setting = setting or st.secrets.get(connection.SETTING)
    try:
        return connection.ice_servers(setting, st.context.url or "")
    except config.SettingError as error:
        st.warning(f"{error} Until then only the local network is tried.", icon=":material/settings:")
        return []
