"""The microphone of the page "Live": streamlit-webrtc sends its sound here directly from the browser."""

import logging
import time

import streamlit as st
from streamlit_webrtc import AudioSinkTrack, WebRtcMode, webrtc_streamer

from coughlab.serving import microphone
from pages.components.live.ice_servers import ice_servers

microphone.isolate()
microphone.ask_for_quality()
_log = logging.getLogger(__name__)

#: A connection that is not established after this many seconds will probably fail.
PATIENCE_S = 10
#: The browsers' voice processing for calls destroys coughs.
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
    """The button that opens and closes the microphone; its sound goes to a listener.

    Returns
    -------
    bool
        Whether the microphone is open or opening.

    Raises
    ------
    coughlab.studies.store.StoreError
        If the models cannot be loaded.
    """
    # Must stay the same for the same listener: a connection keeps the one that it started with.
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
    except Exception:  # after any error there is still the recorder
        _log.exception("The connection failed")
        st.session_state.trouble = True
        return False
    is_open = context.state.playing or context.state.signalling
    # Derived from the present state, because the component's own callback is not always called.
    if not is_open:
        st.session_state.pop("asked_at", None)
    elif "asked_at" not in st.session_state:
        # While the connection is being established, so that the first cough is answered as fast as the others. Not earlier,
        # because most visitors of the page do not start the microphone.
        predictor.warm_up()
        st.session_state.asked_at = time.monotonic()
        st.session_state.trouble = False
        ear.resume()
    return is_open


def in_trouble(ear):
    """Whether the microphone was started some time ago and no sound has arrived (bool)."""
    asked_at = st.session_state.get("asked_at")
    return asked_at is not None and ear.quiet_s is None and time.monotonic() - asked_at > PATIENCE_S
