"""The app: the API's routes and the pages, in one process. Start it with ``streamlit run Home.py``."""

import streamlit as st

from coughlab import api

app = st.App(__file__, routes=api.routes, lifespan=api.lifespan)

# Streamlit imports this file once for `app`, then runs it as a script for every visitor.
if __name__ == "__main__":
    # An icon of our own: Streamlit would have the browser fetch its icons for the tab from another host.
    st.set_page_config(page_title="CoughLab", page_icon=".streamlit/icon.svg", layout="wide")
    pages = [
        st.Page("pages/analyse.py", title="Analyse a cough", icon=":material/graphic_eq:", default=True),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ]
    st.navigation(pages, position="top").run()
