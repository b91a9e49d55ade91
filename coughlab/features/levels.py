"""The short-time level of a recording."""

import numpy as np

from coughlab.features.sound import Sound

FRAME_S = 0.02
HOP_S = 0.01


def levels(recording: Sound) -> np.ndarray:
    """Root-mean-square level of 20 ms frames, every 10 ms: dB relative to full scale, at least -100."""
    y = recording.samples - recording.samples.mean()
    edges = np.round(np.arange(0, recording.duration - FRAME_S / 2, HOP_S) * recording.rate).astype(int)
    ends = np.minimum(edges + max(round(FRAME_S * recording.rate), 1), y.size)
    # Frames overlap, so samples are first summed between edges, and these sums are added for each frame.
    between, place = np.unique(np.concatenate([edges, ends]), return_inverse=True)
    energy = np.square(y, out=y)[: ends.max(initial=0)]
    sums = np.add.reduceat(energy, between[:-1], dtype=float) if between.size > 1 else np.empty(0)
    energy = np.concatenate([[0.0], np.cumsum(sums)])[place]
    power = (energy[len(edges) :] - energy[: len(edges)]) / np.maximum(ends - edges, 1)
    return 10 * np.log10(np.maximum(power, 1e-10))


def background_db(db: np.ndarray) -> float:
    """Level of the quietest tenth of the frames, in dB."""
    return float(np.percentile(db, 10))
