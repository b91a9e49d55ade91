"""The mean squared error of the probability."""

from coughlab.evaluation.metrics.base import Metric

BRIER = Metric(
    name="brier",
    order=90,
    title="Brier score",
    of=lambda sums: sums["brier"] / sums["n"],
    terms={"brier": lambda rows: (rows["probability"] - rows["positive"]) ** 2},
    written=".3f",
    less_is_better=True,
    evidence=6,
)
