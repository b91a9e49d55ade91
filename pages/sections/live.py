"""The parts of the page "Live" around its components."""

import streamlit as st

from coughlab import audio, detector
from coughlab.detector.training import card
from coughlab.evaluation.novelty import Novelty
from coughlab.evidence import verdict
from coughlab.live import Listener, connection, labels
from coughlab.serving import workers
from coughlab.text import counted

#: The sample rate of nearly every browser.
RATE = 48_000


def listener():
    """This visitor's listener."""
    if "listener" not in st.session_state:
        st.session_state.listener = Listener()
    return st.session_state.listener


def show_address():
    """Whether browsers allow a page at this address the microphone; shows a message if not."""
    if not st.context.url or connection.trusted(st.context.url):
        return True
    st.error(
        "**The browser will refuse the microphone at this address.** Browsers give it only to pages over https, or on the very"
        f" computer that runs CoughLab, and this page was opened as {st.context.url}. Ask the operator for an address that"
        " begins with https://, or, on that computer, open it as http://localhost. A recording made elsewhere can be uploaded"
        " on the page *Analyse a cough*.",
        icon=":material/lock_open:",
    )
    return False


def show_trouble(ear):
    """Show what to do if no connection is established, and the recorder."""
    from pages.components.live.microphone import PATIENCE_S

    st.warning(
        f"**No sound arrived within {PATIENCE_S} seconds.** The page was reached, but the direct connection that carries the"
        " sound was not. Most often a firewall or a company's network is in the way: try another network, such as a phone's. If"
        " the browser asks for the microphone, allow it. Whoever runs CoughLab can name a TURN server, which relays the sound, in"
        f" the setting {connection.SETTING}.\n\nMeanwhile record here: the recording is sent when it is finished, and its coughs"
        " appear in the list below.",
        icon=":material/wifi_off:",
    )
    recording = st.audio_input("Record instead", sample_rate=RATE, key="instead")
    if recording and st.session_state.get("instead_heard") != recording.file_id:
        st.session_state.instead_heard = recording.file_id
        try:
            sound = workers.load(recording.getvalue())
            with st.spinner("Listening to the recording …"):
                before = ear.total
                ear.feed(sound.samples, sound.rate)
                st.session_state.instead_found = ear.total - before
        except (audio.AudioError, workers.WorkerError) as error:
            st.error(str(error), icon=":material/error:")
            return
    if recording and "instead_found" in st.session_state:
        found = st.session_state.instead_found
        said = counted(found, "cough") if found else "No cough"
        st.info(f"{said} found in this recording.", icon=":material/hearing:")


def show_verdict(predictor):
    """Show how reliable the main model is, before it answers."""
    known = _evidence(predictor, predictor.study.main_model)
    discredited = known["verdict"] in verdict.DISCREDITED
    box, icon = (st.error, ":material/block:") if discredited else (st.warning, ":material/warning:")
    headline = verdict.HEADLINES[known["verdict"]]
    box(
        f"**What the models say about {predictor.study.task.condition}:** {headline}. {known['message']}",
        icon=icon,
    )


def show_others(predictor):
    """Show how reliable the other models are, and all models on this page."""
    others = [
        _evidence(predictor, name)["message"]
        for name in predictor.names
        if name != predictor.study.main_model
    ]
    st.subheader("What the answers are worth")
    st.markdown(
        "The models were trained on whole recordings and tested on them. Here they are asked about each cough alone, and how good"
        f" they are at that was not tested. The main model's test is at the top of this page. {' '.join(others)}"
    )
    st.markdown(f"**Whether a file would get the same labels.** {labels.sentence(predictor.study)}")
    st.markdown(f"**Whether it is a cough at all.** {card.line(detector.stored())}")


def _evidence(predictor, name):
    """The evidence on a model independent of its answer; the worse one if it depends on the answer."""
    unknown = Novelty(None, "unknown", "", predictor.study.name)
    blocks = [
        verdict.block(predictor.study, predictor.known[name], label, unknown)
        for label in predictor.study.task.labels
    ]
    return min(blocks, key=lambda block: list(verdict.HEADLINES).index(block["verdict"]))
