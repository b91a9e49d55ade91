"""The mean of minus the logarithm of the probability given to the right class."""

import numpy as np

from coughlab.evaluation.metrics.base import Metric, Rows


def _surprise(rows: Rows) -> np.ndarray:
    # A wrong probability of 0 or 1 would give an infinite loss; scikit-learn clips probabilities too.
    sure = np.clip(rows["probability"], np.finfo(float).eps, 1 - np.finfo(float).eps)
    return -np.log(np.where(rows["positive"], sure, 1 - sure))


LOG_LOSS = Metric(
    name="log_loss",
    order=10,
    title="Log loss",
    of=lambda sums: sums["log_loss"] / sums["n"],
    terms={"log_loss": _surprise},
    written=".2f",
    most=np.inf,
    less_is_better=True,
)
