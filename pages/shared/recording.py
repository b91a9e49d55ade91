"""One recording of the dataset: its data and, if the dataset's folder is set, its sound and pictures."""

from pathlib import Path

import streamlit as st

from coughlab import audio, datasets, detector
from coughlab.charts import dataset as charts
from coughlab.charts import recording as waveform
from coughlab.serving import workers
from coughlab.text import counted
from pages.shared import access, address
from pages.shared.chart import show_chart
from pages.shared.text import literal


def show(study):
    if name := choose(study):
        show_one(study, name)
    else:
        st.info("Choose a recording to see and hear it.", icon=":material/arrow_upward:")


def choose(study):
    """Ask for a recording: chosen here or by a click on a point."""
    return address.choose(
        st.selectbox,
        "Recording",
        sorted(study.features["recording"].unique()),
        key="recording",
        optional=True,
        placeholder="Choose, or click a point",
    )


def show_one(study, name):
    # A recording that is listed more than once is the same file.
    row = study.features[study.features["recording"] == name].iloc[0]
    st.markdown(
        f"Labelled **{study.task.title(row['label'])}**, source {literal(row['source'])}, {row['duration_s']:.1f} s,"
        f" {row['sample_rate']:,} Hz, {counted(row['channels'], 'channel')}."
    )
    folder = datasets.folder(study.name)
    if folder is None:
        st.info(
            "The recordings are not part of this app. To see and hear them, start it with the environment variable"
            f" COUGHLAB_DATA set to the folder that holds {study.name}/.",
            icon=":material/folder_off:",
        )
        return
    if not access.trusted():
        st.info(access.refusal("To see and hear the recordings on this server"), icon=":material/lock:")
        return
    try:
        recording = workers.load(_path(study.name, folder, name), audio.LIMITS)
    except (audio.AudioError, datasets.DatasetError, workers.WorkerError) as error:
        st.error(literal(error), icon=":material/error:")
        return
    st.audio(audio.encode_wav(recording.samples, recording.rate), format="audio/wav")
    figure, stem = waveform.figure(recording, detector.default().detect(recording).events), Path(name).stem
    show_chart(figure, f"{stem}-spectrogram", key="spectrogram", alt=f"Waveform and spectrogram of {name}")
    st.markdown(
        ":small[Above the waveform, below the spectrogram (brighter is louder). Numbered frames: coughs found by the detector.]"
    )
    figure = charts.frames(recording)
    show_chart(figure, f"{stem}-mfcc-chroma", key="frames", alt=f"MFCC and chroma of {name} over time")
    st.markdown(
        ":small[MFCC: the shape of the spectrum in 20 numbers. The first follows the loudness and goes beyond the scale."
        " Chroma: how strong each of the twelve notes is, the strongest being 1.]"
    )


def _path(dataset, folder, name):
    """Path of a recording of the study in the dataset's folder."""
    listed = datasets.load(dataset, folder).table
    paths = listed["path"][listed["recording"] == name]
    if paths.empty:
        raise datasets.DatasetError(
            f"{folder} lists other recordings than those that the study was made from."
        )
    return paths.iloc[0]
