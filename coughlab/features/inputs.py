"""The classifiers' inputs, defined once for training and serving."""

from collections.abc import Callable, Collection

import numpy as np

from coughlab.features import acoustic, recording_chain, spectrum
from coughlab.features.sound import Sound
from coughlab.features.spectrogram_image import PICTURES

#: Mel bands of the CNN's spectrogram.
N_MELS = 64
#: About a second: shorter recordings are repeated up to this length, because the CNN's pooling layers need it.
SHORTEST_FRAMES = 43


def spectrogram(recording: Sound) -> np.ndarray:
    """The CNN's input: the log-mel spectrogram of the whole recording, in dB relative to full scale.

    Its shape is (n_frames, 64), with at least 43 frames.

    >>> coughlab.extract_spectrogram(coughlab.load_audio(coughlab.make_cough())).shape
    (151, 64)
    """
    return _spectrogram(spectrum.magnitude(spectrum.waveform(recording)))


def _spectrogram(magnitude):
    return repeated(spectrum.log_mel_of(magnitude, N_MELS), SHORTEST_FRAMES)


def measure(recording: Sound, kinds: Collection[str]) -> dict[str, np.ndarray]:
    """Several `INPUTS` of one recording, by name.

    The features and the spectrogram share a transform if both use the whole recording.
    """
    shared = {}
    if {"features", "spectrogram"} <= set(kinds) and recording.duration <= acoustic.SECONDS:
        y = spectrum.waveform(recording)
        magnitude = spectrum.magnitude(y)
        shared = {
            "features": acoustic.from_magnitude(y, magnitude),
            "spectrogram": _spectrogram(magnitude),
        }
    return {kind: shared[kind] if kind in shared else INPUTS[kind](recording) for kind in kinds}


def repeated(db: np.ndarray, n_frames: int) -> np.ndarray:
    """Repeat a spectrogram until it has at least `n_frames` frames; a longer one stays as it is."""
    if len(db) >= n_frames:
        return db
    return np.tile(db, (-(-n_frames // len(db)), 1))[:n_frames]


#: Every kind of input by name: a function of a recording.
INPUTS: dict[str, Callable[[Sound], np.ndarray]] = {
    "features": acoustic.extract,
    "spectrogram": spectrogram,
    "chain": recording_chain.measure,
    **PICTURES,
}
