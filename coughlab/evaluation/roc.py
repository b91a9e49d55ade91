"""ROC and precision-recall curves of a set of rows, thresholds chosen on them, and the band of the curves of many splits.

A probability at or above the threshold is predicted positive; `positive` is the class of each row, true or false. A curve is a
pair ``(x, y)`` of arrays with x ascending from 0 to 1, to be joined by straight lines; for rows of one class both are empty.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

Curve = tuple[np.ndarray, np.ndarray]

#: Share of the splits inside a band.
BAND = 0.95


def roc(positive: ArrayLike, probabilities: ArrayLike) -> Curve:
    """False positive rate and sensitivity; the area under the lines is the ROC AUC."""
    _, tp, fp = _counts(positive, probabilities)
    if not len(tp):
        return np.empty(0), np.empty(0)
    tp, fp = np.append(0, tp), np.append(0, fp)
    # Points on a straight line between two others are not needed.
    corner = np.concatenate([[True], (np.diff(fp, 2) != 0) | (np.diff(tp, 2) != 0), [True]])
    return fp[corner] / fp[-1], tp[corner] / tp[-1]


def precision_recall(positive: ArrayLike, probabilities: ArrayLike) -> Curve:
    """Recall and precision, as steps; the last recall can lie one rounding above 1.

    Up to a recall that is reached, precision is that of the highest threshold that reaches it, so that the area under the lines
    is the average precision. Straight lines between the points would be too optimistic (J. Davis and M. Goadrich, "The
    relationship between precision-recall and ROC curves", ICML 2006).
    """
    _, tp, fp = _counts(positive, probabilities)
    if not len(tp):
        return np.empty(0), np.empty(0)
    # Between two points with the same recall the curve falls vertically.
    corner = (np.diff(tp, prepend=-1) != 0) | (np.diff(tp, append=-1) != 0)
    precision, recall = (tp / (tp + fp))[corner], (tp / tp[-1])[corner]
    before = np.concatenate([[0.0], recall[:-1]])
    # The step is just after a recall that is reached: at that recall the curve still has the precision that belongs to it. If a
    # lower threshold only adds false positives, the curve falls vertically.
    x = np.stack(
        [np.nextafter(before, 2), np.where(recall == before, np.nextafter(recall, 2), recall)], axis=1
    )
    x[0] = 0, recall[0]
    return x.ravel(), np.repeat(precision, 2)


def band(curves: Iterable[Curve], grid: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, and limits of the middle `BAND`, of the curves that are not empty, evaluated at `grid`; NaN if all are empty."""
    grid = np.asarray(grid, dtype=float)
    read = np.array([np.interp(grid, x, y) for x, y in curves if len(x)])
    if not len(read):
        mean, low, high = np.full((3, len(grid)), np.nan)
        return mean, low, high
    low, high = np.quantile(read, [(1 - BAND) / 2, (1 + BAND) / 2], axis=0)
    return read.mean(axis=0), low, high


def youden(positive: ArrayLike, probabilities: ArrayLike) -> float | None:
    """The threshold of Youden's J: where sensitivity + specificity - 1 is highest (W. J. Youden, Cancer 3, 1950).

    One of the probabilities, the highest of equally good ones; None if the rows are of one class.
    """
    thresholds, tp, fp = _counts(positive, probabilities)
    if not len(tp):
        return None
    # J times the sizes of both classes, in whole numbers, so that rounding does not separate equally good thresholds.
    return float(thresholds[np.argmax(tp * fp[-1] - fp * tp[-1])])


def keeping_sensitivity(positive: ArrayLike, probabilities: ArrayLike, sensitivity: float) -> float | None:
    """The highest threshold that keeps a sensitivity, above 0 and at most 1; None if no row is positive."""
    of_positives = np.sort(np.asarray(probabilities)[np.asarray(positive, dtype=bool)])[::-1]
    if not len(of_positives):
        return None
    reached = np.arange(1, len(of_positives) + 1) / len(of_positives)
    return float(of_positives[np.argmax(reached >= sensitivity)])


def _counts(positive, probabilities):
    """Thresholds from the highest, and true and false positives at each; three empty arrays if the rows are of one class."""
    # Not scikit-learn's functions, whose import would delay a page by a second.
    positive, probabilities = np.asarray(positive, dtype=bool), np.asarray(probabilities)
    if positive.all() or not positive.any():
        return np.empty((3, 0))
    thresholds = np.unique(probabilities)[::-1]
    tp, fp = (
        of.sum() - np.searchsorted(np.sort(probabilities[of]), thresholds) for of in (positive, ~positive)
    )
    return thresholds, tp, fp
