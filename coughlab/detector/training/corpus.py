"""The detector's training data: coughs and other sounds of four public collections, in one table; no person is in two folds."""

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

#: Labels of a moment, in addition to the indices of `detect.CLASSES`: not a cough, unknown, and unknown in a recording that has a
#: cough somewhere.
NO_COUGH, UNKNOWN, MAYBE = 5, -1, -2
COUGH, VOICE, BREATH, OTHER, QUIET = range(5)
_CLASS = {"breathing": BREATH, "speech": VOICE, "vowel": VOICE}
#: Moments this far below the loudest one count as quiet, in dB.
QUIET_DB = 42.0
#: Moments within this range of the loudest one have the recording's class: a breath, a voice or another sound, in dB.
ACTIVE_DB = 25.0
#: Bursts this much fainter than the recording's loudest burst may be something else, in dB.
FAINT_DB = 15.0
#: Moments beside a burst that may belong to it.
EDGE = 1


def table(folder: Path, progress: Progress = silent) -> pd.DataFrame:
    """List the recordings of `COLLECTIONS`, whose folders are in `folder`.

    Returns
    -------
    pandas.DataFrame
        Columns ``collection``, ``recording``, ``person`` (for environmental sounds, the clip that a take was cut from; people
        with the same audio are merged), ``kind`` (``cough``, ``breathing``, ``speech``, ``vowel`` or an environmental sound),
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
    """Split people into folds of equal size, with each kind of sound spread over the folds as evenly as possible."""
    from sklearn.model_selection import StratifiedGroupKFold

    kind = listed["collection"] + " " + listed["kind"]
    fold = np.empty(len(listed), int)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(listed, kind, listed["person"])
    for number, (_, rows) in enumerate(folds):
        fold[rows] = number
    return fold


@dataclass(frozen=True, eq=False)
class Sound:
    """A recording at 16,000 Hz, and the label of each moment of 40 ms.

    Attributes
    ----------
    samples : ndarray, shape (n,), float32
        Peak 1.
    classes : ndarray, shape (ceil(n / 640),), int8
        Index of `detect.CLASSES`, `NO_COUGH`, `UNKNOWN` or `MAYBE`.
    bursts : tuple of (int, int)
        First moment of each cough, and the moment after its last.
    """

    samples: np.ndarray
    classes: np.ndarray
    bursts: tuple = ()


def sound(row: Mapping[str, Any]) -> Sound:
    """Decode one row of the table and label its moments.

    In recordings of coughs the loudest bursts count as coughs. The clips of AudioSet may have any sound besides coughs: one of
    their bursts is a cough, and the training has to find out which.
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
    """Decode every row of the table: a `Sound` each, or None for a silent one."""
    found: list[Sound | None] = []
    for number, row in enumerate(listed.to_dict("records")):
        progress("Reading recordings", number, len(listed))
        try:
            found.append(sound(row))
        except AudioError:
            found.append(None)
    return found
