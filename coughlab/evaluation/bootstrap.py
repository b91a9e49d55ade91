"""Intervals of scores by a bootstrap over people, because recordings of one person are not independent.

One recording in several splits is not independent either. Each replicate draws as many people as there are, with replacement,
separately from those with recordings of one class, of the other and of both, so that no class is lost (B. Efron and R. J.
Tibshirani, "An Introduction to the Bootstrap", 1993; A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application",
1997, section 3.8). A score is the mean over splits, and the interval goes from the 2.5th to the 97.5th percentile of the
replicates. It covers the choice of the test people, not of the training people.

The percentiles are too narrow if a score is near 0 or 1, or if there are few people. Some metrics have a ``floor``: an interval
by a formula from the score and the number of people. Each end is then the outer one of the two intervals.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from coughlab.evaluation import scoring
from coughlab.evaluation.intervals import CONFIDENCE
from coughlab.evaluation.metrics import EVIDENCE, evidence_columns
from coughlab.evaluation.scoring import TEST_KEYS

#: Number of weights in memory at once, 8 bytes each.
CHUNK = 8_000_000


def table(
    predictions: pd.DataFrame, thresholds: Mapping[str, float], n_boot: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Every score of every model under every protocol, on the test rows, with its interval.

    Returns
    -------
    pandas.DataFrame
        One row per model, protocol and test dataset: the columns of `sizes`, ``majority`` (share of the commoner label), and each
        of `EVIDENCE` (mean over the splits where it is defined) with its 95% interval as ``_low`` and ``_high``. Undefined values
        are missing; the balanced accuracy and the ROC AUC need both classes in one split.

    >>> study = coughlab.load_study()
    >>> rows = study.predictions.query("model == 'knn' and protocol == 'external'")
    >>> coughlab.measure_evidence(rows, study.thresholds, n_boot=10)["tested_on"].tolist()
    ['covid19-cough', 'coswara-sample']
    """
    tested = predictions[predictions["role"] == "test"]
    each = scoring.per_split(tested, thresholds)
    each["balanced_accuracy"] = (each["sensitivity"] + each["specificity"]) / 2
    each["share"] = each["positives"] / each["recordings"]
    means = dict(list(each.groupby(TEST_KEYS, observed=True)[[*EVIDENCE, "share"]].mean().iterrows()))
    rows = []
    for key, group in tested.groupby(TEST_KEYS, sort=False, observed=True):
        value = means[key]
        row: dict[str, float] = {**sizes(group), "majority": max(value["share"], 1 - value["share"])}
        replicates = _bootstrap(group, thresholds[key[0]], n_boot, seed)
        people = _people(group)
        for name, metric in EVIDENCE.items():
            floor = metric.floor(value, people) if metric.floor else None
            low, high = interval(replicates[name], value[name], floor)
            row |= {name: float(value[name]), f"{name}_low": low, f"{name}_high": high}
        rows.append(dict(zip(TEST_KEYS, key, strict=True)) | row)
    return pd.DataFrame(rows, columns=[*TEST_KEYS, *sizes(tested), "majority", *evidence_columns()])


def sizes(rows: pd.DataFrame) -> dict[str, int]:
    """Number of splits, and of different recordings, people, positive and negative recordings."""
    recordings = rows.groupby("positive")["recording"].nunique()
    return {
        "splits": rows["split"].nunique(),
        "recordings": rows["recording"].nunique(),
        "people": rows["person"].nunique(),
        "positives": int(recordings.get(True, 0)),
        "negatives": int(recordings.get(False, 0)),
    }


def draws(people: pd.Series, positive: ArrayLike, n_boot: int = 1000, seed: int = 0) -> Iterator[np.ndarray]:
    """Draw people with replacement; the order of the rows does not matter.

    Parameters
    ----------
    people, positive : array-like, shape (n,)
        Person and class of each row.

    Yields
    ------
    ndarray, shape (n, b)
        How often each row counts in the next b replicates, float.
    """
    codes, names = pd.factorize(people)
    # Numbered by name, so that the order of the rows does not matter.
    of = np.argsort(np.argsort(np.asarray(names, dtype=str)))[codes]
    positive = np.asarray(positive, dtype=bool)
    classes = (np.bincount(of, positive) > 0) + 2 * (np.bincount(of, ~positive) > 0)
    strata = [members for kind in (1, 2, 3) if len(members := np.flatnonzero(classes == kind))]
    rngs = [np.random.default_rng((seed, k)) for k in range(len(strata))]
    size = max(1, CHUNK // max(len(people), 1))
    for start in range(0, n_boot, size):
        b = min(size, n_boot - start)
        counts = np.empty((len(names), b))
        for members, rng in zip(strata, rngs, strict=True):
            n = len(members)
            # One replicate at a time, so that the draws do not depend on the chunk size.
            drawn = rng.integers(n, size=(b, n)) + n * np.arange(b)[:, None]
            counts[members] = np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).T
        yield counts[of]


def interval(
    replicates: ArrayLike,
    value: float,
    floor: tuple[float, float] | None = None,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """The percentile interval of a bootstrap, never narrower than `floor`; NaN if the score is NaN."""
    values = np.asarray(replicates, dtype=float)
    values = values[~np.isnan(values)]
    if np.isnan(value) or not len(values):
        return np.nan, np.nan
    # No interpolation between replicates, because a replicate can be infinite.
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(values, ends, method="inverted_cdf")
    # Without a formula the interval includes the value itself, even if a skewed bootstrap does not.
    low_floor, high_floor = floor or (value, value)
    return float(min(low, low_floor)), float(max(high, high_floor))


def _bootstrap(rows: pd.DataFrame, threshold: float, n_boot: int, seed: int) -> dict[str, np.ndarray]:
    """Each of `EVIDENCE` in each replicate: arrays of shape (n_boot,)."""
    rows = rows.sort_values(["split", "probability"])
    positive, probability = rows["positive"].to_numpy(dtype=bool), rows["probability"].to_numpy(dtype=float)
    right = (probability >= threshold) == positive
    terms = {name: term for metric in EVIDENCE.values() for name, term in metric.terms.items()}
    of_rows = {"positive": positive, "probability": probability}
    # Sums of weights by split: of each class, of the right answers in each class, and the other sums that metrics need.
    counted = [positive, ~positive, positive & right, ~positive & right]
    summed = np.stack([*counted, *(term(of_rows) for term in terms.values())]).astype(float)
    starts = np.unique(rows["split"].to_numpy(), return_index=True)[1]
    spans = list(zip(starts, [*starts[1:], len(rows)], strict=True))
    orders = [_below(probability[a:b], positive[a:b]) for a, b in spans]
    chunks = []
    for weights in draws(rows["person"], positive, n_boot, seed):
        total = defined = np.array(0)
        for (a, b), (low, high) in zip(spans, orders, strict=True):
            of = weights[a:b]
            names = ("positives", "negatives", "tp", "tn", *terms)
            sums = dict(zip(names, summed[:, a:b] @ of, strict=True))
            sums["n"] = sums["positives"] + sums["negatives"]
            sums["fn"], sums["fp"] = sums["positives"] - sums["tp"], sums["negatives"] - sums["tn"]
            sums["concordant"] = _concordant(of[positive[a:b]], of[~positive[a:b]], low, high)
            # If no person of a class was drawn, 0 / 0 makes the score missing.
            with np.errstate(invalid="ignore"):
                scores = np.stack([metric.of(sums) for metric in EVIDENCE.values()])
            missing = np.isnan(scores)
            total = total + np.where(missing, 0, scores)
            defined = defined + ~missing
        with np.errstate(invalid="ignore"):
            chunks.append(total / defined)
    return dict(zip(EVIDENCE, np.concatenate(chunks, axis=1), strict=True))


def _below(probability, positive):
    """For each positive row of one split, the number of negatives below it, and the number not above it."""
    negatives = probability[~positive]
    return [np.searchsorted(negatives, probability[positive], side) for side in ("left", "right")]


def _concordant(positives, negatives, low, high):
    """Pairs ranked rightly, a tie counting half, in each replicate.

    Weights of the positive and negative rows of a split in ascending order of probability, shapes (p, b) and (q, b).
    """
    below = np.zeros((len(negatives) + 1, negatives.shape[1]))
    np.cumsum(negatives, axis=0, out=below[1:])
    return np.einsum("ib,ib->b", positives, below[low] + below[high]) / 2


def _people(rows):
    """Number of different people of each class, and in all."""
    classes = {"positives": rows["positive"], "negatives": ~rows["positive"], "all": slice(None)}
    return {name: rows.loc[of, "person"].nunique() for name, of in classes.items()}
