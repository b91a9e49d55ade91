"""Loud bursts of sound, far above the background. They label the recordings that the detector is trained on.

A hysteresis comparator on the short-time level, the segmentation of L. Orlandic, T. Teijeiro and D. Atienza, "The COUGHVID
crowdsourcing dataset", Scientific Data 8, 156 (2021): a burst opens where the level passes a high threshold and lasts until it
falls below a low one. It cannot distinguish a cough from a slammed door.
"""

import numpy as np

from coughlab.audio import Recording
from coughlab.features.levels import FRAME_S, HOP_S, background_db, levels

#: A burst starts this far above the background ...
OPEN_DB = 15.0
#: ... and no further than this below the loudest moment, so that breathing between coughs does not count ...
BELOW_PEAK_DB = 25.0
#: ... and ends once the level has fallen this far below the level of its start.
CLOSE_DB = 10.0
#: Shorter pauses do not end a burst.
GAP_S = 0.1
#: Shorter sounds are clicks.
SHORTEST_S = 0.06


def find(recording: Recording) -> list[tuple[float, float]]:
    """Start and end in seconds of each burst in a recording, in order of time, without overlap."""
    db = levels(recording)
    opening = max(background_db(db) + OPEN_DB, db.max() - BELOW_PEAK_DB)
    spans = runs(db >= opening - CLOSE_DB)
    spans = [span for span in spans if db[slice(*span)].max() >= opening]
    found = []
    for start, end in joined(spans, round(GAP_S / HOP_S)):
        start_s, end_s = start * HOP_S, min((end - 1) * HOP_S + FRAME_S, recording.duration)
        if end_s - start_s >= SHORTEST_S:
            found.append((round(start_s, 3), round(end_s, 3)))
    return found


def runs(mask: np.ndarray) -> list[list[int]]:
    """Half-open [start, end) index pairs of the runs where `mask` is true."""
    turns = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return turns.reshape(-1, 2).tolist()


def joined(spans: list[list[int]], gap: int) -> list[list[int]]:
    """The spans, with those less than `gap` apart joined."""
    found: list[list[int]] = []
    for start, end in spans:
        if found and start - found[-1][1] < gap:
            found[-1][1] = end
        else:
            found.append([start, end])
    return found
