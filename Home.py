"""The app: the API's routes and the pages in one process. Start it with ``streamlit run Home.py``."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from coughlab.web import api, lifespan, middleware, uploads
from pages.components import connection
from pages.shared import access, sessions

# Before the first call of st.navigation, Streamlit would open a link to a page without running this file, so without navigation.
PagesManager.uses_pages_directory = False
uploads.stay_in_memory()

# Streamlit imports this file once for `app`, then runs it as a script for every visitor. If Streamlit does not support apps,
# there are only the pages, without the API.
if __name__ != "__main__" and hasattr(st, "App"):
    app = st.App(
        __file__,
        routes=[*api.routes, *connection.routes],
        middleware=middleware.stack(Path(st.__file__).parent / "static/index.html", sessions.uploads),
        lifespan=lifespan.with_pages(access.secrets, st.get_option("server.address"), sessions.free),
    )

if __name__ == "__main__":
    from coughlab.studies.store import StoreError
    from pages.shared import login, navigation

    # Our own icon: the browser would load Streamlit's tab icons from another host.
    st.set_page_config(
        page_title="CoughLab", page_icon=".streamlit/icon.svg", layout="wide", initial_sidebar_state=240
    )
    st.html(Path("pages/shared/page.css"))
    connection.watch()
    try:
        login.run(navigation.pages())
    except StoreError as error:
        # A page has read a damaged table of a study.
        st.error(str(error), icon=":material/error:")
