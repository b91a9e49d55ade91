"""The servers that help a browser's sound to find the way here."""

import contextlib

import streamlit as st

from coughlab import config
from coughlab.live import connection


def ice_servers() -> list[dict]:
    """The servers that environment or secrets name; a wrong setting is said, and none are used."""
    setting = config.value(connection.SETTING)
    with contextlib.suppress(FileNotFoundError):  # there need not be any secrets
        setting = setting or st.secrets.get(connection.SETTING)
    try:
        return connection.ice_servers(setting, st.context.url or "")
    except config.SettingError as error:
        st.warning(f"{error} Until then only the local network is tried.", icon=":material/settings:")
        return []
