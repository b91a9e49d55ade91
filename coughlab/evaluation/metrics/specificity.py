"""The share of the negative rows that are predicted negative."""

from coughlab.evaluation import intervals
from coughlab.evaluation.metrics.base import Metric

SPECIFICITY = Metric(
    name="specificity",
    order=40,
    title="Specificity",
    of=lambda sums: sums["tn"] / sums["negatives"],
    explained="The share of the recordings without {condition} that are predicted so. Always answering not {condition} would give"
    " 100%.",
    majority=lambda share, positive: float(not positive),
    evidence=5,
    share_of="negatives",
    floor=lambda values, people: (
        intervals.wilson(values["specificity"], people["negatives"]) if people["negatives"] else None
    ),
)
