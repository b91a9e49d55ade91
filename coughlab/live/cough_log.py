"""The coughs so far: a list and their sound, both of bounded size, and their export."""

import io
import zipfile
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from coughlab import audio, detector
from coughlab.audio.opus import RATE
from coughlab.serving.predictors import Answer
from coughlab.text import to_csv

#: Most coughs on the list: one every ten seconds for a whole day.
LISTED = 10_000
#: The sound of the newest coughs is kept, at most this many seconds in all: 17 MB.
KEPT_S = 180.0
MINUTE = 60.0


@dataclass(frozen=True)
class Cough:
    """One cough, and the models' answers about it alone; None until they are available."""

    number: int  # counted from 1
    start_s: float  # seconds of sound since listening began
    end_s: float
    probability: float  # that it is a cough
    at: float  # time of its start, in seconds since 1970
    answers: dict[str, Answer] | None = field(default=None, hash=False)

    @property
    def time(self) -> str:
        """Its start, as ISO 8601 in UTC to the hundredth of a second."""
        at = datetime.fromtimestamp(self.at, UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 10_000:02}Z"


class Log:
    """The coughs so far. Not thread-safe: the caller needs a lock."""

    def __init__(self) -> None:
        self._coughs: deque[Cough] = deque(maxlen=LISTED)
        self._sounds: dict[int, np.ndarray] = {}  # 16-bit samples by number, oldest first
        self._kept = 0  # number of these samples
        self.total = 0

    def __len__(self) -> int:
        return len(self._coughs)

    def add(self, event: detector.Event, at: float) -> Cough:
        """Add a cough: its seconds count from the start of listening, `at` is its time in seconds since 1970."""
        self.total += 1
        cough = Cough(self.total, event.start_s, event.end_s, event.probability, at)
        self._coughs.append(cough)
        return cough

    def complete(self, number: int, samples: np.ndarray, answers: dict[str, Answer] | None) -> None:
        """Store a cough's sound and the models' answers; the oldest sounds are dropped to make room."""
        place = number - self.total - 1
        if -place > len(self._coughs):
            return
        self._coughs[place] = replace(self._coughs[place], answers=answers)
        sound = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
        self._sounds[number] = sound
        self._kept += sound.size
        while self._kept > KEPT_S * RATE and len(self._sounds) > 1:
            self._kept -= self._sounds.pop(next(iter(self._sounds))).size

    def newest(self, n: int) -> list[Cough]:
        """The last coughs, oldest first."""
        return [self._coughs[place] for place in range(-min(n, len(self._coughs)), 0)]

    @property
    def oldest_kept(self) -> int | None:
        """Number of the oldest cough whose sound is kept; None if there is none."""
        return next(iter(self._sounds), None)

    def since(self, seconds: float) -> int:
        """How many coughs ended after a time, in seconds since listening began."""
        count = 0
        for cough in reversed(self._coughs):
            if cough.end_s <= seconds:
                break
            count += 1
        return count

    def wav(self, number: int) -> bytes | None:
        """The sound of a cough as a WAV file; None if it is not kept."""
        sound = self._sounds.get(number)
        return None if sound is None else audio.encode_wav(sound / 32768, RATE)

    def copy(self) -> tuple[list[Cough], dict[int, np.ndarray]]:
        """A copy of the coughs and their sounds, for a slow export."""
        return list(self._coughs), dict(self._sounds)


def csv(coughs: list[Cough]) -> str:
    """The list of coughs as CSV: one row per cough, two columns per model."""
    import pandas as pd

    models = list(dict.fromkeys(name for cough in coughs for name in cough.answers or ()))
    columns = ["cough", "time_utc", "start_s", "end_s", "duration_s", "cough_probability"]
    columns += [f"{name}_{what}" for name in models for what in ("label", "probability")]
    rows = []
    for cough in coughs:
        duration = round(cough.end_s - cough.start_s, 3)
        row = [cough.number, cough.time, cough.start_s, cough.end_s, duration, cough.probability]
        for name in models:
            answer = (cough.answers or {}).get(name)
            row += [answer.label, answer.probability] if answer else [None, None]
        rows.append(row)
    return to_csv(pd.DataFrame(rows, columns=columns))


def archive(coughs: list[Cough], sounds: dict[int, np.ndarray]) -> bytes:
    """A ZIP file of the list of coughs as CSV, and a WAV file of each whose sound is kept, named after its number and time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        _put(file, "coughs.csv", csv(coughs), max((cough.at for cough in coughs), default=0))
        for cough in coughs:
            if cough.number in sounds:
                name = f"cough-{cough.number:04}-{cough.time.replace(':', '')}.wav"
                _put(file, name, audio.encode_wav(sounds[cough.number] / 32768, RATE), cough.at)
    return buffer.getvalue()


def _put(archive, name, content, at):
    """Put a file into an archive with the time of its cough, if a ZIP file can store that time."""
    year, *rest = datetime.fromtimestamp(at, UTC).timetuple()[:6]
    entry = zipfile.ZipInfo(name, (min(max(year, 1980), 2107), *rest))
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
