"""The coughs in a recording: where the sound rises far above its background.

A hysteresis comparator on the short-time level, the segmentation of L. Orlandic, T. Teijeiro and D. Atienza, "The COUGHVID
crowdsourcing dataset", Scientific Data 8, 156 (2021): an event opens where the level passes a high threshold and lasts until
it falls below a low one. It hears loud sounds; it does not know a cough from a slammed door.
"""

from dataclasses import dataclass

import numpy as np

FRAME_S = 0.02
HOP_S = 0.01
#: An event opens this far above the background ...
OPEN_DB = 15.0
#: ... and no further than this below the loudest moment, so that breathing between coughs does not count ...
BELOW_PEAK_DB = 25.0
#: ... and closes once the level has fallen this far below where it opened.
CLOSE_DB = 10.0
#: Pauses shorter than this belong to one cough: its burst and its voiced end.
GAP_S = 0.1
#: Shorter sounds are clicks.
SHORTEST_S = 0.06


@dataclass(frozen=True)
class Event:
    """One cough: start and end in seconds from the beginning of the recording."""

    start_s: float
    end_s: float


def detect(recording):
    """The coughs in a recording.

    Parameters
    ----------
    recording : coughlab.audio.Recording
        What was recorded.

    Returns
    -------
    list of Event
        In order of time, without overlap.
    """
    db = levels(recording)
    opening = max(background_db(db) + OPEN_DB, db.max() - BELOW_PEAK_DB)
    spans = _runs(db >= opening - CLOSE_DB)
    spans = [span for span in spans if db[slice(*span)].max() >= opening]
    events = []
    for start, end in _joined(spans, round(GAP_S / HOP_S)):
        start_s, end_s = start * HOP_S, min((end - 1) * HOP_S + FRAME_S, recording.duration)
        if end_s - start_s >= SHORTEST_S:
            events.append(Event(round(start_s, 3), round(end_s, 3)))
    return events


def levels(recording):
    """Root-mean-square level of 20 ms frames, every 10 ms.

    Parameters
    ----------
    recording : coughlab.audio.Recording
        What was recorded.

    Returns
    -------
    ndarray, shape (n_frames,)
        Decibels relative to full scale, -100 at the lowest.
    """
    y = recording.samples - recording.samples.mean()
    edges = np.round(np.arange(0, recording.duration - FRAME_S / 2, HOP_S) * recording.rate).astype(int)
    energy = np.concatenate([[0], np.cumsum(y.astype(float) ** 2)])
    ends = np.minimum(edges + max(round(FRAME_S * recording.rate), 1), y.size)
    power = (energy[ends] - energy[edges]) / np.maximum(ends - edges, 1)
    return 10 * np.log10(np.maximum(power, 1e-10))


def background_db(db):
    """Level of the quietest tenth of the frames, in dB."""
    return float(np.percentile(db, 10))


def _runs(mask):
    """Half-open (start, end) index pairs of the stretches where `mask` holds."""
    turns = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return turns.reshape(-1, 2).tolist()


def _joined(spans, gap):
    joined = []
    for start, end in spans:
        if joined and start - joined[-1][1] < gap:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return joined
