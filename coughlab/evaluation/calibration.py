"""Calibration of probabilities: reliability, slope and intercept, and the effect of recalibration.

All functions take rows of the predictions table of one model, one protocol and one test dataset. A recording tested in several
splits counts in each: no model gives the mean of its answers, and averages of calibrated probabilities are not calibrated (R.
Ranjan and T. Gneiting, "Combining probability forecasts", J. R. Stat. Soc. B 72, 2010). Intervals are at 95% and count people.

Slope and intercept are those of a logistic regression of the class on the logit of the probability (D. R. Cox, "Two further
applications of a model for binary regression", Biometrika 45, 1958): 1 and 0 for perfect calibration. With a slope below 1 the
probabilities are too extreme. Calibration in the large is the intercept with the slope fixed at 1: below 0 if the probabilities
are too high (B. Van Calster et al., "A calibration hierarchy for risk models was defined", J. Clin. Epidemiol. 74, 2016).
"""

from typing import Literal

import numpy as np
import pandas as pd

from coughlab.evaluation import bootstrap, intervals

#: The measures of `summary` that have an interval.
MEASURES = ("brier", "skill", "slope", "intercept", "in_the_large")
#: Number of groups of people in the cross-fitting of recalibration.
FOLDS = 5
#: Recalibration limits probabilities to this distance from 0 and 1: exactly 0 or 1 could not be corrected.
SUREST = 1e-3
#: Most steps of Newton's method; if the classes are nearly separable, it may not have converged by then.
STEPS = 50
#: Numbers in memory at once in a step of Newton's method.
BLOCK = 1_000_000


def reliability(
    rows: pd.DataFrame, *, bins: int = 10, strategy: Literal["uniform", "quantile"] = "uniform"
) -> pd.DataFrame:
    """Observed frequency of the condition by predicted probability.

    Returns
    -------
    pandas.DataFrame
        One row for each bin that is not empty, from the lowest: ``predicted`` (mean probability), ``observed`` (share of
        positive rows), ``low`` and ``high`` (Wilson's interval with the number of different people in the bin as trials),
        ``answers`` (rows), ``recordings`` and ``people`` (different ones).
    """
    probability, positive = _answers(rows)
    if strategy == "quantile" and len(rows):
        edges = np.quantile(probability, np.linspace(0, 1, bins + 1))
    else:
        edges = np.linspace(0, 1, bins + 1)
    table = rows[["recording", "person"]].assign(probability=probability, positive=positive)
    points = (
        table.groupby(np.searchsorted(edges[1:-1], probability))
        .agg(
            predicted=("probability", "mean"),
            observed=("positive", "mean"),
            answers=("positive", "size"),
            recordings=("recording", "nunique"),
            people=("person", "nunique"),
        )
        .reset_index(drop=True)
    )
    low, high = intervals.wilson(points["observed"], points["people"])
    points.insert(2, "low", low)
    points.insert(3, "high", high)
    return points


def summary(rows: pd.DataFrame, *, n_boot: int = 500, seed: int = 0) -> dict[str, float | str]:
    """Measures of calibration; means are over splits.

    A probability of exactly 0% or 100% has no logit. A right one fits any slope and is left out of slope and intercept; if one is
    wrong, slope and intercept are not defined.

    Returns
    -------
    dict
        `coughlab.evaluation.bootstrap.sizes`; ``prevalence`` and ``mean_probability``; ``reference``, the Brier score of always
        predicting the prevalence; and each of `MEASURES` with ``_low`` and ``_high`` (which can be infinite), ``skill`` is 1
        minus the Brier score divided by the reference. Undefined values are missing (NaN), and ``reason`` is a sentence that says
        why there is no slope and intercept ("" if there is).
    """
    rows = rows.sort_values("split", kind="stable")
    probability, positive = _answers(rows)
    reason = _why_not(probability, positive)
    starts = np.unique(rows["split"].to_numpy(), return_index=True)[1]
    everyone = np.ones((len(rows), 1))
    prevalence, mean = _means(np.stack([positive, probability]), starts, everyone)[:, 0]
    values = _measure(probability, positive, starts, everyone, reason, decimals=None)[:, 0]
    replicates = np.concatenate(
        [
            _measure(probability, positive, starts, of, reason, start=values)
            for weights in bootstrap.draws(rows["person"], positive, n_boot, seed)
            for of in np.array_split(weights, -(-weights.size // BLOCK), axis=1)
        ],
        axis=1,
    )
    result = bootstrap.sizes(rows) | {
        "prevalence": float(prevalence),
        "mean_probability": float(mean),
        "reference": float(prevalence * (1 - prevalence)),
    }
    for name, value, of in zip(MEASURES, values, replicates, strict=True):
        low, high = bootstrap.interval(of, value)
        result |= {name: float(value), f"{name}_low": low, f"{name}_high": high}
    return result | {"reason": reason}


def recalibrated(rows: pd.DataFrame, *, seed: int = 0) -> tuple[pd.DataFrame | None, str]:
    """Rows with probabilities recalibrated on other people; or None, and the reason.

    People are split into `FOLDS` groups. For each group, a line on the logit is fitted to the probabilities of all other groups
    and applied to this one (J. C. Platt, "Probabilistic outputs for support vector machines", 1999, with his targets that stay
    off 0 and 1). So the class of a person does not influence the correction of their own probability. If a model ranks the people
    in the wrong order, the slope is below 0 and the line reverses it.
    """
    from scipy.special import expit

    probability, positive = _answers(rows)
    names, of = np.unique(rows["person"].to_numpy(dtype=str), return_inverse=True)
    ill = np.bincount(of, positive, minlength=len(names)) > 0
    folds = min(FOLDS, ill.sum(), (~ill).sum())
    if folds < 2:
        return None, "Recalibration needs at least two people of either class."
    logit = _logit(np.clip(probability, SUREST, 1 - SUREST))
    design, after = np.column_stack([np.ones(len(rows)), logit]), np.empty(len(rows))
    fold = _folds(ill, folds, seed)
    for number in range(folds):
        others = fold != number
        n, n_ill = others.sum(), ill[others].sum()
        target = np.where(positive, (n_ill + 1) / (n_ill + 2), 1 / (n - n_ill + 2))
        fitted, asked = others[of], ~others[of]
        line = _logistic(design[fitted], target[fitted], np.ones((fitted.sum(), 1)))
        after[asked] = expit(design[asked] @ line)[:, 0]
    return rows.assign(probability=after), ""


def _folds(ill: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Stratified fold of each person: the same as scikit-learn's StratifiedKFold with shuffling, without its slow import."""
    # The class that occurs first is split first.
    classes = [ill, ~ill] if ill[0] else [~ill, ill]
    rng, fold, begun = np.random.RandomState(seed), np.empty(len(ill), int), 0
    for of in classes:
        n = of.sum()
        own = np.sort((begun + np.arange(n)) % folds)
        rng.shuffle(own)
        fold[of], begun = own, begun + n
    return fold


def _answers(rows):
    return rows["probability"].to_numpy(dtype=float), rows["positive"].to_numpy(dtype=bool)


def _logit(probability):
    return np.log(probability) - np.log1p(-probability)


def _means(values, starts, weights):
    """Weighted means over splits: values (k, n) and weights (n, b) to (k, b). A split without a drawn person is left out."""
    of = np.add.reduceat(weights, starts, axis=0)
    sums = np.stack([np.add.reduceat(value[:, None] * weights, starts, axis=0) for value in values])
    with np.errstate(invalid="ignore"):
        return np.nanmean(sums / of, axis=1)


def _why_not(probability, positive):
    """Why slope and intercept are not defined; "" if they are."""
    if positive.all() or not positive.any():
        return "All recordings tested are of one class, so that slope and intercept cannot be estimated."
    certain = (probability == 0) | (probability == 1)
    if wrong := int((certain & (probability != positive)).sum()):
        return f"{wrong} of {len(probability)} answers are exactly 0% or 100% and wrong; no slope and intercept put that right."
    for of in (np.ones(len(certain), bool), ~certain):
        above, below = _separable(probability[of], positive[of], np.ones((of.sum(), 1)))
        if above and below:
            return "All probabilities are the same, so that slope and intercept cannot be estimated."
        if above or below:
            return "The classes are completely separable by the probabilities, so that the slope has no finite value."
    return ""


def _measure(
    probability, positive, starts, weights, reason, *, start=(np.nan, np.nan, 1.0, 0.0, 0.0), decimals=2
):
    """`MEASURES` in each replicate: weights (n, b) to (5, b); the search begins at `start`. Rows are ordered by split.

    Rows of one class whose logits agree to some decimals are joined, which is much faster and hardly changes a limit.
    """
    brier, prevalence = _means(np.stack([(probability - positive) ** 2, positive]), starts, weights)
    # The Brier score of always predicting the prevalence; 0 if all are of one class, and then the skill is not defined.
    reference = prevalence * (1 - prevalence)
    measures = np.full((len(MEASURES), weights.shape[1]), np.nan)
    measures[0] = brier
    measures[1] = 1 - brier / np.where(reference > 0, reference, np.nan)
    if reason:
        return measures
    finite = (probability > 0) & (probability < 1)
    x, y, weights = _joined(_logit(probability[finite]), positive[finite], weights[finite], decimals)
    design = np.column_stack([np.ones(len(x)), x])
    intercept, slope = _logistic(design, y, weights, start=(start[3], start[2]))
    above, below = _separable(x, y, weights)
    measures[2] = np.select([above & below, above, below], [np.nan, np.inf, -np.inf], slope)
    measures[3] = np.where(above | below, np.nan, intercept)
    large = _logistic(design[:, :1], y, weights, start=(start[4],), offset=x)[0]
    # A replicate may have no row with a logit in one class.
    measures[4] = np.select([y @ weights == 0, ~y @ weights == 0], [-np.inf, np.inf], large)
    return measures


def _joined(x, y, weights, decimals):
    """Join the rows with the same x and y, and sum their weights."""
    x = x if decimals is None else np.round(x, decimals)
    order = np.lexsort((x, y))
    x, y = x[order], y[order]
    first = np.flatnonzero(np.append(True, (x[1:] != x[:-1]) | (y[1:] != y[:-1])))
    return x[first], y[first], np.add.reduceat(weights[order], first, axis=0)


def _separable(x: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether, in each replicate, all positives are at or above all negatives, and whether all are at or below: shapes (b,)."""
    there = weights > 0
    ends = {}
    for name, of in (("positive", positive), ("negative", ~positive)):
        values, counted = x[of, None], there[of]
        ends[name] = (
            np.where(counted, values, np.inf).min(axis=0, initial=np.inf),
            np.where(counted, values, -np.inf).max(axis=0, initial=-np.inf),
        )
    return ends["positive"][0] >= ends["negative"][1], ends["positive"][1] <= ends["negative"][0]


def _logistic(design, y, weights, *, start=None, offset=0.0):
    """Logistic regressions without a penalty, one per column of the weights: coefficients of shape (k, b).

    Newton's method with the steps of T. Sun and Q. Tran-Dinh ("Generalized self-concordant functions", Math. Program. 178, 2019,
    for the logistic loss), which need no line search: the step is log(1 + r) / r of the full step, if the full step moves a logit
    by r.
    """
    from scipy.special import expit

    k = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), k * k)
    found = np.tile(np.zeros(k) if start is None else np.asarray(start, dtype=float), (weights.shape[1], 1)).T
    offset, y = np.reshape(offset, (-1, 1)), y[:, None]
    active = np.arange(weights.shape[1])
    for _ in range(STEPS):
        of = weights[:, active]
        p = expit(design @ found[:, active] + offset)
        gradient = design.T @ (of * (y - p))
        curvature = (products.T @ (of * p * (1 - p))).T.reshape(-1, k, k)
        step = np.linalg.pinv(curvature, hermitian=True) @ gradient.T[:, :, None]
        moved = np.abs(design @ step[:, :, 0].T).max(axis=0, initial=0.0)
        found[:, active] += step[:, :, 0].T * np.log1p(moved) / np.where(moved > 0, moved, 1)
        active = active[moved > 1e-9]
        if not len(active):
            break
    return found
