"""How sure a score is: intervals that respect that one person's recordings, and one recording in several splits, go together.

The bootstrap draws people, not rows (B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993; A. C. Davison and
D. V. Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8): each replicate takes as many people as there are,
with replacement, separately from those with recordings of one class, of the other and of both, so that no class vanishes. A
person drawn twice counts twice in every split where they were tested. A score is computed on every split and averaged, as
everywhere in the project, and the interval is that from the 2.5th to the 97.5th percentile of the replicates. It covers the luck
of who was tested, not that of who was trained on.

The percentiles come too close where a score is near 0 or 1 or people are few; on a perfect score they have no width at all. So
each end is the outer one of the bootstrap's and of a formula's that knows nothing but the score and the number of people:

- accuracy, sensitivity, specificity: E. B. Wilson's score interval (JASA 22, 1927);
- balanced accuracy: the two Wilson intervals joined by the square-and-add rule (G. Y. Zou and A. Donner, "Construction of
  confidence limits about effect measures", Statistics in Medicine 27, 2008);
- ROC AUC: R. G. Newcombe's method 5 ("Confidence intervals for an effect size measure based on the Mann-Whitney statistic,
  part 2", Statistics in Medicine 25, 2006).

The Brier score has no such formula; its interval is the bootstrap's alone.
"""

import numpy as np
import pandas as pd

from coughlab.evaluation import scoring
from coughlab.evaluation.intervals import CONFIDENCE
from coughlab.evaluation.metrics import EVIDENCE

#: What one row of `table` is about.
KEYS = ["model", "protocol", "tested_on"]
#: How many weights are held at once, 8 bytes each.
CHUNK = 8_000_000


def table(predictions, thresholds, n_boot=1000, seed=0):
    """Every score of every model under every protocol, on the rows tested on, with its interval.

    Parameters
    ----------
    predictions : pandas.DataFrame
        The predictions table.
    thresholds : dict of str to float
        Threshold of each model.
    n_boot : int
        Replicates of the bootstrap.
    seed : int
        Seed of the draws. Models tested on the same people get the same draws.

    Returns
    -------
    pandas.DataFrame
        One row for each value of `KEYS`, in the table's order: ``splits``, ``recordings``, ``people``, ``positives`` and
        ``negatives`` (different recordings, in all and of each class), ``majority`` (share of the commoner label: the accuracy
        of always giving it), and for each of `EVIDENCE` its value (mean over the splits where it is defined) and the 95% interval
        as ``<score>_low`` and ``<score>_high``. What is not defined, as the sensitivity where nobody is positive, is missing
        (NaN); the balanced accuracy and the ROC AUC need both classes in one split.

    Raises
    ------
    ValueError
        If the table cannot be scored, or a model has no threshold.

    >>> study = coughlab.load_study()
    >>> rows = study.predictions.query("model == 'knn' and protocol == 'external'")
    >>> coughlab.measure_evidence(rows, study.thresholds, n_boot=10)["tested_on"].tolist()
    ['covid19-cough', 'coswara-sample']
    """
    tested = predictions[predictions["role"] == "test"]
    each = scoring.per_split(tested, thresholds)
    each["balanced_accuracy"] = (each["sensitivity"] + each["specificity"]) / 2
    each["share"] = each["positives"] / each["recordings"]
    means = dict(list(each.groupby(KEYS, observed=True)[[*EVIDENCE, "share"]].mean().iterrows()))
    rows = []
    for key, group in tested.groupby(KEYS, sort=False, observed=True):
        row, value = sizes(group), means[key]
        row["majority"] = max(value["share"], 1 - value["share"])
        replicates = _bootstrap(group, thresholds[key[0]], n_boot, seed)
        people = _people(group)
        for name, metric in EVIDENCE.items():
            floor = metric.floor(value, people) if metric.floor else None
            low, high = interval(replicates[name], value[name], floor)
            row |= {name: float(value[name]), f"{name}_low": low, f"{name}_high": high}
        rows.append(dict(zip(KEYS, key, strict=True)) | row)
    columns = [*KEYS, *sizes(tested), "majority"]
    columns += [f"{score}{end}" for score in EVIDENCE for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=columns)


def sizes(rows):
    """What scores rest on.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of the predictions table.

    Returns
    -------
    dict of str to int
        ``splits``, and how many different ``recordings``, ``people``, ``positives`` and ``negatives`` (recordings of each
        class).
    """
    recordings = rows.groupby("positive")["recording"].nunique()
    return {
        "splits": rows["split"].nunique(),
        "recordings": rows["recording"].nunique(),
        "people": rows["person"].nunique(),
        "positives": int(recordings.get(True, 0)),
        "negatives": int(recordings.get(False, 0)),
    }


def draws(people, positive, n_boot=1000, seed=0):
    """Draw people with replacement.

    Parameters
    ----------
    people : array-like, shape (n,)
        Who each row is of.
    positive : array-like of bool, shape (n,)
        Class of each row.
    n_boot : int
        Replicates.
    seed : int
        Seed of the draws. The order of the rows does not matter.

    Yields
    ------
    ndarray, shape (n, b)
        How often each row counts in the next b replicates, float.
    """
    codes, names = pd.factorize(people)
    # Numbered by name, so that the order in which people come does not matter.
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
            # One replicate after the other, so that the draws do not depend on how many fit into a chunk.
            drawn = rng.integers(n, size=(b, n)) + n * np.arange(b)[:, None]
            counts[members] = np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).T
        yield counts[of]


def interval(replicates, value, floor=None, confidence=CONFIDENCE):
    """The percentile interval of a bootstrap, never narrower than a formula's.

    Parameters
    ----------
    replicates : array-like, shape (n,)
        The score in each replicate; missing where it is not defined.
    value : float
        The score.
    floor : (float, float), optional
        What the interval holds in any case.
    confidence : float
        Share of the replicates in it.

    Returns
    -------
    (float, float)
        Lower and upper limit, both missing (NaN) where the score is.
    """
    replicates = np.asarray(replicates, dtype=float)
    replicates = replicates[~np.isnan(replicates)]
    if np.isnan(value) or not len(replicates):
        return np.nan, np.nan
    # Values of replicates, nothing between two of them, because a replicate can be infinite.
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(replicates, ends, method="inverted_cdf")
    # Without a formula the value itself is in its interval, also where a skewed bootstrap would leave it out.
    low_floor, high_floor = floor or (value, value)
    return float(min(low, low_floor)), float(max(high, high_floor))


def _bootstrap(rows, threshold, n_boot, seed):
    """Each of `EVIDENCE` in each replicate: a dict of arrays of shape (n_boot,)."""
    rows = rows.sort_values(["split", "probability"])
    positive, probability = rows["positive"].to_numpy(dtype=bool), rows["probability"].to_numpy(dtype=float)
    right = (probability >= threshold) == positive
    terms = {name: term for metric in EVIDENCE.values() for name, term in metric.terms.items()}
    of_rows = {"positive": positive, "probability": probability}
    # By split, sums of weights: of each class, of the right answers in each class, and of what metrics sum besides.
    summed = np.stack(
        [
            positive,
            ~positive,
            positive & right,
            ~positive & right,
            *(term(of_rows) for term in terms.values()),
        ]
    ).astype(float)
    starts = np.unique(rows["split"].to_numpy(), return_index=True)[1]
    spans = list(zip(starts, [*starts[1:], len(rows)], strict=True))
    orders = [_below(probability[a:b], positive[a:b]) for a, b in spans]
    chunks = []
    for weights in draws(rows["person"], positive, n_boot, seed):
        total = defined = 0
        for (a, b), (low, high) in zip(spans, orders, strict=True):
            of = weights[a:b]
            names = ("positives", "negatives", "tp", "tn", *terms)
            sums = dict(zip(names, summed[:, a:b] @ of, strict=True))
            sums["n"] = sums["positives"] + sums["negatives"]
            sums["concordant"] = _concordant(of[positive[a:b]], of[~positive[a:b]], low, high)
            # Where nobody of a class was drawn, 0 / 0 makes the score missing.
            with np.errstate(invalid="ignore"):
                scores = np.stack([metric.of(sums) for metric in EVIDENCE.values()])
            missing = np.isnan(scores)
            total = total + np.where(missing, 0, scores)
            defined = defined + ~missing
        with np.errstate(invalid="ignore"):
            chunks.append(total / defined)
    return dict(zip(EVIDENCE, np.concatenate(chunks, axis=1), strict=True))


def _below(probability, positive):
    """For each positive row of one split, how many of the negatives lie below it, and how many not above it."""
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
    """How many different people there are of either class, and in all."""
    classes = {"positives": rows["positive"], "negatives": ~rows["positive"], "all": slice(None)}
    return {name: rows.loc[of, "person"].nunique() for name, of in classes.items()}
