"""Analyse a cough: record, upload or try a sample; the models' answers about it and about each cough, and their scores."""

import streamlit as st

from coughlab import audio, detector
from coughlab.features import quality
from coughlab.serving import predictors, workers
from coughlab.studies.store import StoreError
from pages.components import connection
from pages.sections import analyse
from pages.shared import evidence
from pages.shared.study import only_default

PAGE = {"title": "Analyse a cough", "icon": ":material/graphic_eq:", "group": "Listen", "order": 11}

st.title(PAGE["title"])
only_default()
st.markdown("For research and teaching. **Not a medical device: no answer on this page is a diagnosis.**")
chosen = analyse.ask()
if chosen is None:
    st.info(
        "Record, upload or try the sample: what three models make of it appears here.",
        icon=":material/arrow_upward:",
    )
    st.markdown(
        ":small[Recordings are analysed in memory and are not stored: [what is kept, where, and for how long](privacy).]"
    )
    st.stop()
source, title, data = chosen
heading = st.container()
with st.container(key=connection.KEPT):
    st.text(title)
# The verdict is above its inputs.
verdict, asked = st.container(), st.container()
try:
    with verdict, st.spinner("Listening for coughs …"):
        predictor = predictors.default()
        study = predictor.study
        recording = workers.load(data)
        cough = detector.default().detect(recording)
    answered, options = bool(cough.events), {}
    if not answered:
        with verdict:
            answered = analyse.show_no_cough(cough, quality.check(recording, []))
    if answered:
        heading.subheader("How far to believe the answer")
        with asked:
            options = {"prevalence": evidence.ask_prevalence(study.task), "also": analyse.ask_also(predictor)}
    with verdict, st.spinner("Asking the models …"):
        prediction = predictor.predict(recording, cough=cough, force=answered, **options)
except (audio.AudioError, StoreError, workers.WorkerError) as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

with verdict:
    if source == "sample":
        st.info("What the models say of the synthetic sample means nothing.", icon=":material/science:")
    # If no cough is heard, that box has them.
    for remark in prediction.quality if prediction.events else ():
        st.warning(remark.message, icon=":material/hearing:")
    if answered:
        evidence.show_verdict(prediction)
if answered:
    analyse.show_models(prediction, study)
analyse.show_recording(recording, prediction)
if prediction.events:
    analyse.show_coughs(recording, prediction, study)
if answered:
    analyse.show_features(prediction, study)
st.download_button(
    "Download the whole result as JSON",
    prediction.to_json(),
    file_name="coughlab.json",
    mime="application/json",
    icon=":material/download:",
    on_click="ignore",
)
