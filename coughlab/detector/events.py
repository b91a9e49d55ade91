"""Converts the probabilities of moments to coughs with start, end and probability."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coughlab.detector.frames import HOP, MOMENT, RATE

#: Length of a moment, in seconds.
STEP_S = MOMENT * HOP / RATE
#: A cough's probability is the highest mean of this many moments, 0.2 s: shorter sounds and single moments may be errors.
SMOOTH = 5
#: A cough lasts while its moments are above this.
KEEP = 0.3
#: People mostly cough more than once. Within this many seconds of a cough that reaches the threshold, other coughs need only this
#: share of the threshold.
BESIDE, BESIDE_S = 0.6, 10.0
#: Shorter pauses do not end a cough.
GAP_S = 0.08
#: Shorter sounds are not coughs.
SHORTEST_S = 0.08
#: No single cough is longer; a longer sound is cut here, so that a stream needs only constant memory.
LONGEST_S = 3.0


@dataclass(frozen=True)
class Event:
    """One cough.

    Attributes
    ----------
    start_s, end_s : float
        Seconds from the beginning of the recording.
    probability : float
        Probability that it is a cough.
    """

    start_s: float
    end_s: float
    probability: float


class Tracker:
    """Finds coughs in probabilities that arrive piece by piece; the result does not depend on the size of the pieces.

    Parameters
    ----------
    threshold : float
        Lowest probability that counts as a cough.

    Attributes
    ----------
    highest : float
        Highest probability of a cough so far, even below the threshold.
    """

    def __init__(self, threshold: float):
        self.highest = 0.0
        self._threshold = threshold
        self._now = 0  # moments so far
        self._start: int | None = None  # of the current cough
        self._last = 0  # moment after its last one that was loud enough
        self._best = 0.0  # its probability
        self._sure_s = -np.inf  # end of the last cough that reached the threshold
        self._likely: list[Event] = []  # sounds that count only if a cough above the threshold follows soon
        self._recent = deque([0.0] * SMOOTH, maxlen=SMOOTH)

    @property
    def under_way(self) -> bool:
        """Whether a possible cough has not ended yet."""
        return self._start is not None

    def push(self, probabilities: ArrayLike) -> list[Event]:
        """Take more probabilities of a cough, one every `STEP_S`.

        Returns the coughs that ended, in order of time; a cough that counts only beside a later one is returned with that one.
        """
        ended = []
        for probability in np.asarray(probabilities, dtype=float).tolist():
            self._recent.append(probability)
            mean = sum(self._recent) / SMOOTH
            self.highest = max(self.highest, mean)
            if probability >= KEEP:
                if self._start is None:
                    self._start, self._best = self._now, 0.0
                self._last = self._now + 1
            if self._start is not None:
                self._best = max(self._best, mean)
                pause, length = self._now + 1 - self._last, self._now + 1 - self._start
                if pause >= round(GAP_S / STEP_S) or length >= round(LONGEST_S / STEP_S):
                    ended += self._close()
            self._now += 1
        return ended

    def finish(self, duration_s: float = np.inf) -> list[Event]:
        """End the sound, after that many seconds, and return the current cough, if there is one."""
        return self._close(duration_s) if self.under_way else []

    def _close(self, duration_s=np.inf):
        start_s, end_s = self._start * STEP_S, min(self._last * STEP_S, duration_s)
        self._start = None
        if self._best < BESIDE * self._threshold or end_s - start_s < SHORTEST_S - 1e-9:
            return []
        event = Event(round(start_s, 3), round(end_s, 3), round(self._best, 4))
        if self._best >= self._threshold:
            likely, self._likely = self._likely, []
            self._sure_s = end_s
            return [one for one in likely if start_s - one.end_s <= BESIDE_S] + [event]
        if start_s - self._sure_s <= BESIDE_S:
            return [event]
        self._likely = [one for one in self._likely if start_s - one.end_s <= BESIDE_S] + [event]
        return []
