"""Trained on all of one dataset, tested on another."""

from coughlab.evaluation.protocols.base import Protocol

ON_ANOTHER_DATASET = Protocol(
    name="external",
    order=50,
    title="On another dataset",
    explained="Trained on everything here, tested on recordings that somebody else collected.",
    description="trained on all recordings without copies, as the model that answers, and tested on another dataset",
    caption="trained on all of another dataset",
    choice="Another dataset",
    column="on another dataset",
    opening="On another dataset",
    marker=("diamond", "#d55e00"),
    split=None,
)
