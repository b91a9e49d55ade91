"""The coughs heard so far: a list and their sound, both of bounded size, and what can be taken away of them."""

import io
import zipfile
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from coughlab import audio
from coughlab.live.sound import RATE
from coughlab.text import to_csv

#: So many coughs stay on the list: a cough every ten seconds for a whole day.
LISTED = 10_000
#: The sound of the newest coughs is kept, so many seconds of it in all: 17 MB.
KEPT_S = 180.0
MINUTE = 60.0


@dataclass(frozen=True)
class Cough:
    """One cough that was heard.

    Attributes
    ----------
    number : int
        Counted from 1.
    start_s, end_s : float
        Seconds of sound from when listening began.
    probability : float
        That it is a cough.
    at : float
        When it began, in seconds since 1970.
    answers : dict of str to coughlab.serving.predictors.Answer, or None
        What the models say of it alone; None while they have not been asked.
    """

    number: int
    start_s: float
    end_s: float
    probability: float
    at: float
    answers: dict | None = field(default=None, hash=False)

    @property
    def time(self):
        """When it began, as ISO 8601 in UTC to the hundredth of a second."""
        at = datetime.fromtimestamp(self.at, UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 10_000:02}Z"


class Log:
    """The coughs so far. Whoever shares it between threads locks it."""

    def __init__(self):
        self._coughs = deque(maxlen=LISTED)
        self._sounds = {}  # 16-bit samples by number, oldest first
        self._kept = 0  # samples in them
        self.total = 0

    def __len__(self):
        return len(self._coughs)

    def add(self, event, at):
        """Note a cough.

        Parameters
        ----------
        event : coughlab.detector.Event
            Its seconds counted from when listening began.
        at : float
            When it began, in seconds since 1970.

        Returns
        -------
        Cough
        """
        self.total += 1
        cough = Cough(self.total, event.start_s, event.end_s, event.probability, at)
        self._coughs.append(cough)
        return cough

    def complete(self, number, samples, answers):
        """Give a cough its sound and its answers; the sound of the oldest ones is dropped for it.

        Parameters
        ----------
        number : int
            Which cough.
        samples : ndarray, shape (n,), float32
            Its sound.
        answers : dict or None
            What the models say.
        """
        place = number - self.total - 1
        if -place > len(self._coughs):
            return
        self._coughs[place] = replace(self._coughs[place], answers=answers)
        sound = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
        self._sounds[number] = sound
        self._kept += sound.size
        while self._kept > KEPT_S * RATE and len(self._sounds) > 1:
            self._kept -= self._sounds.pop(next(iter(self._sounds))).size

    def newest(self, n):
        """The last coughs, oldest first (list of Cough)."""
        return [self._coughs[place] for place in range(-min(n, len(self._coughs)), 0)]

    @property
    def oldest_kept(self):
        """Number of the oldest cough whose sound is kept, None without any."""
        return next(iter(self._sounds), None)

    def since(self, seconds):
        """How many coughs ended after a time, in seconds from when listening began (int)."""
        count = 0
        for cough in reversed(self._coughs):
            if cough.end_s <= seconds:
                break
            count += 1
        return count

    def wav(self, number):
        """The sound of a cough as a WAV file (bytes), None where it is not kept."""
        sound = self._sounds.get(number)
        return None if sound is None else audio.encode_wav(sound / 32768, RATE)

    def copy(self):
        """The coughs and their sounds as they are now, for a slow export."""
        return list(self._coughs), dict(self._sounds)


def csv(coughs):
    """The list of coughs as CSV.

    Parameters
    ----------
    coughs : list of Cough
        The coughs.

    Returns
    -------
    str
        One row a cough, two columns a model.
    """
    import pandas as pd

    models = list(dict.fromkeys(name for cough in coughs for name in cough.answers or ()))
    columns = ["cough", "time_utc", "start_s", "end_s", "duration_s", "cough_probability"]
    columns += [f"{name}_{what}" for name in models for what in ("label", "covid_probability")]
    rows = []
    for cough in coughs:
        duration = round(cough.end_s - cough.start_s, 3)
        row = [cough.number, cough.time, cough.start_s, cough.end_s, duration, cough.probability]
        for name in models:
            answer = (cough.answers or {}).get(name)
            row += [answer.label, answer.probability] if answer else [None, None]
        rows.append(row)
    return to_csv(pd.DataFrame(rows, columns=columns))


def archive(coughs, sounds):
    """A ZIP file of the coughs.

    Parameters
    ----------
    coughs : list of Cough
        The coughs.
    sounds : dict of int to ndarray of int16
        Sound by number, of some of them.

    Returns
    -------
    bytes
        One WAV file a cough whose sound is kept, named after its number and time, and the list of all of them as CSV.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        _put(file, "coughs.csv", csv(coughs), max((cough.at for cough in coughs), default=0))
        for cough in coughs:
            if cough.number in sounds:
                name = f"cough-{cough.number:04}-{cough.time.replace(':', '')}.wav"
                _put(file, name, audio.encode_wav(sounds[cough.number] / 32768, RATE), cough.at)
    return buffer.getvalue()


def _put(archive, name, content, at):
    """Put a file into an archive with the time of its cough, if it is one that a ZIP file can hold."""
    year, *rest = datetime.fromtimestamp(at, UTC).timetuple()[:6]
    told = zipfile.ZipInfo(name, (min(max(year, 1980), 2107), *rest))
    told.external_attr = 0o644 << 16
    archive.writestr(told, content, zipfile.ZIP_DEFLATED)
