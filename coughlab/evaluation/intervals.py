"""Intervals of shares, and of their ratios, from counts of people.

statsmodels is not used, because its import loads all of scipy.stats: half a second and 50 MB. The tests compare with it.
"""

from statistics import NormalDist
from typing import Any

import numpy as np

CONFIDENCE = 0.95
#: A number, or an array of them.
Values = Any


def z_score(confidence: float = CONFIDENCE) -> float:
    """The z-score: how many standard errors an interval extends to each side, by the normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(share: Values, people: Values, confidence: float = CONFIDENCE) -> tuple[Values, Values]:
    """Wilson's score interval of a share of some people, at least 1 (E. B. Wilson, JASA 22, 1927); NaN if the share is."""
    share, people = np.asarray(share, dtype=float), np.asarray(people)
    error = z_score(confidence) / np.sqrt(people)
    middle = share + error**2 / 2
    reach = error * np.sqrt(share * (1 - share) + error**2 / 4)
    # A share of 0 or 1 is its own limit, which rounding can miss.
    low = np.clip((middle - reach) / (1 + error**2), 0, share)
    high = np.clip((middle + reach) / (1 + error**2), share, 1)
    return low[()], high[()]


def ratio(
    some: Values,
    of: Values,
    others: Values,
    of_others: Values,
    confidence: float = CONFIDENCE,
) -> tuple[Values, Values, Values]:
    """The ratio of two shares, and its interval from the normal distribution of its logarithm.

    D. Katz et al., "Obtaining confidence intervals for the risk ratio in cohort studies", Biometrics 34, 1978. Counts are above
    0 and need not be whole.
    """
    value = (some / of) / (others / of_others)
    reach = np.exp(z_score(confidence) * np.sqrt(1 / some - 1 / of + 1 / others - 1 / of_others))
    return value, value / reach, value * reach


def newcombe(
    auc: float, positives: float, negatives: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """An interval of the ROC AUC from its value and the number of people of each class, at least 1.

    Method 5 of R. G. Newcombe ("Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2",
    Statistics in Medicine 25, 2006): the values whose distance from the AUC is z standard errors, the standard error being that
    of Hanley and McNeil (Radiology 143, 1982) *at that value*, with (m + n) / 2 - 1 in place of m - 1 and n - 1.
    """
    from scipy.optimize import brentq

    z2, others = z_score(confidence) ** 2, (positives + negatives) / 2 - 1

    def excess(value):
        spread = 1 + others * ((1 - value) / (2 - value) + value / (1 + value))
        return (auc - value) ** 2 - z2 * value * (1 - value) * spread / (positives * negatives)

    # At 0 and at 1 the standard error is 0, so that the search would find a perfect AUC itself as its limit.
    edge = 1e-9
    low = brentq(excess, 0.0, min(auc, 1 - edge)) if auc > edge else 0.0
    high = brentq(excess, max(auc, edge), 1.0) if auc < 1 - edge else 1.0
    return min(float(low), auc), max(float(high), auc)
