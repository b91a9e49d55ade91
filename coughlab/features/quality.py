"""Whether a recording is good enough to be measured, in plain sentences. The detector decides whether it has a cough."""

from collections.abc import Sequence

import numpy as np

from coughlab.features import levels as _levels
from coughlab.features.acoustic import SECONDS
from coughlab.features.sound import Remark, Sound

#: A cough lasts about 0.3 s; less than this rarely holds a whole one.
SHORT_S = 0.5
#: Share of the samples on flat tops above which it is not a coincidence ...
CLIPPED_SHARE = 0.0005
#: ... a flat top being three samples in a row within 0.1% of the recording's peak ...
FLAT = 0.999
#: ... in a recording loud enough that quantisation does not look like a flat top.
LOUD = 0.5
#: Loudest 20 ms, in dB relative to full scale.
QUIET_DB = -40.0
#: Coughs should be this far above the background, in dB.
NOISY_DB = 15.0


def check(recording: Sound, events: Sequence) -> list[Remark]:
    """Problems of a recording in which the detector found these coughs, those of its file first; empty for a good one."""
    db = _levels.levels(recording)
    contrast = db.max() - _levels.background_db(db)
    found = {
        "short": (
            recording.duration < SHORT_S,
            f"The recording is very short ({recording.duration:.2f} s). Record at least one whole cough.",
        ),
        "clipped": (
            clipped_share(recording.samples) > CLIPPED_SHARE,
            "The recording is overdriven: its loudest parts are cut off. Hold the microphone further away.",
        ),
        "quiet": (
            db.max() < QUIET_DB,
            "The recording is very quiet. Move closer to the microphone or raise its level.",
        ),
        "noisy": (
            contrast < NOISY_DB and recording.duration >= SHORT_S and db.max() >= QUIET_DB,
            "The recording is mostly noise: nothing in it stands out from the background. Record in a quieter place.",
        ),
        "late": (
            bool(events) and events[0].start_s >= SECONDS,
            f"The first cough comes after {SECONDS:.0f} seconds; the MLP and KNN read only the first {SECONDS:.0f}.",
        ),
    }
    return [*recording.remarks, *(Remark(code, message) for code, (holds, message) in found.items() if holds)]


def clipped_share(y: np.ndarray) -> float:
    """Share of the samples that, like both their neighbours, are within 0.1% of the peak; 0 if the peak is below 0.5."""
    magnitude = np.abs(y)
    peak = magnitude.max(initial=0)
    if peak < LOUD:
        return 0.0
    top = magnitude >= FLAT * peak
    return float((top[1:-1] & top[:-2] & top[2:]).sum() / y.size)
