"""The mean of sensitivity and specificity."""

from collections.abc import Mapping

import numpy as np

from coughlab.evaluation import intervals
from coughlab.evaluation.metrics.base import Metric
from coughlab.evaluation.metrics.sensitivity import SENSITIVITY
from coughlab.evaluation.metrics.specificity import SPECIFICITY


def _floor(values: Mapping[str, float], people: Mapping[str, int]) -> tuple[float, float] | None:
    """Two Wilson intervals joined by the square-and-add rule (G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008)."""
    if np.isnan(values["balanced_accuracy"]):
        return None
    low_1, high_1 = intervals.wilson(values["sensitivity"], people["positives"])
    low_2, high_2 = intervals.wilson(values["specificity"], people["negatives"])
    centre, first, second = (values[name] for name in ("balanced_accuracy", "sensitivity", "specificity"))
    return (
        max(0.0, centre - np.hypot(first - low_1, second - low_2) / 2),
        min(1.0, centre + np.hypot(high_1 - first, high_2 - second) / 2),
    )


BALANCED_ACCURACY = Metric(
    name="balanced_accuracy",
    order=25,
    title="Balanced accuracy",
    of=lambda sums: (SENSITIVITY.of(sums) + SPECIFICITY.of(sums)) / 2,
    explained="The mean of sensitivity and specificity, so that either label counts the same. Guessing gives 50%.",
    chance=0.5,
    majority=lambda share, positive: 0.5,
    per_split=False,
    evidence=3,
    floor=_floor,
)
