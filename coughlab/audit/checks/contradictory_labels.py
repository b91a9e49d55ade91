"""The same sound under different labels."""

from coughlab.audit.checks import Check, Findings, Inputs, finding
from coughlab.audit.words import verb
from coughlab.datasets.duplicates import contradictory
from coughlab.datasets.labels import title
from coughlab.text import counted


def _find(inputs: Inputs) -> Findings:
    rows = inputs.table[contradictory(inputs.table["label"], inputs.table["audio"])]
    if rows.empty:
        return
    named = rows["recording"] + " (" + rows["label"].map(title) + ")"
    groups = named.groupby(rows["audio"]).agg(list).tolist()
    message = (
        f"{counted(len(groups), 'sound')} {verb(len(groups), 'stands', 'stand')} under more than one label, in"
        f" {len(rows):,} recordings. One of the labels must be wrong, and the sound does not show which."
    )
    advice = (
        "Ask the people who collected the data which label is right, or leave all of these recordings out."
    )
    yield finding("severe", len(rows), message, advice, groups=len(groups), examples=groups)


CHECK = Check(
    "contradictory_labels",
    "The same sound under different labels",
    "The same or nearly the same audio under more than one label.",
    severities=("severe",),
    order=3,
    find=_find,
)
