"""The metrics, one module each, defined as scikit-learn's functions of the same names. To add one, add a module here.

A probability at or above the threshold is predicted positive; a score is the mean over splits, as in the case study.
"""

from coughlab.evaluation.metrics.base import Metric
from coughlab.system.registry import discover

__all__ = ["EVIDENCE", "METRICS", "PER_SPLIT", "SHARES", "SHOWN", "Metric", "evidence_columns"]

#: Every metric by name.
METRICS: dict[str, Metric] = discover(__name__, Metric)
#: Metrics in the table of all splits.
PER_SPLIT = {name: metric for name, metric in METRICS.items() if metric.per_split}
_WITH_EVIDENCE = sorted(
    (metric for metric in METRICS.values() if metric.evidence), key=lambda one: one.evidence or 0
)
#: Metrics with an interval by the bootstrap over people.
EVIDENCE = {metric.name: metric for metric in _WITH_EVIDENCE}
#: Metrics that the Reality check shows.
SHOWN = {name: metric for name, metric in EVIDENCE.items() if metric.explained}
#: Shares of right answers, with Wilson's interval.
SHARES = {name: metric for name, metric in METRICS.items() if metric.share_of}


def evidence_columns() -> list[str]:
    """The columns of `EVIDENCE` in a table: each value and the ends of its interval."""
    return [f"{name}{end}" for name in EVIDENCE for end in ("", "_low", "_high")]
