"""How scores and their intervals are written and compared; light, since answering a request imports it."""

import math
from collections.abc import Mapping
from typing import Literal

from coughlab.evaluation.metrics import METRICS

#: The metric of a step where nobody is positive: the share of recordings that are predicted positive, 1 - specificity.
FALSE_ALARMS = "false_alarms"
#: The baseline trained on the recording chain instead of the cough.
SHORTCUT = "shortcut"
#: The baseline whose answers are random.
RANDOM = "random"


def write(value: float, metric: str = "roc_auc") -> str:
    """A value of a metric as people read it: "0.97" or "97%"; what would round to 0 or 1 says so."""
    return METRICS[metric if metric != FALSE_ALARMS else "specificity"].write(value)


def write_interval(row: Mapping) -> str:
    """The 95% interval of a step as people read it; in words where there is none."""
    if math.isnan(row["low"]):
        return "no interval"
    form = ".2f" if row["metric"] == "roc_auc" else ".0%"
    return f"{row['low']:{form}} to {row['high']:{form}}"


def compared(low: float, high: float, baseline: float) -> Literal["better", "worse", "compatible", "unknown"]:
    """How a score with a 95% interval compares to what guessing gives; "unknown" where there is no interval.

    The edges are taken as they are shown, with two decimals, so that the words never say more than the numbers beside them.
    """
    if math.isnan(low) or math.isnan(high) or math.isnan(baseline):
        return "unknown"
    low, high, baseline = round(low, 2), round(high, 2), round(baseline, 2)
    if low > baseline:
        return "better"
    return "worse" if high < baseline else "compatible"
