"""The microphone of the page "Live": streamlit-webrtc brings its sound here, straight from the browser."""

import logging
import time

import streamlit as st
from streamlit_webrtc import AudioSinkTrack, WebRtcMode, webrtc_streamer

from coughlab.serving import microphone
from pages.shared.ice_servers import ice_servers

microphone.isolate()
_log = logging.getLogger(__name__)

#: A connection that is not up after so many seconds will hardly come up.
PATIENCE_S = 10
#: What browsers do to a voice so that a call sounds better destroys coughs.
RAW = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
WORDS = {
    "start": "Open the microphone",
    "stop": "Stop",
    "select_device": "Choose microphone",
    "media_api_not_available": "This browser gives no microphone to pages at this address. Open the page over https.",
    "device_ask_permission": "Allow the microphone in the window that the browser shows.",
    "device_not_available": "No microphone was found. Connect one and try again.",
    "device_access_denied": "The browser does not allow the microphone. Click the sign beside the page's address to allow it.",
}


def show(ear, predictor):
    """The button that opens and closes the microphone, whose sound goes to a listener.

    Returns
    -------
    bool
        Whether the microphone is open, or about to be.

    Raises
    ------
    coughlab.studies.store.StoreError
        If the models cannot be loaded.
    """
    # The same as long as the listener is the same: a connection goes on with the one that it began with.
    sink = st.session_state.get("sink") or AudioSinkTrack(ear.hear)
    st.session_state.sink = sink

    servers = ice_servers()
    try:
        context = webrtc_streamer(
            key="microphone",
            mode=WebRtcMode.SENDONLY,
            rtc_configuration={"iceServers": servers},
            media_stream_constraints={"audio": RAW, "video": False},
            sink_audio_track=sink,
            translations=WORDS,
        )
    except Exception:  # whatever it is, there is the recorder
        _log.exception("The connection failed")
        st.session_state.trouble = True
        return False
    is_open = context.state.playing or context.state.signalling
    # Told by what is, since the component's own call when something changes does not always come.
    if not is_open:
        st.session_state.pop("asked_at", None)
    elif "asked_at" not in st.session_state:
        # While the connection comes up, so that the first cough is answered as fast as the others, and not sooner, since most who
        # look at the page only look.
        predictor.warm_up()
        st.session_state.asked_at = time.monotonic()
        st.session_state.trouble = False
        ear.resume()
    return is_open


def in_trouble(ear):
    """Whether the microphone was asked for some time ago and nothing has been heard (bool)."""
    asked_at = st.session_state.get("asked_at")
    return asked_at is not None and ear.quiet_s is None and time.monotonic() - asked_at > PATIENCE_S
