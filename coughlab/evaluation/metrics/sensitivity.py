"""The share of the positive rows that are predicted positive."""

from coughlab.evaluation import intervals
from coughlab.evaluation.metrics.base import Metric

SENSITIVITY = Metric(
    name="sensitivity",
    order=30,
    title="Sensitivity",
    of=lambda sums: sums["tp"] / sums["positives"],
    explained="The share of the recordings with {condition} that are predicted {condition}. Always answering {condition} would"
    " give 100%.",
    majority=lambda share, positive: float(positive),
    evidence=4,
    share_of="positives",
    floor=lambda values, people: (
        intervals.wilson(values["sensitivity"], people["positives"]) if people["positives"] else None
    ),
)
