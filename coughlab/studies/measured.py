"""What is known of every recording of a dataset before anything is trained on it."""

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

#: What the feature table says of a file.
FACTS = ["container", "codec", "sample_rate", "channels", "bit_depth", "duration_s"]


@dataclass(frozen=True)
class Measured:
    """What is known of every recording of a dataset."""

    #: The feature table.
    table: pd.DataFrame
    #: For every kind of input asked for, one item a row of the table.
    inputs: dict[str, list[np.ndarray]]
    #: How many listed rows have no file that can be decoded.
    left_out: int = 0

    @property
    def labels(self) -> np.ndarray:
        """1 where the row is positive, else 0: shape (n,), int."""
        return self.table["positive"].to_numpy(int)


def measure(
    dataset: datasets.Dataset,
    task: Task,
    kinds: Iterable[str] = (),
    progress: Progress = silent,
    engine: Engine | None = None,
) -> Measured:
    """Measure every recording of a dataset that can be decoded, and find the copies among them.

    `kinds` are inputs that are wanted beside the features. In the table ``audio`` numbers the groups of rows that hold the same
    audio; ``person`` is one where the same audio stands under two people's names.
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
    """For every kind of input, one item a path."""
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
