"""Rows with the same audio, and their effect on a random split."""

import pandas as pd

from coughlab.audit.checks import Findings, Inputs, finding
from coughlab.evaluation.splits import TEST_SHARE
from coughlab.text import counted, percent

#: Share of the test rows (copies) or people that a random split also trains on. Memorised rows can raise a score by as much:
#: severe from 5 points on, else a warning.
SEVERE_LEAK = 0.05


def severity(share: float) -> str:
    """Severity when this share of the test set is also in the training set."""
    return "severe" if share >= SEVERE_LEAK else "warning"


def grouped(rows: pd.DataFrame, by: str) -> pd.Series:
    """Names of the recordings that share a value of a column, one list per value."""
    return rows[rows[by].duplicated(keep=False)].groupby(by, sort=False)["recording"].agg(list)


def different(inputs: Inputs) -> pd.DataFrame:
    """The decoded recordings, each file once."""
    return inputs.table[inputs.table["status"] == "ok"].drop_duplicates("recording")


def copied(inputs: Inputs, groups: pd.Series, what: str) -> Findings:
    """Groups of copies as a finding."""
    if groups.empty:
        return
    sizes = groups.map(len)
    tested = TEST_SHARE * len(inputs.table)
    seen = float((TEST_SHARE * sizes * (1 - TEST_SHARE ** (sizes - 1))).sum() / tested)
    message = (
        f"{sizes.sum():,} {what}; they make {counted(len(groups), 'group')}. If recordings are split at random,"
        f" 70% to train and 30% to test, {percent(seen)} of those tested have a copy among those trained on, and the"
        " model only has to remember them."
    )
    advice = "Keep one recording of each group, or keep each group on one side when you split them into train and test."
    yield finding(severity(seen), sizes.sum(), message, advice, groups=len(groups), examples=groups.tolist())
