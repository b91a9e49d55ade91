"""The harmonic mean of precision and sensitivity."""

from coughlab.evaluation.metrics.base import Metric

F1 = Metric(
    name="f1",
    order=60,
    title="F1",
    of=lambda sums: 2 * sums["tp"] / (2 * sums["tp"] + sums["fp"] + sums["fn"]),
)
