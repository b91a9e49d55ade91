"""The share of the rows predicted positive that are positive."""

from coughlab.evaluation.metrics.base import Metric

PRECISION = Metric(
    name="precision",
    order=50,
    title="Precision",
    of=lambda sums: sums["tp"] / (sums["tp"] + sums["fp"]),
)
