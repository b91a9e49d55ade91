"""What a test result means for a patient: likelihood ratios, predictive values, 1,000 people, net benefit.

A probability at or above the threshold is a positive result. Prevalence is the share of people with the condition among those
tested, between 0 and 1. The user sets it, because it is not known from a dataset. Counts of a model are *effective* counts:
sensitivity and specificity are means over splits, multiplied by the number of different people tested, as for Wilson's intervals.
They need not be whole numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coughlab.evaluation import intervals
from coughlab.evaluation.intervals import Values
from coughlab.evaluation.protocols import EXTERNAL

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd

#: Names of the columns of `at` for the shares and ratios of a threshold.
SHARES = ("sensitivity", "specificity")
RATIOS = ("positive_ratio", "negative_ratio")


class Estimate(NamedTuple):
    """A value with its 95% interval."""

    value: Values
    low: Values
    high: Values


class Ratios(NamedTuple):
    """Likelihood ratios of a positive and of a negative result; `corrected`: whether 1/2 was added to each count."""

    positive: Estimate
    negative: Estimate
    corrected: Values


class People(NamedTuple):
    """Numbers of people: true positives, false negatives, false positives, true negatives."""

    found: int
    missed: int
    alarmed: int
    cleared: int


def likelihood_ratios(tp: Values, fn: Values, fp: Values, tn: Values) -> Ratios:
    """How many times more often a result occurs among the ill than among the healthy.

    The interval is that of a ratio of two independent proportions, computed on its logarithm (D. L. Simel, G. P. Samsa and D. B.
    Matchar, "Likelihood ratios with confidence", J. Clin. Epidemiol. 44, 1991). If a count is zero, or less than half a person,
    1/2 is added to each of the four (J. B. S. Haldane, Ann. Hum. Genet. 20, 1956; F. J. Anscombe, Biometrika 43, 1956), because a
    ratio of zero or infinity would claim certainty. The ratio of a result that no person has is missing (NaN). Both are missing
    if all people are ill or all are healthy. The ratio of a result that all have is 1.
    """
    counts = np.stack(np.broadcast_arrays(*(np.asarray(count, dtype=float) for count in (tp, fn, fp, tn))))
    tp, fn, fp, tn = counts
    known = (tp + fn > 0) & (fp + tn > 0)
    positive, negative = known & (tp + fp > 0), known & (fn + tn > 0)
    corrected = np.any(counts < 0.5, axis=0)
    tp, fn, fp, tn = counts + np.where(corrected, 0.5, 0.0)
    ill, healthy = tp + fn, fp + tn

    def ratio(of_ill, of_healthy, some, others):
        value, *interval = intervals.ratio(of_ill, ill, of_healthy, healthy)
        value = np.where(others, value, 1.0)
        return Estimate(*(np.where(some, number, np.nan)[()] for number in (value, *interval)))

    return Ratios(ratio(tp, fp, positive, negative), ratio(fn, tn, negative, positive), corrected[()])


def post_test(prevalence: Values, ratio: Values) -> Values:
    """The probability of being ill after a result with a given likelihood ratio: Bayes' theorem for odds."""
    ill = np.multiply(prevalence, ratio)
    return ill / (ill + np.subtract(1.0, prevalence))


def predictive_values(prevalence: Values, ratios: Ratios) -> tuple[Estimate, Estimate]:
    """Positive and negative predictive value.

    The limits are those of the likelihood ratios, converted by Bayes' theorem: the logit intervals that N. D. Mercaldo, K. F. Lau
    and X.-H. Zhou derive for a known prevalence ("Confidence intervals for predictive values with an emphasis to case-control
    studies", Stat. Med. 26, 2007).
    """
    positive = Estimate(*(post_test(prevalence, ratio) for ratio in ratios.positive))
    after = Estimate(*(post_test(prevalence, ratio) for ratio in ratios.negative))
    return positive, Estimate(1 - after.value, 1 - after.high, 1 - after.low)


def people(prevalence: float, sensitivity: float, specificity: float, n: int = 1000) -> People:
    """Results of `n` people who are tested, as whole numbers that add up to `n`.

    Natural frequencies are understood better than probabilities (U. Hoffrage and G. Gigerenzer, Acad. Med. 73, 1998). The ill are
    rounded first, then the true positives and the false positives.
    """
    ill = _rounded(n * prevalence)
    found = _rounded(ill * sensitivity)
    alarmed = _rounded((n - ill) * (1 - specificity))
    return People(found, ill - found, alarmed, n - ill - alarmed)


def net_benefit(prevalence: Values, sensitivity: Values, specificity: Values, threshold: Values) -> Values:
    """Net benefit of treating those with a positive result, in true positives per person tested.

    A. J. Vickers and E. B. Elkin, "Decision curve analysis", Med. Decis. Making 26, 2006: to treat from a probability of
    `threshold` on means that one ill person treated is worth ``(1 - threshold) / threshold`` healthy people treated. Written with
    sensitivity and specificity, the formula holds at any prevalence, even if the data have another one, as in a case-control
    study (V. Rousson and T. Zumbrunn, BMC Med. Inform. Decis. Mak. 11, 2011). Treating all people has sensitivity 1 and
    specificity 0.
    """
    weight = np.divide(threshold, np.subtract(1.0, threshold))
    false_positives = np.subtract(1.0, prevalence) * np.subtract(1.0, specificity)
    return np.multiply(prevalence, sensitivity) - false_positives * weight


def worthwhile(prevalence: float, sensitivity: float, specificity: float) -> tuple[float, float] | None:
    """The range of threshold probabilities in which a test is better than treating all people and than treating no one.

    Its limits are the probabilities of being ill after a negative and after a positive result, if the test itself does no harm
    (S. G. Pauker and J. P. Kassirer, "The threshold approach to clinical decision making", N. Engl. J. Med. 302, 1980). None if
    the test is not better than guessing.
    """
    if sensitivity + specificity <= 1:
        return None
    ill, healthy = prevalence, 1 - prevalence
    missed, found = ill * (1 - sensitivity), ill * sensitivity
    return missed / (missed + healthy * specificity), found / (found + healthy * (1 - specificity))


def prior_shift(probability: Values, trained: float, prevalence: float) -> Values:
    """Prior shift: a model's probability for a prevalence other than that of its training data.

    Bayes' theorem with the new prevalence instead of the old one (M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the
    outputs of a classifier to new a priori probabilities", Neural Comput. 14, 2002). It corrects the prevalence and nothing else.
    """
    return post_test(probability, prevalence / (1 - prevalence) * (1 - trained) / trained)


def shares(rows: pd.DataFrame, thresholds: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Sensitivity and specificity at every threshold, as means over the splits of one model, protocol and test dataset.

    Missing (NaN) if no row is positive, or none negative.
    """
    thresholds = np.asarray(thresholds, dtype=float)
    positive, probability = rows["positive"].to_numpy(dtype=bool), rows["probability"].to_numpy()
    split = rows["split"].to_numpy()
    means = []
    for of in (positive, ~positive):
        below = [
            np.searchsorted(np.sort(probability[of & (split == number)]), thresholds) / count
            for number, count in zip(*np.unique(split[of], return_counts=True), strict=True)
        ]
        means.append(np.mean(below, axis=0) if below else np.full(len(thresholds), np.nan))
    return 1 - means[0], means[1]


def at(rows: pd.DataFrame, thresholds: ArrayLike) -> pd.DataFrame:
    """All measures of a result that do not depend on the prevalence, at every threshold.

    Returns
    -------
    pandas.DataFrame, shape (t, ...)
        ``threshold``; each of `SHARES` with Wilson's 95% interval as ``_low`` and ``_high``; each of `RATIOS` with the interval
        of `likelihood_ratios`; ``corrected``. Undefined values are missing.
    """
    positive = rows["positive"]
    of = rows.loc[positive, "person"].nunique(), rows.loc[~positive, "person"].nunique()
    columns = {"threshold": np.asarray(thresholds, dtype=float)}
    values = shares(rows, thresholds)
    for name, value, n in zip(SHARES, values, of, strict=True):
        # At least one person, to avoid a division by 0: a missing share has no interval anyway.
        low, high = intervals.wilson(value, max(n, 1))
        columns |= {name: value, f"{name}_low": low, f"{name}_high": high}
    (found, cleared), (ill, healthy) = values, of
    ratios = likelihood_ratios(found * ill, (1 - found) * ill, (1 - cleared) * healthy, cleared * healthy)
    for name, ratio in zip(RATIOS, ratios, strict=False):
        columns |= {name: ratio.value, f"{name}_low": ratio.low, f"{name}_high": ratio.high}
    import pandas as pd

    return pd.DataFrame(columns | {"corrected": ratios.corrected})


def trained_prevalence(predictions: pd.DataFrame, study: str, model: str, protocol: str) -> float | None:
    """Share of positive recordings in a model's training data; None if the table does not show it.

    Protocols that split one dataset keep the shares of the labels, so the test rows show it. A model tested on another dataset
    was trained on all clean rows of its own, which are those of `deduplicated`. The study has the name of its own dataset.
    """
    own = predictions[
        (predictions["model"] == model)
        & (predictions["role"] == "test")
        & (predictions["tested_on"] == study)
        & (predictions["protocol"] == (protocol if protocol != EXTERNAL else "deduplicated"))
    ]
    share = float(own["positive"].mean())
    return share if 0 < share < 1 else None


def _rounded(number):
    # Rounds a half up, as a browser does: Python's round would give the even number.
    return int(np.floor(number + 0.5))
