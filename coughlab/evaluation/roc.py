"""ROC and precision-recall curves of a set of rows, thresholds chosen on them, and the band of many splits' curves.

Conventions: a probability at or above the threshold is predicted positive. A curve is a pair
``(x, y)`` of arrays with x ascending from 0 to 1, to be joined by straight lines. Rows of one class have no curve: both arrays
are empty. Labels are the column ``positive`` of the predictions table, or 1 and 0.
"""

import numpy as np

#: Share of the splits that a band holds.
BAND = 0.95


def roc(labels, probabilities):
    """The receiver operating characteristic: sensitivity over false positive rate.

    Parameters
    ----------
    labels : array-like, shape (n,)
        Class of each row.
    probabilities : array-like, shape (n,)
        Probability of the positive class.

    Returns
    -------
    (ndarray, ndarray)
        False positive rate (1 - specificity) and sensitivity. The area under the lines is the ROC AUC.
    """
    positive = _positive(labels)
    if positive.all() or not positive.any():
        return np.empty(0), np.empty(0)
    _, tp, fp = _called(positive, probabilities)
    tp, fp = np.append(0, tp), np.append(0, fp)
    # Points between two others on a straight line draw nothing.
    corner = np.concatenate([[True], (np.diff(fp, 2) != 0) | (np.diff(tp, 2) != 0), [True]])
    return fp[corner] / fp[-1], tp[corner] / tp[-1]


def precision_recall(labels, probabilities):
    """Precision over recall, as steps.

    Up to a recall that is reached, precision is that of the highest threshold that reaches it, so that the area under the lines
    is the average precision. Straight lines between what is reached would promise too much (J. Davis and M. Goadrich, "The
    relationship between precision-recall and ROC curves", ICML 2006).

    Parameters
    ----------
    labels : array-like, shape (n,)
        Class of each row.
    probabilities : array-like, shape (n,)
        Probability of the positive class.

    Returns
    -------
    (ndarray, ndarray)
        Recall (sensitivity) and precision. The last recall can lie one rounding above 1.
    """
    positive = _positive(labels)
    if positive.all() or not positive.any():
        return np.empty(0), np.empty(0)
    _, tp, fp = _called(positive, probabilities)
    # Between two others with the same recall the curve falls upright.
    corner = (np.diff(tp, prepend=-1) != 0) | (np.diff(tp, append=-1) != 0)
    precision, recall = (tp / (tp + fp))[corner], (tp / tp[-1])[corner]
    before = np.concatenate([[0.0], recall[:-1]])
    # A step rises or falls just behind a recall that is reached: there the curve still has the precision that goes with it.
    # Where a lower threshold only adds false positives, the curve falls upright.
    x = np.stack(
        [np.nextafter(before, 2), np.where(recall == before, np.nextafter(recall, 2), recall)], axis=1
    )
    x[0] = 0, recall[0]
    return x.ravel(), np.repeat(precision, 2)


def band(curves, grid):
    """The mean of many curves and the band that holds most of them.

    Parameters
    ----------
    curves : list of (array-like, array-like)
        Curves of `roc`, or of `precision_recall`, one a split. Empty ones are left out.
    grid : array-like, shape (n,)
        Where to read the curves: false positive rates, or recalls.

    Returns
    -------
    (ndarray, ndarray, ndarray)
        Mean, and lower and upper limit of the middle `BAND` of the curves, each of shape (n,); all NaN if no curve is left.
    """
    grid = np.asarray(grid, dtype=float)
    read = np.array([np.interp(grid, x, y) for x, y in curves if len(x)])
    if not len(read):
        return tuple(np.full((3, len(grid)), np.nan))
    low, high = np.quantile(read, [(1 - BAND) / 2, (1 + BAND) / 2], axis=0)
    return read.mean(axis=0), low, high


def youden(labels, probabilities):
    """The threshold of Youden's J: where sensitivity + specificity - 1 is highest (W. J. Youden, Cancer 3, 1950).

    Parameters
    ----------
    labels : array-like, shape (n,)
        Class of each row.
    probabilities : array-like, shape (n,)
        Probability of the positive class.

    Returns
    -------
    float or None
        One of the probabilities, the highest where several are as good; None if the rows are of one class.
    """
    positive = _positive(labels)
    if positive.all() or not positive.any():
        return None
    thresholds, tp, fp = _called(positive, probabilities)
    # J in whole numbers, times both classes' sizes: rounding does not part thresholds that are equally good.
    return float(thresholds[np.argmax(tp * (~positive).sum() - fp * positive.sum())])


def keeping_sensitivity(labels, probabilities, sensitivity):
    """The highest threshold that keeps a sensitivity.

    Parameters
    ----------
    labels : array-like, shape (n,)
        Class of each row.
    probabilities : array-like, shape (n,)
        Probability of the positive class.
    sensitivity : float
        The least share of the positive rows that is to be predicted positive, above 0 and at most 1.

    Returns
    -------
    float or None
        The probability of one of the positive rows; None if there are none.
    """
    of_positives = np.sort(np.asarray(probabilities)[_positive(labels)])[::-1]
    if not len(of_positives):
        return None
    reached = np.arange(1, len(of_positives) + 1) / len(of_positives)
    return float(of_positives[np.argmax(reached >= sensitivity)])


def _called(positive, probabilities):
    """The thresholds there are, from the highest, and how many rows of either class are called positive at each."""
    # Not scikit-learn's functions of curves: a page that draws one would wait a second for their import.
    probabilities = np.asarray(probabilities)
    thresholds = np.unique(probabilities)[::-1]
    tp, fp = (
        of.sum() - np.searchsorted(np.sort(probabilities[of]), thresholds) for of in (positive, ~positive)
    )
    return thresholds, tp, fp


def _positive(labels):
    return np.asarray(labels, dtype=bool)
