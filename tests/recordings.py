"""Recordings and a dataset for the tests, made from synthetic coughs."""

import io

import numpy as np
import soundfile

from coughlab.audio import Recording, synthetic
from coughlab.audio.recording import remark
from coughlab.detector import Detection, Event, Heard


def recorded(samples, rate=synthetic.RATE, *, truncated=False):
    """A recording in the form that `coughlab.audio.load` returns."""
    samples = np.asarray(samples, dtype=np.float32)
    remarks = (remark("truncated"),) if truncated else ()
    return Recording(samples, rate, "wav", "float", 1, 32, remarks)


def coughs(**options):
    """A recording of `coughlab.audio.synthetic.recording`."""
    return recorded(synthetic.recording(**options), options.get("rate", synthetic.RATE))


def heard(*spans):
    """A detection with coughs at the given times; each is a start and an end in seconds."""
    events = [Event(start, end, 0.9) for start, end in spans]
    return Detection(events, 0.9 if events else 0.1, None if events else Heard("silence", "Silence."))


def float_wav(samples, rate):
    """A WAV file that holds the samples to the last bit."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(samples, np.float32), rate, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


def kaggle_trial_tree(folder, rows, *, listed=None):
    """A dataset in the case study's published layout.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write it.
    rows : dict of str to ndarray
        Samples of each WAV file, at 16 kHz; none for a missing file.
    listed : str
        Content of the list.
    """
    audio = folder / "trial_covid"
    audio.mkdir(parents=True)
    for name, samples in rows.items():
        if samples is not None:
            soundfile.write(audio / name, samples, 16_000, subtype="PCM_16")
    if listed is not None:
        (folder / "cough_trial_extended.csv").write_text(listed)
    return folder
