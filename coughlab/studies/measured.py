"""Measurements on every recording of a dataset, before training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coughlab import audio, datasets
from coughlab.datasets import duplicates, survey
from coughlab.features import acoustic
from coughlab.features.inputs import INPUTS
from coughlab.system.parallel import Engine
from coughlab.system.progress import Progress, silent
from coughlab.task import Task

#: Columns of the feature table about the file.
FACTS = ["container", "codec", "sample_rate", "channels", "bit_depth", "duration_s"]


@dataclass(frozen=True)
class Measured:
    """Measurements on every recording of a dataset."""

    #: The feature table.
    table: pd.DataFrame
    #: For every requested kind of input, one item per row of the table.
    inputs: dict[str, list[np.ndarray]]
    #: Number of listed rows without a decodable file.
    left_out: int = 0

    @property
    def labels(self) -> np.ndarray:
        """1 if the row is positive, else 0: shape (n,), int."""
        return self.table["positive"].to_numpy(int)


def measure(
    dataset: datasets.Dataset,
    task: Task,
    kinds: Iterable[str] = (),
    progress: Progress = silent,
    engine: Engine | None = None,
) -> Measured:
    """Measure every decodable recording of a dataset, and find the copies.

    `kinds` are inputs to compute besides the features. In the table, ``audio`` numbers the groups of rows with the same audio. If
    the same audio is listed under two people's names, ``person`` is the same for both.
    """
    engine = engine or Engine()
    surveyed = survey.run(dataset, progress, engine=engine)
    usable = np.flatnonzero(surveyed["status"] == "ok")
    audio_of = duplicates.find(surveyed)["audio"].iloc[usable].reset_index(drop=True)
    table = dataset.table.iloc[usable].reset_index(drop=True)
    table["person"] = duplicates.people(table["person"], audio_of)
    facts = surveyed[FACTS].iloc[usable].reset_index(drop=True)
    inputs = _inputs(table["path"].tolist(), sorted({"features", *kinds}), progress, engine)
    measured = pd.DataFrame(inputs["features"], columns=list(acoustic.NAMES))
    table.insert(table.columns.get_loc("label") + 1, "positive", task.is_positive(table["label"]))
    columns = [table.drop(columns="path"), audio_of.rename("audio"), facts, measured]
    return Measured(pd.concat(columns, axis=1), inputs, len(surveyed) - len(usable))


def _inputs(paths, kinds, progress, engine):
    """For every kind of input, one item per path."""
    inputs, done, size = {kind: [None] * len(paths) for kind in kinds}, 0, engine.together
    starts = range(0, len(paths), size)
    progress("Measuring recordings", 0, len(paths))
    for start, measured in engine.map(
        _measured_inputs,
        starts,
        lambda start: (kinds, [Path(path).absolute() for path in paths[start : start + size]]),
    ):
        for row, one in enumerate(measured, start=start):
            done += 1
            progress("Measuring recordings", done, len(paths))
            for kind in kinds:
                inputs[kind][row] = one[kind]
    return inputs


def _measured_inputs(task):
    kinds, paths = task
    recordings = (audio.load(path, survey.LIMITS) for path in paths)
    return [{kind: INPUTS[kind](recording) for kind in kinds} for recording in recordings]
