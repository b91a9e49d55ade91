"""What classifiers read of a recording: one definition for training and for answering."""

import numpy as np

from coughlab.features import acoustic, recording_chain, spectrum
from coughlab.features.spectrogram_image import PICTURES

#: Mel bands of the CNN's spectrogram.
N_MELS = 64
#: About a second: shorter recordings are repeated up to it, because the CNN's poolings need room.
SHORTEST_FRAMES = 43


def spectrogram(recording):
    """The CNN's input: the log-mel spectrogram of the whole recording.

    Parameters
    ----------
    recording : coughlab.audio.Recording
        What was recorded.

    Returns
    -------
    ndarray, shape (n_frames, 64), float32
        Decibels relative to full scale, at least 43 frames.

    >>> coughlab.extract_spectrogram(coughlab.load_audio(coughlab.make_cough())).shape
    (151, 64)
    """
    return _spectrogram(spectrum.magnitude(spectrum.waveform(recording)))


def _spectrogram(magnitude):
    return repeated(spectrum.log_mel_of(magnitude, N_MELS), SHORTEST_FRAMES)


def measure(recording, kinds):
    """Several inputs of one recording. The features and the spectrogram share a transform where both are of all of it.

    Parameters
    ----------
    recording : coughlab.audio.Recording
        What was recorded.
    kinds : iterable of str
        Keys of `INPUTS`.

    Returns
    -------
    dict of str to ndarray
        What `INPUTS` gives of each kind.
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


def repeated(db, n_frames):
    """Repeat a spectrogram until it has at least `n_frames` frames; a longer one stays as it is."""
    if len(db) >= n_frames:
        return db
    return np.tile(db, (-(-n_frames // len(db)), 1))[:n_frames]


#: Every kind of input by name: a function of a recording.
INPUTS = {
    "features": acoustic.extract,
    "spectrogram": spectrogram,
    "chain": recording_chain.measure,
} | PICTURES
