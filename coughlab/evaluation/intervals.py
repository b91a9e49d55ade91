"""Intervals of shares, and of their ratios, from counts of people.

Written out here, and held against statsmodels by the tests, because importing that loads all of scipy.stats: half a second and
50 MB for two formulas, while somebody waits for a page.
"""

from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95


def deviate(confidence=CONFIDENCE):
    """How many standard errors an interval reaches to either side, by the normal distribution (float)."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(share, people, confidence=CONFIDENCE):
    """Wilson's score interval of a share of some people (E. B. Wilson, JASA 22, 1927).

    Parameters
    ----------
    share : float or array-like
        Between 0 and 1, or missing (NaN); times the number of people it need not be whole.
    people : int or array-like
        At least 1.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    (float or ndarray, float or ndarray)
        Lower and upper limit; missing where the share is.
    """
    share, people = np.asarray(share, dtype=float), np.asarray(people)
    error = deviate(confidence) / np.sqrt(people)
    middle = share + error**2 / 2
    reach = error * np.sqrt(share * (1 - share) + error**2 / 4)
    # A perfect share is its own limit, which rounding can miss.
    low = np.clip((middle - reach) / (1 + error**2), 0, share)
    high = np.clip((middle + reach) / (1 + error**2), share, 1)
    return low[()], high[()]


def ratio(some, of, others, of_others, confidence=CONFIDENCE):
    """The ratio of two shares, and its interval from the normal distribution of its logarithm.

    D. Katz et al., "Obtaining confidence intervals for the risk ratio in cohort studies", Biometrics 34, 1978.

    Parameters
    ----------
    some, of : float or array-like
        How many of how many people, above 0; they need not be whole.
    others, of_others : float or array-like
        How many of how many other people, above 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    (float or ndarray, float or ndarray, float or ndarray)
        The ratio, its lower and its upper limit.
    """
    value = (some / of) / (others / of_others)
    reach = np.exp(deviate(confidence) * np.sqrt(1 / some - 1 / of + 1 / others - 1 / of_others))
    return value, value / reach, value * reach
