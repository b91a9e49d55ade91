"""One of many recordings: its sound, its picture with the coughs numbered, and its answer."""

from pathlib import PurePosixPath

import pandas as pd
import streamlit as st

from coughlab import audio, detector
from coughlab.charts import recording as chart
from coughlab.evidence import verdict as beliefs
from coughlab.serving import batch as many
from coughlab.serving import workers
from coughlab.text import percent
from pages.shared.chart import show_chart


def show(batch, answer, titles, task):
    """Show the answer for one file; `titles` are the models' titles by name."""
    st.subheader("The marked recording")
    # Names of files are not markup.
    st.text(answer["file"])
    if "error" in answer:
        st.error(answer["error"]["message"], icon=":material/error:")
        return
    if heard := answer["cough"]["heard"]:
        st.info(
            f"**I hear no cough in this recording.** What I hear instead: {heard['message']} No model was asked.",
            icon=":material/hearing_disabled:",
        )
    for doubt in many.doubts(answer, task):
        st.warning(doubt, icon=":material/hearing:")
    try:
        recording = workers.load(batch.taken.read(answer["file"]))
    except (audio.AudioError, workers.WorkerError) as error:
        st.error(str(error), icon=":material/error:")
        return
    st.audio(audio.encode_wav(recording.samples, recording.rate), format="audio/wav")
    events = [detector.Event(e["start_s"], e["end_s"], e["probability"]) for e in answer["events"]]
    show_chart(
        chart.figure(recording, events),
        f"{PurePosixPath(answer['file']).stem}-spectrogram",
        key=f"picture {batch.number} {answer['file']}",
        alt=f"Waveform and spectrogram of {answer['file']}",
    )
    frames = " Numbered frames: the coughs." if events else ""
    st.markdown(f":small[Above the waveform, below the spectrogram (brighter is louder).{frames}]")
    if answer["models"]:
        _show_said(answer, titles, task)


def _show_said(answer, titles, task):
    said = pd.DataFrame(
        {
            "Model": titles[name],
            "How far to believe it": beliefs.HEADLINES[model["evidence"]["verdict"]],
            "Says": task.title(model["label"]),
            f"Probability of {task.condition}": percent(model["probability"]),
            "Its coughs, each alone": beliefs.agreement(model["coughs"], model["label"], task)
            if any(model["coughs"].values())
            else None,
        }
        for name, model in answer["models"].items()
    )
    st.dataframe(said, hide_index=True, height="content", placeholder="–")
    st.markdown(
        f":small[{answer['evidence']['message']} {beliefs.meaning(answer['evidence'], answer['label'], task)}]"
    )
    st.markdown(f":small[{answer['novelty']['message']}]")
    if not answer["events"]:
        return
    coughs = pd.DataFrame(
        {
            "Cough": number,
            "Start": event["start_s"],
            "End": event["end_s"],
            "Is a cough": percent(event["probability"]),
        }
        | {
            titles[name]: f"{task.title(model['label'])} ({percent(model['probability'])})"
            for name, model in event["models"].items()
        }
        for number, event in enumerate(answer["events"], start=1)
    )
    seconds = st.column_config.NumberColumn(format="%.2f s")
    st.dataframe(coughs, hide_index=True, height="content", column_config={"Start": seconds, "End": seconds})
