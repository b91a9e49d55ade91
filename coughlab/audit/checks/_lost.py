"""Lost files, and their share of each class."""

import pandas as pd

from coughlab.audit.checks import Findings, Inputs, finding
from coughlab.datasets.labels import title
from coughlab.text import counted, percent

#: If a fifth of a class or more is lost, the rest no longer represents the class: severe; else a warning.
SEVERE_LOSS = 0.2


def lost(inputs: Inputs, status: str, verbs: tuple[str, str], advice: str, *, why: bool = False) -> Findings:
    """The recordings with a status as a finding; with the reasons if these differ."""
    table = inputs.table
    rows = table[table["status"] == status]
    if rows.empty:
        return
    shares = rows["label"].value_counts() / table["label"].value_counts()
    shares = shares.fillna(0).sort_values(ascending=False)
    message = f"{counted(len(rows), 'listed recording')} {verbs[len(rows) > 1]}. That is {_by_label(shares[shares > 0])}."
    if why:
        reasons = rows["problem"].str.partition(". ")[0].str.rstrip(".").value_counts()
        message += " Why: " + "; ".join(f"{reason} ({n})" for reason, n in reasons.head(3).items()) + "."
    severity = "severe" if shares.max() >= SEVERE_LOSS else "warning"
    examples = [[name] for name in rows["recording"].drop_duplicates()]
    yield finding(severity, len(rows), message, advice, examples=examples)


def _by_label(shares: pd.Series) -> str:
    words = [
        f"{'all' if share == 1 else percent(share)} of {'those' if number else 'the recordings'} labelled {title(name)}"
        for number, (name, share) in enumerate(shares.items())
    ]
    return ", ".join(words[:4]) + (f" and some of {len(words) - 4:,} other labels" if len(words) > 4 else "")
