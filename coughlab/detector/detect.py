"""Finds the coughs in a recording and in an endless stream."""

import threading
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import soxr

from coughlab.audio import Recording
from coughlab.classifiers.runtime import LiteRT
from coughlab.detector import frames
from coughlab.detector.events import Event, Tracker
from coughlab.features.levels import background_db, levels
from coughlab.studies import store

#: Classes of a moment, in the order of the network's outputs.
CLASSES = ("cough", "voice", "breath", "other", "quiet")
#: Frames of 10 ms that the network needs before and after the moments it classifies.
PAST, FUTURE = 104, 21
#: Frames per call of the network: for a recording, the size that needs the least computing; for a stream; and for a stream during
#: a cough, whose end has to be reported soon.
BLOCKS, PIECE, SHORT_PIECE = (160, 560), 12, 4
MODEL = "detector.tflite"

#: A recording below this level counts as silence, in dB relative to full scale.
SILENT_DB = -55.0
#: A sound less than this above its background is steady, in dB.
STEADY_DB = 15.0
HEARD = {
    "silence": "Silence, or next to it.",
    "noise": "Steady noise: too noisy for a cough to be heard.",
    "speech": "Speech, or another voice.",
    "breathing": "Breathing.",
    "other": "A sound that is neither a cough nor a voice.",
}


@dataclass(frozen=True)
class Heard:
    """What is heard instead of a cough: a stable code, one of `HEARD`, and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Detection:
    """The detector's result for a recording.

    Attributes
    ----------
    events : list of coughlab.detector.Event
        The coughs, in order of time.
    probability : float
        Probability that there is a cough in the recording.
    heard : Heard or None
        What is heard instead; None if there is a cough.
    """

    events: list[Event]
    probability: float
    heard: Heard | None

    def to_dict(self) -> dict:
        """The block ``cough`` of the API's answer."""
        return {
            "found": len(self.events),
            "probability": self.probability,
            "heard": self.heard and asdict(self.heard),
        }


class Detector:
    """The detector; thread-safe.

    Parameters
    ----------
    network : bytes
        The file ``detector.tflite``.
    threshold : float
        Lowest probability that counts as a cough.
    """

    def __init__(self, network: bytes, threshold: float):
        self.threshold, self._network = threshold, network
        # One network per number of frames, because changing that number takes as long as an answer.
        self._networks: dict[int, LiteRT] = {}
        self._lock = threading.Lock()

    def moments(self, samples: np.ndarray, rate: int) -> np.ndarray:
        """Classify each moment of a sound.

        Input: mono float32 samples at `rate` hertz, full scale 1. Returns shape (ceil(seconds * 25), 5), float32: the probability
        of each of `CLASSES`, every 40 ms.
        """
        db = frames.of(samples, rate, after=FUTURE)
        n = len(db) - FUTURE
        size = min(BLOCKS, key=lambda size: -(-n // size) * (PAST + size + FUTURE))
        whole = -(-n // size) * size
        db = np.concatenate([frames.silence(PAST), db, frames.silence(whole - n)])
        found = [self.hear(db[at : at + PAST + size + FUTURE]) for at in range(0, whole, size)]
        return np.concatenate(found)[: -(-n // frames.MOMENT)]

    def hear(self, db: np.ndarray) -> np.ndarray:
        """Classify each moment of a piece of sound.

        Input: the frames of the piece and those before and after it, shape (PAST + n + FUTURE, 48), where n is one of `BLOCKS`,
        `PIECE` or `SHORT_PIECE`. Returns shape (n // 4, 5): the probability of each of `CLASSES`, every 40 ms.
        """
        with self._lock:
            if len(db) not in self._networks:
                self._networks[len(db)] = LiteRT(self._network)
        return self._networks[len(db)].outputs(db)

    def detect(self, recording: Recording) -> Detection:
        """Find the coughs in a recording."""
        moments = self.moments(recording.samples, recording.rate)
        tracker = Tracker(self.threshold)
        events = tracker.push(moments[:, 0]) + tracker.finish(recording.duration)
        heard = None if events else _heard(recording, moments)
        return Detection(events, round(tracker.highest, 4), heard)


def _heard(recording, moments):
    """What is heard in a recording without coughs."""
    db = levels(recording)
    sounding = moments[moments[:, -1] < 0.5]
    if db.max(initial=-np.inf) < SILENT_DB or not len(sounding):
        code = "silence"
    else:
        kind = CLASSES[1 + int(sounding[:, 1:-1].sum(axis=0).argmax())]
        code = {"voice": "speech", "breath": "breathing", "other": "other"}[kind]
        if code == "other" and db.max() - background_db(db) < STEADY_DB:
            code = "noise"
    return Heard(code, HEARD[code])


class Stream:
    """Finds the coughs in a sound that arrives piece by piece, in constant memory.

    The coughs are those that `Detector.detect` finds in the whole sound. A cough is reported a third of a second after its end.

    Parameters
    ----------
    rate : int
        Sample rate of the input, in hertz.
    detector : Detector, optional
        `default()` unless given.
    """

    def __init__(self, rate, detector=None):
        self._rate, self._fed = rate, 0
        self._detector = detector or default()
        self._resampler = soxr.ResampleStream(rate, frames.RATE, 1, dtype="float32", quality="HQ")
        self._samples = np.zeros(frames.BEFORE, np.float32)
        self._frames = frames.silence(PAST)
        self._tracker = Tracker(self._detector.threshold)

    def feed(self, samples: np.ndarray) -> list[Event]:
        """Take more mono float32 samples, full scale 1.

        Returns the coughs that ended, in order of time; seconds count from the first sample.
        """
        self._fed += len(samples)
        return self._hear(self._resampled(samples))

    def finish(self) -> list[Event]:
        """End the sound and return the last coughs. Nothing can be fed after this."""
        rest = (FUTURE + 2 * PIECE) * frames.HOP
        last = self._resampled(np.empty(0, np.float32), last=True)
        events = self._hear(np.concatenate([last, np.zeros(rest, np.float32)]))
        return events + self._tracker.finish(self._fed / self._rate)

    def _piece(self):
        return SHORT_PIECE if self._tracker.under_way else PIECE

    def _resampled(self, samples, last=False):
        samples = np.ascontiguousarray(samples, np.float32)
        return samples if self._rate == frames.RATE else self._resampler.resample_chunk(samples, last=last)

    def _hear(self, samples):
        self._samples = np.concatenate([self._samples, samples])
        n = (self._samples.size - 2 * frames.BEFORE) // frames.HOP
        if n <= 0:
            return []
        db = frames.log_mel(self._samples[: n * frames.HOP + 2 * frames.BEFORE])
        self._samples = self._samples[n * frames.HOP :]
        self._frames = np.concatenate([self._frames, db])
        events = []
        while len(self._frames) >= PAST + (n := self._piece()) + FUTURE:
            moments = self._detector.hear(self._frames[: PAST + n + FUTURE])
            self._frames = self._frames[n:]
            events += self._tracker.push(moments[:, 0])
        return events


def stored() -> store.StoredStudy:
    """The detector's folder on this machine: model, card, predictions table. StoreError if there is none."""
    folder = store.MODELS / store.DETECTOR
    return _stored(folder, store.state(folder / store.MANIFEST))


@lru_cache(maxsize=1)
def _stored(folder, manifest):
    return store.StoredStudy(folder)


def find_coughs(recording: Recording) -> Detection:
    """Find the coughs in a recording, or what is heard instead.

    >>> detection = coughlab.find_coughs(coughlab.load_audio(coughlab.make_cough()))
    >>> [round(event.start_s, 1) for event in detection.events]
    [0.5, 1.4, 2.2]
    """
    return default().detect(recording)


def default() -> Detector:
    """The detector of this machine, shared, and reloaded when it is trained again; StoreError if missing or changed."""
    return _detector(stored())


@lru_cache(maxsize=1)
def _detector(study):
    return Detector(study.read(MODEL), study.thresholds[store.DETECTOR])
