"""Analyse a cough: record, upload or try a sample, and see what the models say of it and of each cough, and how they scored."""

import streamlit as st

from coughlab import audio, detector
from coughlab.audio import synthetic
from coughlab.features import quality
from coughlab.serving import predictors, workers
from coughlab.studies.store import StoreError
from pages.sections import analyse
from pages.shared import evidence

PAGE = {"title": "Analyse a cough", "icon": ":material/graphic_eq:", "group": "Listen", "order": 11}

# The rate of nearly every browser, and no less than any microphone's. Not None, which is meant to keep the browser's own
# rate: with it, the recorder of Streamlit 1.67 records at 16,000 Hz and loses what is above 8,000.
RATE = 48_000


def choose(source):
    """Remember what was chosen last. What a widget gives back is forgotten, for what the other one holds, if anything."""
    # To ask the models anyway is said of one recording.
    st.session_state.pop("force", None)
    held = {name: st.session_state[name] for name in ("recorded", "uploaded") if st.session_state[name]}
    if source != "sample" and source not in held:
        if st.session_state.get("chosen", [None])[0] != source:
            return
        source = next(iter(held), None)
    if source is None:
        del st.session_state.chosen
    elif source == "sample":
        st.session_state.chosen = source, "The synthetic sample", synthetic.sample()
    else:
        title = "Your recording" if source == "recorded" else held[source].name
        st.session_state.chosen = source, title, held[source].getvalue()


def ask():
    record, upload, sample = st.columns(3, gap="medium")
    with record:
        st.audio_input(
            "Record a cough",
            sample_rate=RATE,
            help="Browsers give a page the microphone only over https or on localhost.",
            key="recorded",
            on_change=choose,
            args=("recorded",),
        )
        st.markdown(":small[An arm's length from the microphone, two or three coughs.]")
    with upload:
        st.file_uploader(
            "Or upload a recording",
            max_upload_size=audio.LIMITS.max_bytes // 2**20,
            key="uploaded",
            on_change=choose,
            args=("uploaded",),
        )
        seconds = f"{audio.LIMITS.max_seconds:.0f} seconds"
        st.markdown(f":small[{audio.FORMATS}, up to {seconds}.]")
    with sample:
        st.markdown(":small[Or see how it works first]")
        st.button(
            "Try a sample", icon=":material/play_circle:", on_click=choose, args=("sample",), width="stretch"
        )
        st.markdown(":small[The sample is synthetic: made by a formula, nobody's cough.]")


def ask_also(predictor):
    """The large models to ask as well, where they are present."""
    if not predictor.slow:
        return ()
    titles = {name: predictor.study.models[name]["title"] for name in predictor.slow}
    return st.pills(
        "Ask these too, each takes a second or two",
        predictor.slow,
        format_func=titles.get,
        selection_mode="multi",
        key="also",
    )


def show_features(prediction, study):
    from coughlab.charts import features as chart

    trained = study.features
    st.subheader("Measured features against the training data")
    st.markdown(
        f":small[What MLP and nearest neighbour read: 26 numbers from the first 5 seconds, beside the {len(trained)} rows of"
        f" {study.name} ({trained['person'].nunique()} people). A diamond outside both bars is unlike most of what they saw.]"
    )
    st.plotly_chart(
        chart.figure(prediction.features, trained, prediction.task), config=analyse.PLOT, key="features"
    )
    if st.toggle("Show the same as a table"):
        st.dataframe(
            chart.table(prediction.features, trained, prediction.task), hide_index=True, height="content"
        )


st.title(PAGE["title"])
st.markdown("For research and teaching. **Not a medical device: no answer on this page is a diagnosis.**")
ask()
if "chosen" not in st.session_state:
    st.info(
        "Record, upload or try the sample: what three models make of it appears here.",
        icon=":material/arrow_upward:",
    )
    st.markdown(
        ":small[Recordings are analysed in memory and are not stored: [what is kept, where, and for how long](privacy).]"
    )
    st.stop()
source, title, data = st.session_state.chosen
heading = st.container()
st.text(title)
# The verdict stands above what is asked for it.
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
            options = {"prevalence": evidence.ask_prevalence(), "also": ask_also(predictor)}
    with verdict, st.spinner("Asking the models …"):
        prediction = predictor.predict(recording, cough=cough, force=answered, **options)
except (audio.AudioError, StoreError, workers.WorkerError) as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

with verdict:
    if source == "sample":
        st.info("What the models say of the synthetic sample means nothing.", icon=":material/science:")
    # Where no cough is heard, that box holds them.
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
    show_features(prediction, study)
st.download_button(
    "Download the whole result as JSON",
    prediction.to_json(),
    file_name="coughlab.json",
    mime="application/json",
    icon=":material/download:",
    on_click="ignore",
)
