"""Many recordings: the upload, and the answers one by one, with progress and a cancel button that keeps finished answers."""

from dataclasses import dataclass, field
from itertools import count

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from coughlab import audio
from coughlab.serving import recordings, workers
from pages.shared import evidence
from pages.shared.progress import Progress

STAGE = "Recordings"
_numbers = count(1)


@dataclass
class Batch:
    """A visitor's upload, and the answers so far, in the same order."""

    taken: recordings.Intake
    prevalence: float
    answers: list = field(default_factory=list)
    # Another batch starts with new widgets.
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def pending(self):
        return self.taken.names[len(self.answers) :]


def ask(task):
    """The form; a new upload replaces the earlier batch."""
    limits, megabyte = recordings.LIMITS, 2**20
    with st.form("batch form", clear_on_submit=True):
        uploads = st.file_uploader(
            "Recordings, or ZIPs of them",
            accept_multiple_files=True,
            max_upload_size=limits.max_bytes // megabyte,
        )
        prevalence = evidence.enter_prevalence("those recorded", task, task.prevalence)
        pressed = st.form_submit_button("Analyse all", type="primary", icon=":material/library_music:")
    st.markdown(
        f":small[{audio.FORMATS}, up to {audio.LIMITS.max_seconds:.0f} seconds and {audio.LIMITS.max_bytes // megabyte} MB each;"
        f" at most {recordings.MOST} at once, and {limits.max_bytes // megabyte} MB a ZIP. **Nothing is kept:** the recordings"
        " are gone when you leave, and only you see the answers.]"
    )
    if pressed and not uploads:
        st.warning("Choose recordings or a ZIP first.", icon=":material/arrow_upward:")
    elif pressed:
        if earlier := st.session_state.pop("batch", None):
            earlier.taken.close()
        st.session_state["to take"] = uploads, prevalence


def answered(place, predictor):
    """The batch of this visit with its answers; None if there is none. Progress is shown in `place`."""
    starts = False
    if handed := st.session_state.pop("to take", None):
        uploads, prevalence = handed
        place.progress(0.0, "Unpacking …")
        try:
            taken = recordings.take((upload.name, upload) for upload in uploads)
        except recordings.IntakeError as error:
            place.error(str(error), icon=":material/error:")
            return None
        finally:
            _release(uploads)
        st.session_state.batch = Batch(taken, prevalence)
        starts = True
    batch = st.session_state.get("batch")
    if batch is not None and (starts or st.session_state.pop("go on", False)):
        _answer(batch, place, predictor)
    return batch


def _release(uploads):
    """Free the memory of uploads after copying them; Streamlit would keep them until the end of the visit."""
    context = get_script_run_ctx()
    for upload in uploads:
        context.uploaded_file_mgr.remove_file(context.session_id, upload.file_id)


def _answer(batch, place, predictor):
    with place.container():
        bar = st.progress(0.0, STAGE)
        # Any click ends the run of the page, and with it the work; finished answers stay in the visit.
        st.button("Cancel", icon=":material/close:", help="Keeps what was answered so far.")
    progress = Progress(bar)
    progress(STAGE, len(batch.answers), len(batch.taken.names))
    for answer in batch.taken.answers(
        batch.pending, predictor, prevalence=batch.prevalence, load=workers.load
    ):
        batch.answers.append(answer)
        progress(STAGE, len(batch.answers), len(batch.taken.names))


def go_on():
    """Callback of a button: answer the rest."""
    st.session_state["go on"] = True
