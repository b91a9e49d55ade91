"""The mean over the positive rows of the precision at their own probability."""

from coughlab.evaluation.metrics.base import Metric

AVERAGE_PRECISION = Metric(
    name="average_precision",
    order=80,
    title="Average precision",
    of=lambda sums: sums["precision_there"] / sums["positives"],
    terms={"precision_there": lambda rows: (rows["positives_at_or_above"] / rows["at_or_above"]).fillna(0.0)},
)
