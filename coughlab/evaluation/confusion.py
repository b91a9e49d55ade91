"""Confusion, precision and recall matrices at every threshold, and the recordings in their cells.

A probability at or above the threshold is predicted positive. A row that was tested in several splits counts in each. The
confusion matrix divides the counts by all rows, the precision matrix by column, the recall matrix by row. Intervals of the shares
are Wilson's at 95%; the number of trials is the number of different people among the rows of the denominator.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from coughlab.evaluation import intervals

MATRICES = ("confusion", "precision", "recall")
#: The cells, row by row: whether it is positive, whether it is predicted positive.
CELLS = {"tp": (True, True), "fn": (True, False), "fp": (False, True), "tn": (False, False)}
#: Stops of a threshold slider.
STEPS = np.arange(101) / 100


def at(rows: pd.DataFrame, thresholds: ArrayLike) -> pd.DataFrame:
    """The three matrices at every threshold.

    Returns
    -------
    pandas.DataFrame, shape (12 t, ...)
        For each threshold, in their order, each matrix of `MATRICES` and in it each cell of `CELLS`: ``threshold``, ``matrix``,
        ``cell``, ``count``, ``of`` (rows in the denominator), ``share``, ``low`` and ``high`` (its interval), ``people``
        (different people among those rows). If the denominator is 0, share and interval are missing.
    """
    thresholds = np.asarray(thresholds, dtype=float)
    positive = rows["positive"].to_numpy(dtype=bool)
    probability = rows["probability"].to_numpy()
    person = rows["person"].astype("category").cat.codes.to_numpy()
    tp, fp = (_at_or_above(probability[of], thresholds) for of in (positive, ~positive))
    count = np.stack([tp, positive.sum() - tp, fp, (~positive).sum() - fp], axis=1)
    tp, fn, fp, tn = count.T
    # A person counts as predicted positive if their highest probability is, and as predicted negative if their lowest is.
    by_person = pd.Series(probability).groupby(person)
    predicted = _at_or_above(by_person.max().to_numpy(), thresholds)
    others = by_person.ngroups - _at_or_above(by_person.min().to_numpy(), thresholds)
    with_it, without, everyone = (
        np.full(len(thresholds), len(np.unique(person[of]))) for of in (positive, ~positive, slice(None))
    )
    of = {
        "confusion": [tp + fn + fp + tn] * 4,
        "precision": [tp + fp, fn + tn, tp + fp, fn + tn],
        "recall": [tp + fn, tp + fn, fp + tn, fp + tn],
    }
    people = {
        "confusion": [everyone] * 4,
        "precision": [predicted, others, predicted, others],
        "recall": [with_it, with_it, without, without],
    }
    shape = (len(thresholds), len(MATRICES), len(CELLS))
    table = pd.DataFrame(
        {
            "threshold": np.repeat(thresholds, len(MATRICES) * len(CELLS)),
            "matrix": np.tile(np.repeat(MATRICES, len(CELLS)), len(thresholds)),
            "cell": np.tile(list(CELLS), len(thresholds) * len(MATRICES)),
            "count": np.broadcast_to(count[:, None], shape).ravel(),
            "of": np.array([of[matrix] for matrix in MATRICES]).transpose(2, 0, 1).ravel(),
        }
    )
    share = table["count"] / table["of"].where(table["of"] > 0)
    of_people = np.array([people[matrix] for matrix in MATRICES]).transpose(2, 0, 1).ravel()
    # At least one person, to avoid a division by 0: a missing share has no interval anyway.
    low, high = intervals.wilson(share, np.maximum(of_people, 1))
    return table.assign(share=share, low=low, high=high, people=of_people)


def cell(rows: pd.DataFrame, threshold: float, name: str) -> pd.DataFrame:
    """The recordings in one cell of `CELLS`, of rows of one model and one role.

    Returns
    -------
    pandas.DataFrame
        One row per row of the dataset in the cell, the surest first: ``row``, ``recording``, ``person``, ``label``,
        ``probability`` (mean over the splits in which it is in the cell), ``lowest`` and ``highest`` of them, ``splits`` (tuple
        of their numbers) and ``tested`` (number of splits of `rows` in which it occurs).
    """
    positive, predicted = CELLS[name]
    inside = rows[(rows["positive"] == positive) & ((rows["probability"] >= threshold) == predicted)]
    found = (
        inside.sort_values("split")
        .groupby("row", as_index=False)
        .agg(
            recording=("recording", "first"),
            person=("person", "first"),
            label=("label", "first"),
            probability=("probability", "mean"),
            lowest=("probability", "min"),
            highest=("probability", "max"),
            splits=("split", tuple),
        )
    )
    found["tested"] = found["row"].map(rows["row"].value_counts())
    return found.sort_values("probability", ascending=not predicted, kind="stable", ignore_index=True)


def _at_or_above(values, thresholds):
    return len(values) - np.searchsorted(np.sort(values), thresholds, side="left")
