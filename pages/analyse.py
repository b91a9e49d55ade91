"""Analyse a cough: record, upload or try a sample, and see what the models say of it and how they scored."""

import streamlit as st

from coughlab import audio, serving, synthetic
from coughlab.charts import LABELS
from coughlab.store import StoreError

PLOT = {"displayModeBar": False}
# The rate of nearly every browser, and no less than any microphone's. Not None, which is meant to keep the browser's own
# rate: with it, the recorder of Streamlit 1.67 records at 16,000 Hz and loses what is above 8,000.
RATE = 48_000


def choose(source):
    st.session_state.source = source


def ask():
    """The widgets: bytes of the chosen recording, or None."""
    record, upload, sample = st.columns(3, gap="medium")
    with record:
        recorded = st.audio_input(
            "Record a cough",
            sample_rate=RATE,
            help="Browsers give a page the microphone only over https or on localhost.",
            on_change=choose,
            args=("recorded",),
        )
        st.caption("An arm's length from the microphone, two or three coughs.")
    with upload:
        uploaded = st.file_uploader(
            "Or upload a recording",
            on_change=choose,
            args=("uploaded",),
        )
        st.caption("WAV, FLAC, OGG, MP3, WebM, M4A, MP4 or 3GP, up to 60 seconds.")
    with sample:
        st.markdown(":small[Or see how it works first]")
        st.button(
            "Try a sample", icon=":material/play_circle:", on_click=choose, args=("sample",), width="stretch"
        )
        st.caption("The sample is synthetic: made by a formula, nobody's cough.")
    chosen = {"recorded": recorded, "uploaded": uploaded}.get(st.session_state.get("source"))
    if st.session_state.get("source") == "sample":
        return synthetic.sample()
    return chosen.getvalue() if chosen else None


def percent(share):
    if share < 0.001:
        return "under 0.1 %"
    return "over 99.9 %" if share > 0.999 else f"{share:.1%}".replace("%", " %")


def show_answers(prediction, study, scores):
    for column, (name, answer) in zip(
        st.columns(len(prediction.models)), prediction.models.items(), strict=True
    ):
        model, score = study.models[name], scores.set_index("model").loc[name]
        with column.container(border=True, height="stretch"):
            final = " · final model of the case study" if name == serving.MAIN_MODEL else ""
            st.markdown(f"**{model['title']}**{final}")
            st.markdown(f"### {LABELS[answer.label]}")
            st.progress(answer.probability, text=f"Probability of COVID: **{percent(answer.probability)}**")
            st.caption(
                f"Called COVID from {answer.threshold:.0%} on. {model['summary']}\n\n"
                f"**How it scored** on {study.name}, random 70/30 splits, mean of {score['splits']}: "
                f"found {measured(score, 'sensitivity')} with COVID, cleared {measured(score, 'specificity')} without."
            )


def measured(score, name):
    return (
        f"{score[name]:.0%} (95 % interval {score[f'{name}_low']:.0%} to {score[f'{name}_high']:.0%}) "
        f"of {score[f'{name}_recordings']} recordings of {score[f'{name}_people']} people"
    )


def counted(number, what):
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def show_recording(recording, prediction):
    from coughlab.charts import recording as chart

    facts = prediction.audio
    st.subheader("The recording")
    st.markdown(
        f"**{counted(len(prediction.events), 'cough')}** found in {facts['duration_s']:.1f} s of {facts['codec']} audio,"
        f" {facts['sample_rate']:,} Hz, {counted(facts['channels'], 'channel')}. They are found by loudness alone:"
        " a slammed door would count too."
    )
    for remark in prediction.quality:
        st.warning(remark.message, icon=":material/hearing:")
    st.audio(audio.encode_wav(recording.samples, recording.rate), format="audio/wav")
    st.plotly_chart(chart.figure(recording, prediction.events), config=PLOT, key="recording")
    st.caption(
        "Above the waveform, below the spectrogram (brighter is louder). Numbered frames: the coughs found."
    )


def show_features(prediction, study, trained):
    from coughlab.charts import features as chart

    st.subheader("Measured features against the training data")
    st.caption(
        f"What MLP and nearest neighbour read: 26 numbers from the first 5 seconds, beside the {len(trained)} rows of"
        f" {study.name} ({trained['person'].nunique()} people). A diamond outside both bars is unlike most of what they saw."
    )
    st.plotly_chart(chart.figure(prediction.features, trained), config=PLOT, key="features")
    if st.toggle("Show the same as a table"):
        st.dataframe(chart.table(prediction.features, trained), hide_index=True)


st.title("Analyse a cough")
st.markdown("For research and teaching. **Not a medical device: no answer on this page is a diagnosis.**")
data = ask()
if data is None:
    st.info(
        "Record, upload or try the sample: what three models make of it appears here.",
        icon=":material/arrow_upward:",
    )
    st.caption("Recordings are analysed in memory and are not stored.")
    st.stop()
try:
    with st.spinner("Analysing the recording …"):
        predictor = serving.default()
        study = predictor.study
        recording = audio.load(data)
        prediction = predictor.predict(recording)
        scores, trained = study.scores, study.features
except (audio.AudioError, StoreError) as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

st.subheader("What the models say")
if st.session_state.source == "sample":
    st.info(
        "This is the synthetic sample. What the models say of it means nothing.", icon=":material/science:"
    )
st.warning(
    "**Do not rely on these answers.** The scores come from random splits of one small dataset"
    f" ({study.manifest['people']} people), in which all recordings labelled COVID come from other collections, at other"
    " sample rates, than the rest. Models like these usually fail on recordings from elsewhere, such as this one.",
    icon=":material/warning:",
)
show_answers(prediction, study, scores)
show_recording(recording, prediction)
show_features(prediction, study, trained)
st.download_button(
    "Download the whole result as JSON",
    prediction.to_json(),
    file_name="coughlab.json",
    mime="application/json",
    icon=":material/download:",
    on_click="ignore",
)
