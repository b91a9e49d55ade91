"""The share of rows that are predicted correctly."""

from coughlab.evaluation import intervals
from coughlab.evaluation.metrics.base import Metric

ACCURACY = Metric(
    name="accuracy",
    order=20,
    title="Accuracy",
    of=lambda sums: (sums["tp"] + sums["tn"]) / sums["n"],
    explained="The share of recordings that are predicted rightly. Where one label is much commoner than the other, always"
    " answering that label has a high accuracy too.",
    majority=lambda share, positive: share,
    evidence=2,
    share_of="all",
    floor=lambda values, people: intervals.wilson(values["accuracy"], people["all"]),
)
