"""Statistics over many splits of one model, and of two models on the same splits.

Training sets of two splits share most of their rows, so their scores are not independent, and the usual standard error is too
small. C. Nadeau and Y. Bengio ("Inference for the Generalization Error", Machine Learning 52, 2003) put 1/J + n_test/n_train in
place of its 1/J for J splits. Intervals are at 95%, Student's t with J - 1 degrees of freedom. They cover the choice of the split
within one dataset, not recordings from other sources.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from coughlab.evaluation.metrics import METRICS, PER_SPLIT
from coughlab.evaluation.splits import TEST_SHARE

CONFIDENCE = 0.95
#: Metrics written in percent, and their differences in percentage points.
SHARES = ("accuracy", "sensitivity", "specificity", "precision")


@dataclass(frozen=True)
class Interval:
    """The mean over splits with its corrected interval, `p` for a mean of 0, and the interval for independent splits.

    All but the mean are missing (NaN) for a single split, or if all splits are equal.
    """

    mean: float
    low: float
    high: float
    p: float
    naive_low: float
    naive_high: float


@dataclass(frozen=True)
class Paired:
    """First model minus second, by split where both have the metric, and the interval of the mean difference."""

    differences: pd.Series
    interval: Interval


@dataclass(frozen=True)
class Lucky:
    """A metric by split, the first split with the best and the first with the worst value, and whether the metric is a loss."""

    values: pd.Series
    best: int
    worst: int
    less_is_better: bool

    def share(self, value: float) -> float:
        """Share of the splits that are at least as good as a value."""
        return float(((self.values <= value) if self.less_is_better else (self.values >= value)).mean())


def interval(values: ArrayLike, test_train_ratio: float) -> Interval:
    """The corrected resampled t interval of the mean of a metric, or of a difference, with one value per split.

    `test_train_ratio` is the number of test rows divided by the number of training rows. ValueError if there is no value.
    """
    # Student's t without scipy.stats, whose import would delay a page.
    from scipy import special

    values = np.asarray(values, dtype=float)
    if not values.size:
        raise ValueError("There is no split on which this metric is defined.")
    J, mean = len(values), float(values.mean())
    # Equal values can differ from their mean by rounding.
    if J < 2 or np.ptp(values) <= 1e-12:
        return Interval(mean, *[float("nan")] * 5)
    variance, quantile = values.var(ddof=1), special.stdtrit(J - 1, (1 + CONFIDENCE) / 2)
    error, naive = (float(np.sqrt(factor * variance)) for factor in (1 / J + test_train_ratio, 1 / J))
    p = float(2 * special.stdtr(J - 1, -abs(mean) / error))
    reach = float(quantile) * error, float(quantile) * naive
    return Interval(mean, mean - reach[0], mean + reach[0], p, mean - reach[1], mean + reach[1])


def paired(table: pd.DataFrame, model_a: str, model_b: str, metric: str) -> Paired:
    """Compare two models on the test rows of the splits on which both have a metric; ValueError without such a split.

    Like all functions below, it takes rows of `coughlab.evaluation.scoring.per_split`, of one protocol and one test dataset.
    """
    a, b = by_split(table, model_a)[metric], by_split(table, model_b)[metric]
    differences = (a - b).dropna()
    return Paired(differences, interval(differences, _ratio(table[table["model"] == model_a])))


def lucky(table: pd.DataFrame, model: str, metric: str) -> Lucky:
    """The best and the worst split of a model; ValueError if the metric is defined on no split."""
    values = by_split(table, model)[metric].dropna()
    if values.empty:
        raise ValueError("There is no split on which this metric is defined.")
    high, low = values.idxmax(), values.idxmin()
    less_is_better = METRICS[metric].less_is_better
    return Lucky(values, *((low, high) if less_is_better else (high, low)), less_is_better)


def summary(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Every metric of a model over the test rows of its splits.

    Returns
    -------
    pandas.DataFrame
        One row per metric (index) that is defined on some split: ``splits`` (their number), ``mean``, ``low`` and ``high``
        (corrected interval of the mean, limited to the range of the metric), ``sd``, ``min``, ``median``, ``max``.
    """
    values, ratio = by_split(table, model), _ratio(table[table["model"] == model])
    rows = {}
    for metric in PER_SPLIT:
        of = values[metric].dropna()
        if of.empty:
            continue
        mean = interval(of, ratio)
        rows[metric] = {
            "splits": len(of),
            "mean": mean.mean,
            # Not max and min, which would hide a missing interval.
            "low": np.maximum(mean.low, 0),
            "high": np.minimum(mean.high, METRICS[metric].most),
            "sd": of.std(),
            "min": of.min(),
            "median": of.median(),
            "max": of.max(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def shared_splits(table: pd.DataFrame, models: Iterable[str]) -> list[int]:
    """Numbers of the splits that all of some models have, in ascending order."""
    shared = [set(table.loc[table["model"] == model, "split"]) for model in models]
    return sorted(set.intersection(*shared))


def by_split(table: pd.DataFrame, model: str, role: str = "test") -> pd.DataFrame:
    """The rows of one model and role, indexed by split; ValueError if the table mixes protocols or test datasets."""
    rows = table[(table["model"] == model) & (table["role"] == role)]
    if rows["split"].duplicated().any():
        raise ValueError("Splits of several protocols or datasets cannot be taken together.")
    return rows.set_index("split").sort_index()


def wide(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """A model's splits as the case study lists them: one row per split, train beside test.

    Returns
    -------
    pandas.DataFrame
        ``split`` (from 1), for train and for test ``positives``, ``negatives``, ``log_loss`` and ``accuracy`` as
        ``<column>_train`` and ``<column>_test``, and the test rows' ``tp``, ``fn``, ``fp``, ``tn``. Columns of the training rows
        are missing (NaN) if those rows are not stored.
    """
    sides = {role: by_split(table, model, role) for role in ("train", "test")}
    columns = {
        f"{name}_{role}": side[name]
        for name in ("positives", "negatives", "log_loss", "accuracy")
        for role, side in sides.items()
    }
    rows = pd.DataFrame(columns | {cell: sides["test"][cell] for cell in ("tp", "fn", "fp", "tn")})
    rows.insert(0, "split", rows.index + 1)
    return rows.reset_index(drop=True)


def difference_in_words(result: Paired, title_a: str, title_b: str, metric: str) -> str:
    """One or two sentences on the result of `paired`, without formulas."""
    n, mean = len(result.differences), result.interval.mean
    over = f"Over {n} shared splits" if n > 1 else "On the one shared split"
    name = METRICS[metric].in_a_sentence
    what = f"{over} the {name} of {title_a} was{' on average' if n > 1 else ''}"
    less = ", and less is better" if METRICS[metric].less_is_better else ""
    if np.allclose(result.differences, 0, atol=1e-12):
        return f"{over} {title_a} and {title_b} had the same {name}."
    direction = "higher" if mean > 0 else "lower"
    difference = f"{what} {_points(abs(mean), metric)} {direction} than that of {title_b}{less}"
    if np.isnan(result.interval.low):
        reason = "one split tells nothing of chance" if n == 1 else "all splits differ by the same amount"
        return f"{difference}. There is no interval: {reason}."
    interval = result.interval
    edges = f"{_signed(interval.low, metric)} to {_signed(interval.high, metric)}"
    p = "under 0.001" if interval.p < 0.001 else f"{interval.p:.3f}"
    verdict = (
        "The interval includes no difference: this could be chance."
        if interval.low <= 0 <= interval.high
        else "The interval leaves out no difference: the luck of the split alone hardly explains it."
    )
    return f"{difference} (95% interval of the difference {edges}, p {p}). {verdict}"


def luck_in_words(result: Lucky, title: str, metric: str) -> str:
    """A sentence on the best, worst and middle split of `lucky`, and how many splits are as good as the best."""
    values, name = result.values, METRICS[metric].title
    best, worst = values[result.best], values[result.worst]
    as_good = round(result.share(best) * len(values))
    return (
        f"From one split alone you could have reported {_written(best, metric)} (split {result.best + 1}) or"
        f" {_written(worst, metric)} (split {result.worst + 1}): the same {title}, the same recordings, split differently."
        f" {name} is as good as the best in {as_good} of {len(values)} splits; the middle one has"
        f" {_written(values.median(), metric)}."
    )


def _written(value: float, metric: str) -> str:
    return f"{value:.1%}" if metric in SHARES else f"{value:.3f}"


def _points(value, metric):
    return f"{100 * value:.1f} points" if metric in SHARES else f"{value:.3f}"


def _signed(value, metric):
    return (f"{100 * value:+.1f}" if metric in SHARES else f"{value:+.3f}").replace("-", "−")


def _ratio(rows):
    recordings = rows.groupby("role", observed=True)["recordings"].sum()
    if "train" not in recordings:
        # For stricter protocols the training rows are not stored; all protocols have the same share of test rows.
        return TEST_SHARE / (1 - TEST_SHARE)
    return recordings.get("test", 0) / recordings["train"]
