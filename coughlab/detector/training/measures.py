"""Measures of the detector: pure functions of its two tables."""

import numpy as np
import pandas as pd

from coughlab.detector.events import STEP_S, Tracker
from coughlab.evaluation.intervals import wilson

#: The detector's predictions table: one row per recording and run of the detector.
COLUMNS = [
    "protocol",
    "split",
    "tested_on",
    "recording",
    "person",
    "kind",
    "chain",
    "label",
    "probability",
    "seed",
]
#: The other table: the moments of scenes with coughs at known times.
EVENTS = "events.parquet"
#: A cough is found if a detected cough overlaps it; its start and end may be off by this many seconds.
TOLERANCE_S = 0.2
#: Kinds of sound in words; all other kinds are classes of environmental sounds.
KINDS = {"cough": "coughs", "breathing": "breathing", "speech": "speech", "vowel": "vowels"}


def threshold(asked: pd.DataFrame, false_share: float) -> float:
    """The lowest threshold with at most a given share of false positives, on people who were not trained on.

    At most `false_share` of the recordings without coughs in the predictions table `asked` may be predicted positive. The
    threshold is a multiple of 0.01, at least 0.5.
    """
    rows = asked[(asked["protocol"] == "person-disjoint") & (asked["chain"] == "as recorded")]
    others = rows.loc[rows["label"] == "other", "probability"].to_numpy()
    steps = np.round(np.arange(0.5, 1, 0.01), 2)
    held = [step for step in steps if (others >= step).mean() <= false_share]
    return float(held[0] if held else steps[-1])


def summary(asked: pd.DataFrame, at: float) -> pd.DataFrame:
    """Shares of recordings in which a cough is found, with their intervals.

    Parameters
    ----------
    asked : pandas.DataFrame
        The predictions table.
    at : float
        The threshold.

    Returns
    -------
    pandas.DataFrame
        One row per protocol, test collection, kind of sound and recording chain; all environmental sounds are one kind. Before
        these, one row for all coughs and one for all other sounds (``tested_on`` and ``kind`` are "all"): ``found``, ``low`` and
        ``high`` (Wilson's interval at 95% with the number of people as the number of trials), ``recordings``, ``people``.
    """
    rows = asked.assign(
        found=asked["probability"] >= at,
        kind=[kind if kind in KINDS else "environmental sounds" for kind in asked["kind"]],
    )
    keys = ["protocol", "chain", "label", "tested_on", "kind"]
    every = pd.concat([rows.assign(tested_on="all", kind="all"), rows])
    table = (
        every.groupby(keys, sort=False)
        .agg(found=("found", "mean"), recordings=("recording", "nunique"), people=("person", "nunique"))
        .reset_index()
    )
    low, high = wilson(table["found"], table["people"])
    return table.assign(low=low, high=high)


def coughs(events: pd.DataFrame, at: float) -> pd.DataFrame:
    """Detection of single coughs at known times.

    Parameters
    ----------
    events : pandas.DataFrame
        The table of moments.
    at : float
        The threshold.

    Returns
    -------
    pandas.DataFrame
        One row for each kind of ``ground``, and one for "all": ``coughs`` (their number), ``found`` (share of them overlapped by
        a detected cough), ``timed`` (share of the found ones whose start and end are both right to within `TOLERANCE_S`),
        ``extra`` (detected coughs that overlap none, divided by ``coughs``), ``alone`` (share of the found ones that were neither
        split nor joined with another).
    """
    rows = []
    for (ground, _), scene in events.groupby(["ground", "scene"], sort=False):
        tracker = Tracker(at)
        heard = tracker.push(scene["probability"]) + tracker.finish(len(scene) * STEP_S)
        found = [(event.start_s, event.end_s) for event in heard]
        true = spans(scene["cough"].to_numpy())
        partners = [[span for span in found if span[0] < end and span[1] > start] for start, end in true]
        alone = [
            len(own) == 1 and sum(own[0] in other for other in partners if other) == 1 for own in partners
        ]
        timed = [
            single and max(abs(own[0][0] - start), abs(own[0][1] - end)) <= TOLERANCE_S
            for own, single, (start, end) in zip(partners, alone, true, strict=True)
        ]
        extra = sum(not any(span in own for own in partners) for span in found)
        rows.append((ground, len(true), sum(map(bool, partners)), sum(alone), sum(timed), extra))
    table = pd.DataFrame(rows, columns=["ground", "coughs", "found", "alone", "timed", "extra"])
    table = pd.concat([table.assign(ground="all"), table]).groupby("ground", sort=False).sum().reset_index()
    found = table["found"].clip(lower=1)
    return table.assign(
        found=table["found"] / table["coughs"],
        alone=table["alone"] / found,
        timed=table["timed"] / found,
        extra=table["extra"] / table["coughs"],
    )


def spans(mask: np.ndarray) -> list[tuple[float, float]]:
    """Start and end in seconds of each run of moments where `mask` is true."""
    turns = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(mask, np.int8), [0]])))
    return [(start * STEP_S, end * STEP_S) for start, end in turns.reshape(-1, 2).tolist()]
