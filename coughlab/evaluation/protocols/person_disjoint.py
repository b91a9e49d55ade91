"""Random people: no person on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coughlab.evaluation import splits
from coughlab.evaluation.protocols.base import Protocol
from coughlab.task import Task

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd


def _ruled_out(features: pd.DataFrame, task: Task) -> str:
    once = features.drop_duplicates("audio") if "audio" in features else features
    if once["person"].duplicated().any():
        return ""
    return "Cannot be made: the dataset tells of nobody who coughed twice, so each recording counts as a person of its own."


PERSON_DISJOINT = Protocol(
    name="person-disjoint",
    order=30,
    title="Without shared people",
    explained="Besides, nobody who is tested on was trained on.",
    description="as deduplicated, and nobody is on both sides: 70% of the people to train and 30% to test",
    caption="random 70/30 splits of people, without copies",
    choice="Nobody on both sides",
    column="nobody on both sides",
    opening="When every recording counts once and nobody is both trained and tested on",
    marker=("triangle-up", "#0072b2"),
    split=splits.person_disjoint,
    ruled_out=_ruled_out,
)
