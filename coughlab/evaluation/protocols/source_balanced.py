"""Random people, with equal numbers of recordings of both labels from each source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coughlab.evaluation import splits
from coughlab.evaluation.protocols.base import Protocol
from coughlab.task import Task
from coughlab.text import listed

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd


def _ruled_out(features: pd.DataFrame, task: Task) -> str:
    if features.groupby("source")["label"].nunique().max() > 1:
        return ""
    sources = features.groupby("label", sort=False)["source"].unique()
    by_label = "; ".join(f"{task.title(label)}: {listed(names)}" for label, names in sources.items())
    return f"Cannot be made: no source has recordings of both labels ({by_label}), so the source alone gives the label away."


SOURCE_BALANCED = Protocol(
    name="source-balanced",
    order=40,
    title="Without the shortcut's help",
    explained="As many recordings with {condition} as without from each source, so that where a recording comes from does not"
    " tell its label; nobody, as far as the dataset tells people apart, is on both sides.",
    description="as person-disjoint, with as many recordings of either label from each source, so that where a recording comes"
    " from does not tell its label",
    caption="random 70/30 splits of people, each source with as many of either label",
    choice="Sources balanced",
    column="sources balanced",
    opening="When each source gives as many recordings with {condition} as without",
    marker=("star", "#009e73"),
    split=splits.source_balanced,
    ruled_out=_ruled_out,
)
