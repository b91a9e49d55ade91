"""Live: the open microphone, with each cough as it occurs."""

import streamlit as st

from coughlab.serving import predictors
from coughlab.studies.store import StoreError
from pages.sections import live
from pages.shared.study import only_default

PAGE = {"title": "Live", "icon": ":material/mic:", "group": "Listen", "order": 12}

st.title(PAGE["title"])
only_default()
st.markdown("For research and teaching. **Not a medical device: no answer on this page is a diagnosis.**")
try:
    predictor = predictors.default()
except StoreError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
ear = live.listener()
live.show_verdict(predictor)
if live.show_address():
    from pages.components.live import exports, microphone, view

    st.markdown(
        "Open the microphone and leave the page open: it marks every cough and says what the models make of it. A cough played"
        " aloud while it listens is heard as a new one."
    )
    try:
        is_open = microphone.show(ear, predictor)
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    with st.container():
        if st.session_state.setdefault("trouble", False):
            live.show_trouble(ear)
    view.show(ear, predictor, is_open)
    exports.show(ear, is_open)
    st.markdown(
        ":small[The sound is worked on in this server's memory and is never stored: it is gone when you close the page. The sound"
        " of the newest coughs, three minutes in all, is kept there until then, so that it can be played and downloaded.]"
    )
live.show_others(predictor)
