"""How scores and their intervals are written and compared; few imports, because answering a request imports it."""

import math
from collections.abc import Mapping
from typing import Literal

from coughlab.evaluation.metrics import METRICS

#: The metric of a step without positive people: the share of recordings that are predicted positive, 1 - specificity.
FALSE_ALARMS = "false_alarms"
#: The baseline trained on the recording chain instead of the cough.
SHORTCUT = "shortcut"
#: The baseline whose answers are random.
RANDOM = "random"


def write(value: float, metric: str = "roc_auc") -> str:
    """A formatted value of a metric: "0.97" or "97%"; if it would wrongly round to 0 or 1, "under 0.01" or "over 0.99"."""
    return _record(metric).write(value)


def _record(metric):
    return METRICS[metric if metric != FALSE_ALARMS else "specificity"]


def write_interval(row: Mapping) -> str:
    """The formatted 95% interval of a step; in words if there is none."""
    if math.isnan(row["low"]):
        return "no interval"
    form = _record(row["metric"]).written
    return f"{row['low']:{form}} to {row['high']:{form}}"


def compared(low: float, high: float, baseline: float) -> Literal["better", "worse", "compatible", "unknown"]:
    """How a score with a 95% interval compares to the score of guessing; "unknown" without an interval.

    Uses the limits as shown, with two decimals, so that the words agree with the numbers beside them.
    """
    if math.isnan(low) or math.isnan(high) or math.isnan(baseline):
        return "unknown"
    low, high, baseline = round(low, 2), round(high, 2), round(baseline, 2)
    if low > baseline:
        return "better"
    return "worse" if high < baseline else "compatible"
