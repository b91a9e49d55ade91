"""The parts of the page "Analyse a cough": the recording, the models' answers, the coughs, and the message without a cough."""

import streamlit as st

from coughlab import audio, detector
from coughlab.audio import synthetic
from coughlab.detector.training import card
from coughlab.evidence import verdict
from coughlab.serving import predictors
from coughlab.text import counted, percent
from pages.shared import evidence
from pages.shared.table import show_table

# The rate of nearly every browser, and at least that of any microphone. Not None, which should keep the browser's own rate: with
# it, the recorder of Streamlit 1.67 records at 16,000 Hz and loses everything above 8,000 Hz.
RATE = 48_000
PLOT = {"displayModeBar": False}
COLUMNS = {
    "Start": st.column_config.NumberColumn(format="%.2f s"),
    "End": st.column_config.NumberColumn(format="%.2f s"),
}


def show_no_cough(cough, remarks):
    """Show that no cough is heard, what is heard instead and what to do. Returns whether to run the models anyway."""
    # The detector decides whether there is only noise.
    heard = " ".join([cough.heard.message, *(one.message for one in remarks if one.code != "noisy")])
    st.warning(
        f"## I hear no cough in this recording\n\n**What I hear instead:** {heard}\n\n"
        "The models know nothing but coughs. Record again: two or three coughs, an arm's length from the microphone.",
        icon=":material/hearing_disabled:",
    )
    return st.toggle(
        "Ask the models anyway",
        key="force",
        help="They answer whatever they hear, speech or a slammed door too. Such an answer means nothing.",
    )


def show_models(prediction, study):
    """Each model's answer about the whole recording."""
    st.subheader("What the models say")
    columns = []
    for name, answered in prediction.models.items():
        columns = columns or list(st.columns(3))
        with columns.pop(0).container(border=True, height="stretch"):
            evidence.show_answer(name, answered, prediction.evidence[name], study)


def show_recording(recording, prediction):
    """The recording: its sound, and its picture with the coughs numbered."""
    from coughlab.charts import recording as chart

    facts = prediction.audio
    st.subheader("The recording")
    found = f"**{counted(len(prediction.events), 'cough')}** found in " if prediction.events else ""
    st.markdown(
        f"{found}{facts['duration_s']:.1f} s of {facts['codec']} audio, {facts['sample_rate']:,} Hz,"
        f" {counted(facts['channels'], 'channel')}."
    )
    st.audio(audio.encode_wav(recording.samples, recording.rate), format="audio/wav")
    st.plotly_chart(chart.figure(recording, prediction.events), config=PLOT, key="recording")
    frames = " Numbered frames: the coughs." if prediction.events else ""
    st.markdown(f":small[Above the waveform, below the spectrogram (brighter is louder).{frames}]")


@st.fragment
def show_coughs(recording, prediction, study):
    """Each cough: time, probability, the models' answers about it alone, and its sound."""
    st.subheader("Each cough alone")
    titles = {name: study.models[name]["title"] for name in prediction.models if prediction.votes(name)}
    st.markdown(
        "\n".join(
            f"- **{title}.** {verdict.agreement(prediction.votes(name), prediction.models[name].label, prediction.task)}"
            for name, title in titles.items()
        )
    )
    st.markdown(
        "The models were trained on whole recordings, not on single coughs, and that a model agrees with itself is no proof"
        " that it is right."
    )
    state = show_table(
        table(prediction, titles),
        "coughs",
        # The selection belongs to one list of coughs; another list starts without one.
        key=f"coughs {hash(tuple(prediction.events))}",
        column_config=COLUMNS,
        on_select="rerun",
        selection_mode="single-row-required",
    )
    st.markdown(
        ":small[Percentages: how probable the detector holds it that this is a cough, and each model that it is a cough of"
        f" somebody with {prediction.task.condition}. {card.line(detector.stored())}]"
    )
    marked = state.selection.rows[0]
    one = predictors.cut(recording, prediction.events[marked])
    others = " Mark another line at its left edge to hear that cough." if len(prediction.events) > 1 else ""
    st.markdown(
        f"**Cough {marked + 1}**, with {predictors.MARGIN_S} s before and after it, as the models were given it.{others}"
    )
    st.audio(audio.encode_wav(one.samples, one.rate), format="audio/wav")


def table(prediction, titles):
    """One row per cough, numbered as in the picture."""
    import pandas as pd

    return pd.DataFrame(
        {
            "Cough": number,
            "Start": event.start_s,
            "End": event.end_s,
            "Is a cough": percent(event.probability),
        }
        | {
            titles[name]: f"{prediction.task.title(answer.label)} ({percent(answer.probability)})"
            for name, answer in answers.items()
        }
        for number, (event, answers) in enumerate(
            zip(prediction.events, prediction.each, strict=True), start=1
        )
    )


def latest(files, sample):
    """The source of the latest choice, which is one of `files` or "sample"; None if there is none.

    When the chosen file is removed, the other one, if any, is used.
    """
    ids = {name: file.file_id for name, file in files.items() if file}
    # Not in a callback: Streamlit calls none for the first value of a visit, which an earlier visit's page may have sent.
    before, source = st.session_state.get("chosen", ({}, None))
    new = [name for name in ids if ids[name] != before.get(name)]
    if sample or new:
        source = "sample" if sample else new[0]
        # The choice to run the models anyway applies to one recording only.
        st.session_state.pop("force", None)
    elif source != "sample" and source not in ids:
        source = next(iter(ids), None)
        st.session_state.pop("force", None)
    st.session_state.chosen = ids, source
    return source


def ask():
    """The chosen recording: its source, its title and its bytes; None if there is none."""
    record, upload, sample = st.columns(3, gap="medium")
    with record:
        recorded = st.audio_input(
            "Record a cough",
            sample_rate=RATE,
            help="Browsers give a page the microphone only over https or on localhost.",
            key="recorded",
        )
        st.markdown(":small[An arm's length from the microphone, two or three coughs.]")
    with upload:
        uploaded = st.file_uploader(
            "Or upload a recording",
            max_upload_size=audio.LIMITS.max_bytes // 2**20,
            key="uploaded",
        )
        seconds = f"{audio.LIMITS.max_seconds:.0f} seconds"
        st.markdown(f":small[{audio.FORMATS}, up to {seconds}.]")
    with sample:
        st.markdown(":small[Or see how it works first]")
        sample = st.button("Try a sample", icon=":material/play_circle:", width="stretch")
        st.markdown(":small[The sample is synthetic: made by a formula, not a person's cough.]")
    match latest({"recorded": recorded, "uploaded": uploaded}, sample):
        case "sample":
            return "sample", "The synthetic sample", synthetic.sample()
        case "recorded":
            return "recorded", "Your recording", recorded.getvalue()
        case "uploaded":
            return "uploaded", uploaded.name, uploaded.getvalue()


def ask_also(predictor):
    """Select the large models to run as well, if they are present."""
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
    st.plotly_chart(chart.figure(prediction.features, trained, prediction.task), config=PLOT, key="features")
    if st.toggle("Show the same as a table"):
        st.dataframe(
            chart.table(prediction.features, trained, prediction.task), hide_index=True, height="content"
        )
