"""People with several recordings, which a random split would put on both sides."""

from functools import partial

import pandas as pd

from coughlab.audit.checks import SEVERITIES, Check, Findings, Inputs, example, finding
from coughlab.audit.checks._copies import severity
from coughlab.audit.words import about, people, verb
from coughlab.datasets import duplicates
from coughlab.evaluation.splits import TEST_SHARE
from coughlab.text import percent


def _find(inputs: Inputs) -> Findings:
    usable = inputs.usable
    if usable.empty:
        return
    sizes = usable["person"].value_counts()
    several = sizes[sizes > 1]
    if several.empty:
        message = (
            "Every recording stands under a person of its own. Either everybody was recorded once, or the dataset does not say"
            " who coughed; then it is unknown whether a model was tested on people it was trained on."
        )
        advice = "Find out whether people were recorded several times, and if so get their (made-up) names."
        yield finding("note", 0, message, advice)
        return
    tested = 1 - (1 - TEST_SHARE) ** sizes
    both = tested - TEST_SHARE**sizes
    share, n_both = float(both.sum() / tested.sum()), float(both.sum())
    message = (
        f"{people(len(several))} {verb(len(several), 'has', 'have')} several recordings,"
        f" {several.sum():,} in all.{_merged(several.index, inputs.table)} If recordings are split at random, 70% to train and"
        f" 30% to test, {about(n_both)} {verb(max(round(n_both), 1), 'stands', 'stand')} on both sides:"
        f" {percent(share)} of those tested on. A model can score by recognising them."
    )
    advice = "Split people, not recordings, into train and test (the person-disjoint protocol)."
    of = usable[usable["person"].isin(several.index)].groupby("person")["recording"].agg(list)
    groups = of.loc[several.index].tolist()
    yield finding(severity(share), several.sum(), message, advice, groups=len(several), examples=groups)


def _merged(persons: pd.Index, table: pd.DataFrame) -> str:
    """A sentence on how many of these people are listed under several names; "" if none are."""
    table = table[table["status"] == "ok"]
    names = table["person"].groupby(duplicates.people(table["person"], table["audio"])).nunique()
    n = int((names.reindex(persons) > 1).sum())
    if not n:
        return ""
    return (
        f" {n:,} of them {verb(n, 'stands', 'stand')} in the data under several names, which count as one person"
        " because the same sound is there under each."
    )


CHECK = Check(
    "person_overlap",
    "People with several recordings",
    "People whom a random split would put on both sides, or that nothing tells who coughed.",
    severities=SEVERITIES,
    order=8,
    find=_find,
    example=partial(example, between=", "),
)
