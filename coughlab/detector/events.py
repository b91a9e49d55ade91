"""From the probability of each moment to coughs: start, end and probability of each."""

from dataclasses import dataclass

import numpy as np

#: Seconds between two of the network's outputs.
STEP_S = 0.02
#: A cough opens at this probability ...
OPEN = 0.5
#: ... and lasts while it is above this.
KEEP = 0.3
#: Pauses shorter than this belong to one cough.
GAP_S = 0.06
#: Shorter sounds are no coughs.
SHORTEST_S = 0.06
#: No single cough is longer; what goes on is cut here, so that a stream need not remember it all.
LONGEST_S = 3.0


@dataclass(frozen=True)
class Event:
    """One cough.

    Attributes
    ----------
    start_s, end_s : float
        Seconds from the beginning of the recording.
    probability : float
        That it is a cough.
    """

    start_s: float
    end_s: float
    probability: float


class Tracker:
    """Finds coughs in probabilities that arrive piece by piece; the pieces do not matter, only what they make together."""

    def __init__(self):
        self._now = 0  # outputs heard so far
        self._start = None  # of the cough under way
        self._last = 0  # output after its last one above KEEP
        self._held = []  # its probabilities

    def push(self, probabilities):
        """Hear more.

        Parameters
        ----------
        probabilities : array-like, shape (n,)
            Of a cough, each `STEP_S` after the one before.

        Returns
        -------
        list of Event
            Coughs that ended.
        """
        ended = []
        for probability in np.asarray(probabilities, dtype=float).tolist():
            if probability >= KEEP:
                if self._start is None:
                    self._start, self._held = self._now, []
                self._last = self._now + 1
            if self._start is not None:
                self._held.append(probability)
                over = self._now + 1 - self._last >= round(GAP_S / STEP_S)
                if over or len(self._held) >= round(LONGEST_S / STEP_S):
                    ended += self._close()
            self._now += 1
        return ended

    def finish(self):
        """The cough under way, if there is one, as the sound ends here (list of Event)."""
        return self._close() if self._start is not None else []

    def _close(self):
        start, self._start = self._start, None
        held = self._held[: self._last - start]
        if max(held) < OPEN or len(held) * STEP_S < SHORTEST_S - 1e-9:
            return []
        return [Event(round(start * STEP_S, 3), round(self._last * STEP_S, 3), round(max(held), 4))]
