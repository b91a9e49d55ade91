"""What can be taken away from the page "Live", and the end of it.

A file goes to the browser through the component that has the buttons, which saves it. Streamlit's own download buttons lay it
onto the server for the browser to fetch, and forget it at the second run of any fragment after that: here a seventh of a second
later, which is too soon for a browser that is busy or far away.
"""

import base64
import time
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
KEY = "live exports"

_buttons = st.components.v2.component(
    "coughlab_live_exports",
    html=(HERE / "exports.html").read_text(),
    css=(HERE / "exports.css").read_text(),
    js=(HERE / "exports.js").read_text() + (HERE.parent / "drawing.js").read_text(),
)


def show(ear):
    """Show the buttons for what a listener has heard."""
    with st.container(horizontal=True):
        with st.container(width="content"):
            _files(ear)
        st.button(
            "Clear", icon=":material/delete:", on_click=ear.clear, help="Forgets all coughs and their sound."
        )


@st.fragment
def _files(ear):
    _buttons(data=_asked_for(ear), key=KEY, width="content", on_wanted_change=lambda: None)


def _asked_for(ear):
    """The file that somebody wants, None most of the time."""
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
        # Tells the same file, which comes again whenever the page is drawn, from one that is wanted again.
        "when": time.time(),
    }
