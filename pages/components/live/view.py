"""The rolling picture and the list of coughs, drawn by the browser from small pieces of data.

The picture is one component, sent once. The pieces go through a second, very small component, because Streamlit sends a
component's code again with every change of its data. Each piece overlaps the one before it, because the browser may skip some. If
the browser has missed more than that, the picture's component requests everything.
"""

import base64
import time
from pathlib import Path

import streamlit as st

from coughlab.live import cough_log, picture
from coughlab.text import percent
from pages.components.code import SHARED, joined
from pages.components.live import microphone

HERE = Path(__file__).parent
#: Seconds between two pieces, and number of columns and coughs in each.
EVERY = 0.07
OVERLAP = round(0.8 / picture.COLUMN_S)
CHANGED = 3
#: Number of coughs listed on the page.
LISTED = 100
KEY = "live"

_view = st.components.v2.component(
    "coughlab_live",
    html=(HERE / "view.html").read_text(),
    css=joined(SHARED / "controls.css", HERE / "view.css"),
    js=(HERE / "view.js").read_text(),
)
_feed = st.components.v2.component(
    "coughlab_live_feed", html="<span hidden></span>", js=(HERE / "feed.js").read_text()
)


def show(ear, predictor, is_open):
    """Show the picture and the list, which are updated while the microphone is open."""
    study = predictor.study
    _picture(ear, study, is_open)
    # A separate container, even if it is empty: otherwise a fragment would overwrite the elements below.
    with st.container():
        if is_open:
            _piece(ear, study)


@st.fragment
def _picture(ear, study, is_open):
    _view(
        data={
            "size": picture.SIZE,
            "column_s": picture.COLUMN_S,
            "ticks": picture.ticks(),
            "listed": LISTED,
            "now": _news(ear, study, is_open, picture.KEPT, LISTED),
            "play": _asked_for(ear),
        },
        key=KEY,
        on_play_change=lambda: None,
        on_missed_change=lambda: None,
    )


@st.fragment(run_every=EVERY)
def _piece(ear, study):
    if st.session_state.trouble != microphone.in_trouble(ear):
        st.session_state.trouble = not st.session_state.trouble
        st.rerun()  # the whole page: it shows the recorder, or removes it
    _feed(data=_news(ear, study, True, OVERLAP, CHANGED), key=f"{KEY} feed", height=1)


def _news(ear, study, is_open, n_columns, n_coughs):
    """The data to show, from the requested position on."""
    first, columns = ear.columns(n_columns)
    level, peak = ear.level()
    heard_s = ear.heard_s
    return {
        "sent": time.time(),
        "epoch": ear.epoch,
        "first": first,
        "columns": base64.b64encode(columns).decode(),
        "open": is_open,
        "status": _status(ear, is_open),
        "trouble": [text for text in (ear.error, _dropped(ear), ear.unanswered) if text],
        "level": round(level, 1),
        "loudness": _loudness(level, peak) if is_open and ear.quiet_s is not None else "",
        "total": ear.total,
        "minute": ear.last_minute(),
        "rate": round(60 * ear.total / heard_s, 1) if heard_s >= cough_log.MINUTE else None,
        "heard": _clock(heard_s),
        "oldest_kept": ear.oldest_kept,
        "coughs": [_row(cough, study) for cough in ear.coughs(n_coughs)],
    }


def _status(ear, is_open):
    quiet_s = ear.quiet_s
    if not is_open:
        return "Stopped" if ear.heard_s else "Not listening yet"
    if ear.error:
        return "Stopped by an error"
    if quiet_s is None:
        return "Connecting …"
    return f"No sound arrives since {quiet_s:.0f} s" if quiet_s > 2 else "Listening"


def _dropped(ear):
    parts = []
    if ear.dropped_s:
        parts.append(f"{ear.dropped_s:.1f} s of sound were skipped because this computer could not keep up.")
    if ear.lost_s:
        parts.append(f"{ear.lost_s:.1f} s of sound were lost on the way from the browser.")
    if ear.channel is not None:
        parts.append(
            f"The channels of this microphone cancel each other: only channel {ear.channel + 1} is listened to."
        )
    return " ".join(parts)


def _loudness(level, peak):
    if peak > 0.98:
        return "too loud: move away from the microphone"
    if level < -75:
        return "next to nothing: is the microphone muted?"
    return "quiet" if level < -50 else "sound"


def _clock(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _row(cough, study):
    answers = [
        f"{study.models[name]['title']}: {study.task.title(answer.label)}, {percent(answer.probability)}"
        for name, answer in (cough.answers or {}).items()
    ]
    return {
        "number": cough.number,
        "start": cough.start_s,
        "end": cough.end_s,
        "at": round(1000 * cough.at),
        "probability": percent(cough.probability),
        "answers": answers,
    }


def _asked_for(ear):
    """The requested sound of a cough; None most of the time."""
    number = st.session_state.get(KEY, {}).get("play")
    wav = None if number is None else ear.wav(number)
    return wav and {"number": number, "when": time.time(), "wav": base64.b64encode(wav).decode()}
