"""What many splits say of one model, and of two models on the same splits.

The training sets of two splits share most of their rows, so scores of splits are not independent, and their standard error by
the textbook is too small. C. Nadeau and Y. Bengio ("Inference for the Generalization Error", Machine Learning 52, 2003) put
1/J + n_test/n_train in place of its 1/J, J being the number of splits. Intervals are at 95%, Student's t with J - 1 degrees of
freedom. They cover the luck of the split within one dataset, not recordings from elsewhere.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coughlab.evaluation.metrics import METRICS, PER_SPLIT
from coughlab.evaluation.splits import TEST_SHARE

CONFIDENCE = 0.95
#: Metrics told in percent, and their differences in percentage points.
SHARES = ("accuracy", "sensitivity", "specificity", "precision")


@dataclass(frozen=True)
class Interval:
    """The mean of a metric over splits.

    Attributes
    ----------
    mean, low, high : float
        The mean and the interval that respects the overlap of the training sets. Without a second split, or where all splits
        are equal, there is nothing to tell an interval from: `low` and `high` are missing (NaN).
    p : float
        Two-sided p-value of a mean of 0 by the same correction, missing where the interval is.
    naive_low, naive_high : float
        The interval as if splits were independent, which is too narrow.
    """

    mean: float
    low: float
    high: float
    p: float
    naive_low: float
    naive_high: float


@dataclass(frozen=True)
class Paired:
    """Two models on the same splits.

    Attributes
    ----------
    differences : pandas.Series
        Metric of the first model less that of the second, by split; splits where one of them is not defined are left out.
    interval : Interval
        Of the mean difference.
    """

    differences: pd.Series
    interval: Interval


@dataclass(frozen=True)
class Lucky:
    """What one single split would have made you believe.

    Attributes
    ----------
    values : pandas.Series
        The metric by split.
    best, worst : int
        The first split with the best and with the worst value.
    less_is_better : bool
        Whether the metric is a loss.
    """

    values: pd.Series
    best: int
    worst: int
    less_is_better: bool

    def share(self, value):
        """Share of the splits that are at least as good as a value."""
        return float(((self.values <= value) if self.less_is_better else (self.values >= value)).mean())


def interval(values, test_train_ratio):
    """The corrected resampled t interval of a mean over splits.

    Parameters
    ----------
    values : array-like, shape (n_splits,)
        A metric, or a difference of two, one value a split.
    test_train_ratio : float
        Number of test rows over number of training rows of a split.

    Returns
    -------
    Interval
        Mean, intervals and p-value.

    Raises
    ------
    ValueError
        If there is no value.
    """
    # Student's t without scipy.stats, which takes longer to import while somebody waits for the page.
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


def paired(table, model_a, model_b, metric):
    """Compare two models on the test rows of the splits that both have.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `coughlab.evaluation.scoring.per_split` of one protocol and one dataset tested on.
    model_a, model_b : str
        The models.
    metric : str
        A key of `coughlab.evaluation.metrics.PER_SPLIT`.

    Returns
    -------
    Paired
        The differences, first less second, and their mean with its interval.

    Raises
    ------
    ValueError
        If the table mixes protocols, or there is no split on which both have the metric.
    """
    a, b = by_split(table, model_a)[metric], by_split(table, model_b)[metric]
    differences = (a - b).dropna()
    return Paired(differences, interval(differences, _ratio(table[table["model"] == model_a])))


def lucky(table, model, metric):
    """The best and the worst split of a model.

    Parameters
    ----------
    table, model, metric
        As in `paired`.

    Returns
    -------
    Lucky
        All test values, and which splits are the extremes.

    Raises
    ------
    ValueError
        If the table mixes protocols, or the metric is defined on no split.
    """
    values = by_split(table, model)[metric].dropna()
    if values.empty:
        raise ValueError("There is no split on which this metric is defined.")
    high, low = values.idxmax(), values.idxmin()
    less_is_better = METRICS[metric].less_is_better
    return Lucky(values, *((low, high) if less_is_better else (high, low)), less_is_better)


def summary(table, model):
    """Every metric of a model over the test rows of its splits.

    Parameters
    ----------
    table, model
        As in `paired`.

    Returns
    -------
    pandas.DataFrame
        One row a metric (index): ``splits`` on which it is defined, ``mean``, ``low`` and ``high`` (corrected interval of the
        mean, kept within what the metric can be), ``sd``, ``min``, ``median``, ``max``. A metric defined on no split has no row.

    Raises
    ------
    ValueError
        If the table mixes protocols.
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
            # Not max and min: they would hide a missing interval.
            "low": np.maximum(mean.low, 0),
            "high": np.minimum(mean.high, METRICS[metric].most),
            "sd": of.std(),
            "min": of.min(),
            "median": of.median(),
            "max": of.max(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def shared_splits(table, models):
    """Numbers of the splits that all of some models have, in ascending order (list)."""
    shared = [set(table.loc[table["model"] == model, "split"]) for model in models]
    return sorted(set.intersection(*shared))


def by_split(table, model, role="test"):
    """The rows of one model and role, indexed by split.

    Raises
    ------
    ValueError
        If the table mixes protocols or datasets tested on, whose splits are different deals.
    """
    rows = table[(table["model"] == model) & (table["role"] == role)]
    if rows["split"].duplicated().any():
        raise ValueError("Splits of several protocols or datasets cannot be taken together.")
    return rows.set_index("split").sort_index()


def wide(table, model):
    """A model's splits as the case study lists them: one row a split, train beside test.

    Parameters
    ----------
    table, model
        As in `paired`.

    Returns
    -------
    pandas.DataFrame
        ``split`` (from 1, as people count), for train and for test the class counts ``positives`` and ``negatives``, ``log_loss``
        and ``accuracy`` as ``<column>_train`` and ``<column>_test``, and the test rows' ``tp``, ``fn``, ``fp``, ``tn``. What is
        said of the training rows is missing (NaN) where they are not stored.

    Raises
    ------
    ValueError
        If the table mixes protocols.
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


def told(value, metric):
    """A value of a metric as text: "96.1%" or "0.134"."""
    return f"{value:.1%}" if metric in SHARES else f"{value:.3f}"


def difference_in_words(result, title_a, title_b, metric):
    """A sentence or two on what `paired` found, for people who read no formula.

    Parameters
    ----------
    result : Paired
        Of the two models.
    title_a, title_b : str
        Their names.
    metric : str
        Which metric.

    Returns
    -------
    str
        As in "Over 50 shared splits the accuracy of MLP was on average 1.2 points higher than that of CNN (...)".
    """
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


def luck_in_words(result, title, metric):
    """A sentence or two on what `lucky` found.

    Parameters
    ----------
    result : Lucky
        Of the model.
    title : str
        Its name.
    metric : str
        Which metric.

    Returns
    -------
    str
        Best, worst and middle split, and how many splits are as good as the best.
    """
    values, name = result.values, METRICS[metric].title
    best, worst = values[result.best], values[result.worst]
    as_good = round(result.share(best) * len(values))
    return (
        f"From one split alone you could have reported {told(best, metric)} (split {result.best + 1}) or"
        f" {told(worst, metric)} (split {result.worst + 1}): the same {title}, the same recordings, split differently."
        f" {name} is as good as the best in {as_good} of {len(values)} splits; the middle one has"
        f" {told(values.median(), metric)}."
    )


def _points(value, metric):
    return f"{100 * value:.1f} points" if metric in SHARES else f"{value:.3f}"


def _signed(value, metric):
    return (f"{100 * value:+.1f}" if metric in SHARES else f"{value:+.3f}").replace("-", "−")


def _ratio(rows):
    recordings = rows.groupby("role", observed=True)["recordings"].sum()
    if "train" not in recordings:
        # Of stricter protocols the training rows are not stored; all have the same share of test rows.
        return TEST_SHARE / (1 - TEST_SHARE)
    return recordings.get("test", 0) / recordings["train"]
