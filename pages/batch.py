"""Batch: many recordings at once, answered one by one and listed."""

import streamlit as st

from coughlab.serving import predictors
from coughlab.studies.store import StoreError
from pages.components import connection
from pages.sections.batch import asking, listing
from pages.shared.study import only_default

PAGE = {"title": "Batch", "icon": ":material/library_music:", "group": "Listen", "order": 13}

st.title("Many recordings at once")
only_default()
st.markdown(
    "For research and teaching. **Not a medical device: no answer on this page is a diagnosis.** Each recording is listened"
    " to for coughs, and where there are any the models are asked, as on the page *Analyse a cough*."
)
try:
    predictor = predictors.default()
    asking.ask(predictor.study.task)
    # Earlier results are hidden as soon as new files arrive.
    place = st.empty()
    batch = asking.answered(place, predictor)
    if batch is not None:
        with place.container(key=connection.KEPT):
            listing.show(batch, predictor.study, predictor.names)
except StoreError as error:
    st.error(str(error), icon=":material/error:")
with st.expander("The same from the command line"):
    st.code(
        "coughlab batch FOLDER --out answers.jsonl\ncoughlab batch FOLDER --out answers.jsonl --csv answers.csv",
        language="bash",
    )
    st.markdown(
        "It takes all recordings in a folder and its subfolders, however many, and nothing leaves your computer. Stopped, it goes"
        " on where it was; run again, it answers what is new or has changed. The exit status is 1 when a recording could not be"
        " answered, 0 when all were."
    )
