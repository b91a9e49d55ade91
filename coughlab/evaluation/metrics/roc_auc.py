"""The share of pairs of a positive and a negative row that are ranked correctly (D. Bamber, J. Math. Psychol. 12, 1975)."""

import math

from coughlab.evaluation import intervals
from coughlab.evaluation.metrics.base import Metric

ROC_AUC = Metric(
    name="roc_auc",
    order=70,
    title="ROC AUC",
    of=lambda sums: sums["concordant"] / (sums["positives"] * sums["negatives"]),
    explained="Take one recording with {condition} and one without: the ROC AUC says how often the model gives the one with"
    " {condition} the higher probability. Guessing gives 0.5.",
    chance=0.5,
    majority=lambda share, positive: 0.5,
    written=".2f",
    evidence=1,
    floor=lambda values, people: (
        None
        if math.isnan(values["roc_auc"])
        else intervals.newcombe(values["roc_auc"], people["positives"], people["negatives"])
    ),
)
