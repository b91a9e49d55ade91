"""Where the coughs are in a recording, and in a sound that goes on without end."""

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr

from coughlab.detector import frames
from coughlab.detector.events import STEP_S, Event, Tracker

#: What a moment can be, in the order of the network's outputs.
CLASSES = ("cough", "voice", "breath", "other", "quiet")
#: Frames of 10 ms that the network needs before and after the moment it speaks of.
PAST, FUTURE = 66, 15
#: Frames the network is given at once of a whole recording, and of a stream.
BLOCK, PIECE = 400, 10


@dataclass(frozen=True)
class Heard:
    """What is heard where there is no cough: a stable code and a few words for people."""

    code: str
    message: str


@dataclass(frozen=True)
class Detection:
    """What the detector heard in a recording.

    Attributes
    ----------
    events : list of Event
        The coughs, in order of time.
    probability : float
        That there is a cough in the recording.
    heard : Heard or None
        What is heard instead; None where there is a cough.
    """

    events: list
    probability: float
    heard: Heard | None

    def to_dict(self):
        """The API's block ``cough``."""
        heard = self.heard and {"code": self.heard.code, "message": self.heard.message}
        return {"found": len(self.events), "probability": self.probability, "heard": heard}


class Detector:
    """The detector; may be shared between threads."""

    def moments(self, recording):
        """Probability of each of `CLASSES` every 20 ms, shape (ceil(seconds * 50), 5)."""
        return _stub(frames.of(recording.samples, recording.rate))

    def detect(self, recording):
        """Find the coughs in a recording.

        Parameters
        ----------
        recording : coughlab.audio.Recording
            What was recorded.

        Returns
        -------
        Detection
        """
        cough = self.moments(recording)[:, 0]
        tracker = Tracker()
        found = tracker.push(cough) + tracker.finish()
        heard = None if found else Heard("silence", "Silence, or next to it.")
        return Detection(found, round(float(cough.max(initial=0)), 4), heard)


def _stub(db):
    level = db.max(axis=1)
    cough = level[: len(level) // 2 * 2].reshape(-1, 2).max(axis=1) > -32.0
    return np.stack([cough, *[0 * cough] * 4], axis=1).astype(np.float32)


class Stream:
    """Finds the coughs in a sound that arrives piece by piece, in memory that does not grow.

    Parameters
    ----------
    rate : int
        Samples a second of what will be fed.
    detector : Detector, optional
        `default()` unless given.
    """

    def __init__(self, rate, detector=None):
        self._detector = detector or default()
        self._resampler = soxr.ResampleStream(rate, frames.RATE, 1, dtype="float32", quality="HQ")
        self._samples = np.zeros(frames.BEFORE, np.float32)
        self._frames = np.empty((0, frames.N_MELS), np.float32)
        self._tracker = Tracker()

    def feed(self, samples):
        """Hear more.

        Parameters
        ----------
        samples : ndarray, shape (n,), float32
            Mono samples, full scale being 1.

        Returns
        -------
        list of Event
            Coughs that ended, in order of time; seconds count from the first sample fed.
        """
        new = self._resampler.resample_chunk(np.ascontiguousarray(samples, np.float32))
        self._samples = np.concatenate([self._samples, new])
        n = (self._samples.size - 2 * frames.BEFORE) // frames.HOP
        if n <= 0:
            return []
        used = n * frames.HOP
        db = frames.log_mel(self._samples[: used + 2 * frames.BEFORE])
        self._samples = self._samples[used:]
        self._frames = np.concatenate([self._frames, db])
        n = len(self._frames) // 2 * 2
        ready, self._frames = self._frames[:n], self._frames[n:]
        return self._tracker.push(_stub(ready)[:, 0])

    def finish(self):
        """The cough under way, if there is one, as the sound ends here (list of Event)."""
        return self._tracker.finish()


@lru_cache(maxsize=1)
def default():
    """The committed detector, shared by all who ask (Detector)."""
    return Detector()
