"""What the detector is trained on: coughs and other sounds of four public collections, in one table, with nobody in two folds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coughlab import datasets
from coughlab.audio import AudioError, load
from coughlab.datasets import duplicates, survey
from coughlab.detector import frames
from coughlab.detector.events import STEP_S
from coughlab.detector.training import bursts
from coughlab.detector.training.loaders import COLLECTIONS
from coughlab.features.levels import levels
from coughlab.system.progress import Progress, silent

FOLDS = 5

#: What a moment is known to be, beside the indices of `detect.CLASSES`: anything but a cough, unknown, or unknown in a recording
#: that holds a cough somewhere.
NO_COUGH, UNKNOWN, MAYBE = 5, -1, -2
COUGH, VOICE, BREATH, OTHER, QUIET = range(5)
_CLASS = {"breathing": BREATH, "speech": VOICE, "vowel": VOICE}
#: So far below the loudest moment nothing is heard, in dB.
QUIET_DB = 42.0
#: Within this of the loudest moment a breath, a voice or another sound is heard, in dB.
ACTIVE_DB = 25.0
#: Bursts so much fainter than the loudest of their recording may be something else, in dB.
FAINT_DB = 15.0
#: Moments beside a burst that may belong to it.
EDGE = 1


def table(folder: Path, progress: Progress = silent) -> pd.DataFrame:
    """List the recordings of `COLLECTIONS`, whose folders lie in `folder`.

    Returns
    -------
    pandas.DataFrame
        Columns ``collection``, ``recording``, ``person`` (of environmental sounds the clip that a take was cut from; those with
        the same audio merged), ``kind`` (``cough``, ``breathing``, ``speech``, ``vowel`` or an environmental sound),
        ``source``, ``path`` and ``fold``, from 0 to 4. Each audio once, and only what can be decoded.

    Raises
    ------
    coughlab.datasets.DatasetError
        If a collection is missing.
    """
    folder = Path(folder)
    if absent := [one.name for one in COLLECTIONS if not (folder / one.name).is_dir()]:
        raise datasets.DatasetError(f"{folder} has no folder {' and no '.join(absent)}. All four are needed.")
    parts = [read(folder / one.name).assign(collection=one.name) for one in COLLECTIONS for read in one.read]
    listed = pd.concat(parts, ignore_index=True)
    heard = survey.run(datasets.Dataset("detector", listed.assign(label=""), None), progress)
    progress("Looking for copies", 0, 1)
    same = duplicates.find(heard)
    listed["person"] = duplicates.people(listed["person"], same["audio"])
    progress("Looking for copies", 1, 1)
    listed = listed[(heard["status"] == "ok") & ~same["audio"].duplicated()].reset_index(drop=True)
    return listed.assign(fold=_folds(listed))


def _folds(listed):
    """Deal people into folds of equal size, each kind of sound by itself as far as people allow."""
    from sklearn.model_selection import StratifiedGroupKFold

    kind = listed["collection"] + " " + listed["kind"]
    fold = np.empty(len(listed), int)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(listed, kind, listed["person"])
    for number, (_, rows) in enumerate(folds):
        fold[rows] = number
    return fold


@dataclass(frozen=True, eq=False)
class Sound:
    """A recording at 16,000 Hz, and what each of its moments of 40 ms is.

    Attributes
    ----------
    samples : ndarray, shape (n,), float32
        Peak 1.
    classes : ndarray, shape (ceil(n / 640),), int8
        Index of `detect.CLASSES`, `NO_COUGH`, `UNKNOWN` or `MAYBE`.
    bursts : tuple of (int, int)
        First moment of each cough, and that after its last.
    """

    samples: np.ndarray
    classes: np.ndarray
    bursts: tuple = ()


def sound(row: Mapping[str, Any]) -> Sound:
    """Decode one row of the table and say what its moments are.

    In recordings of coughs the loudest bursts count as coughs; in the clips of AudioSet, which may hold anything beside coughs,
    one of them may be, and the detector has to find out which.
    """
    recording = load(row["path"], survey.LIMITS)
    y = frames.waveform(recording.samples, recording.rate)
    moments = -(-y.size // (frames.MOMENT * frames.HOP))
    return Sound(y / np.abs(y).max(), *_classes(recording, moments, row))


def _classes(recording, moments, row):
    db = levels(recording)
    n = frames.MOMENT * moments
    db = np.pad(db, (0, max(0, n - db.size)), mode="edge")[:n].reshape(-1, frames.MOMENT).max(axis=1)
    below = db.max() - db
    classes = np.where(below > QUIET_DB, QUIET, NO_COUGH).astype(np.int8)
    if row["source"] == "audioset":
        return np.where(below > QUIET_DB, QUIET, MAYBE).astype(np.int8), ()
    if row["kind"] != "cough":
        return np.where(below < ACTIVE_DB, _CLASS.get(row["kind"], OTHER), classes).astype(np.int8), ()
    spans = []
    for start_s, end_s in bursts.find(recording):
        start, end = round(start_s / STEP_S), max(round(end_s / STEP_S), round(start_s / STEP_S) + 1)
        around = classes[max(0, start - EDGE) : end + 2 * EDGE]
        around[around != COUGH] = UNKNOWN
        peak_db = db[start:end].max(initial=-np.inf)
        if peak_db > db.max() - FAINT_DB:
            classes[start:end] = COUGH
            spans.append((start, min(end, moments)))
    return classes, tuple(spans)


def load_all(listed: pd.DataFrame, progress: Progress = silent) -> list[Sound | None]:
    """Decode every row of the table: a `Sound` each, or None where nothing sounds."""
    found: list[Sound | None] = []
    for number, row in enumerate(listed.to_dict("records")):
        progress("Reading recordings", number, len(listed))
        try:
            found.append(sound(row))
        except AudioError:
            found.append(None)
    return found
