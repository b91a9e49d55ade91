"""The downloads of the page "Live", and the button that clears it.

A file is sent to the browser through the component with the buttons, which saves it. Streamlit's own download buttons store it on
the server for the browser to fetch, and delete it at the second following run of any fragment: here after a seventh of a second,
which is too soon for a slow or distant browser.
"""

import base64
import time
from pathlib import Path

import streamlit as st

from pages.components import connection
from pages.components.code import SHARED, joined

HERE = Path(__file__).parent
KEY = "live exports"

_buttons = st.components.v2.component(
    "coughlab_live_exports",
    html=(HERE / "exports.html").read_text(),
    css=(HERE / "exports.css").read_text(),
    js=joined(HERE / "exports.js", SHARED / "drawing.js"),
)


def show(ear, is_open):
    """Show the buttons for a listener's coughs."""
    # While the microphone is open the page is drawn again by itself, and keeps nothing from before.
    with st.container(horizontal=True, key=connection.KEPT if ear.total and not is_open else None):
        with st.container(width="content"):
            _files(ear)
        st.button(
            "Clear", icon=":material/delete:", on_click=ear.clear, help="Forgets all coughs and their sound."
        )


@st.fragment
def _files(ear):
    _buttons(data=_asked_for(ear), key=KEY, width="content", on_wanted_change=lambda: None)


def _asked_for(ear):
    """The requested file; None most of the time."""
    wanted = st.session_state.get(KEY, {}).get("wanted")
    if wanted is None:
        return None
    name, kind, content = {
        "list": ("coughs.csv", "text/csv", lambda: ear.csv().encode()),
        "sound": ("coughs.zip", "application/zip", ear.archive),
    }[wanted]
    return {
        "name": name,
        "type": kind,
        "content": base64.b64encode(content()).decode(),
        # Distinguishes the same file, which is sent again whenever the page is drawn, from a new request for it.
        "when": time.time(),
    }
