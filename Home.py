"""The app: the API's routes and the pages, in one process. Start it with ``streamlit run Home.py``."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from coughlab.web import api, lifespan, middleware, uploads
from pages.shared import access, sessions

# Until st.navigation is first called, Streamlit would open a link to a page without this file, and so without navigation.
PagesManager.uses_pages_directory = False
uploads.stay_in_memory()

# Streamlit imports this file once for `app`, then runs it as a script for every visitor. Where it knows no apps, the pages do
# without the API.
if __name__ != "__main__" and hasattr(st, "App"):
    app = st.App(
        __file__,
        routes=api.routes,
        middleware=middleware.stack(Path(st.__file__).parent / "static/index.html", sessions.uploads),
        lifespan=lifespan.with_pages(access.secrets, st.get_option("server.address"), sessions.free),
    )

if __name__ == "__main__":
    from coughlab.studies.store import StoreError
    from pages.shared import login, navigation

    # An icon of our own: Streamlit would have the browser fetch its icons for the tab from another host.
    st.set_page_config(
        page_title="CoughLab", page_icon=".streamlit/icon.svg", layout="wide", initial_sidebar_state=240
    )
    st.html(Path("pages/shared/page.css"))
    try:
        login.run(navigation.pages())
    except StoreError as error:
        # A table of a study that was found to be damaged when the page came to read it.
        st.error(str(error), icon=":material/error:")
