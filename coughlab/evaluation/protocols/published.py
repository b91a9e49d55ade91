"""The case study's protocol: random rows."""

from coughlab.evaluation import splits
from coughlab.evaluation.protocols.base import Protocol

PUBLISHED = Protocol(
    name="published",
    order=10,
    title="As published",
    explained="Rows split at random, as in the case study. Copies of a recording, and the same person, can be on both sides.",
    description="random rows, 70% to train and 30% to test; one person, or a copy of one recording, can be on both sides",
    caption="random 70/30 splits",
    choice="Random rows, as published",
    column="as published",
    opening="tested as published, with rows split at random",
    marker=("circle-open", "#8c8c8c"),
    split=lambda table, **options: splits.published(table["positive"].to_numpy(int), **options),
    most_splits=None,
    trained_rows=True,
)
