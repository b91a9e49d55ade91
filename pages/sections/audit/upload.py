"""An audit of the visitor's own dataset: upload and progress; no data is kept."""

import threading
from dataclasses import replace
from pathlib import Path

import streamlit as st

from coughlab import datasets
from coughlab.audio import archive
from coughlab.serving import workers
from pages.shared.progress import Progress

*_FIRST, _LAST = (loader.TITLE for loader in datasets.published())
HOW = f"""\
Put the recordings into one ZIP, laid out in one of these ways:

- **one folder a class**, as in `covid/*.wav` and `healthy/*.wav`; a folder inside it counts as one person;
- **a CSV file** at the top, with a column of file names and one of labels, and if possible one of people and one of sources;
- as **{", ".join(_FIRST)}** or **{_LAST}** are published.

The classes may be about any condition."""
#: One audit at a time per server: each has an upload in memory and uses a core.
_alone = threading.Lock()


def ask():
    """Take a ZIP and audit it; the report is stored in the visit."""
    st.markdown(HOW)
    limits = archive.LIMITS
    with st.form("own", clear_on_submit=True):
        upload = st.file_uploader(
            "ZIP with the dataset", type="zip", max_upload_size=limits.max_bytes // 2**20
        )
        pressed = st.form_submit_button("Audit", type="primary", icon=":material/fact_check:")
    st.markdown(
        f":small[Up to {limits.max_bytes // 2**20} MB and {limits.max_files:,} files. **Nothing is kept:** the ZIP is unpacked"
        " in memory, never on a disk, and is gone when the audit ends, however it ends. Only you see the report.]"
    )
    if pressed and upload is None:
        st.warning("Choose a ZIP first.", icon=":material/arrow_upward:")
    elif pressed:
        st.session_state.pop("own report", None)
        _audit(upload)
    elif st.session_state.pop("own audit runs", False):
        st.warning(
            "The audit ended before it was done: by a click, or because the connection was lost. Nothing of it is kept. To begin"
            " again, choose the ZIP and press *Audit*.",
            icon=":material/warning:",
        )
    return st.session_state.get("own report")


def _audit(upload):
    if not _alone.acquire(blocking=False):
        st.warning(
            "This server is busy with another audit, and does one at a time. Try again in some minutes, or use the command line.",
            icon=":material/hourglass:",
        )
        return
    shown = st.empty()
    # Stays when Streamlit ends this run of the page, which then says so.
    st.session_state["own audit runs"] = True
    try:
        with shown.container():
            bar = st.progress(0.0, "Unpacking …")
            # Any click ends the run of the page, and with it the audit; so does leaving the page.
            st.button("Cancel", icon=":material/close:")
        st.session_state["own report"] = run(upload, Progress(bar))
    except (archive.ArchiveError, datasets.DatasetError, workers.WorkerError) as error:
        st.error("This dataset was not audited.", icon=":material/error:")
        st.text(str(error))
    finally:
        _alone.release()
    shown.empty()
    del st.session_state["own audit runs"]


def run(upload, progress):
    """The report of an uploaded ZIP. The unpacked files are removed when this returns or raises."""
    from coughlab.audit import run as auditing

    with archive.unpacked(upload) as place:
        try:
            dataset = datasets.load("your own", place)
        except datasets.DatasetError as error:
            # The folder's name means nothing to the user who uploaded the ZIP.
            message = str(error).replace(f"{place}/", "").replace(str(place), "The ZIP")
            raise datasets.DatasetError(message) from error
        if len(dataset.table) > (most := archive.LIMITS.max_files):
            raise archive.ArchiveError(f"The list names more than {most:,} recordings. {archive.ELSEWHERE}")
        return auditing.audit(replace(dataset, name=Path(upload.name).stem), progress, load=workers.load)
