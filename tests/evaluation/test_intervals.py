"""Intervals of shares and ratios, compared with statsmodels; those of the ROC AUC compared with their equation."""

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from coughlab.evaluation import intervals


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_s_limits_are_those_of_statsmodels(confidence):
    share, people = np.meshgrid(np.linspace(0, 1, 21), [1, 2, 3, 16, 1000])
    low, high = intervals.wilson(share, people, confidence)
    expected = proportion_confint(share * people, people, alpha=1 - confidence, method="wilson")
    np.testing.assert_allclose([low, high], expected, rtol=1e-12, atol=1e-15)
    assert (low >= 0).all() and (low <= share).all() and (high >= share).all() and (high <= 1).all()
    assert (low[share == 0] == 0).all() and (high[share == 1] == 1).all()


def test_a_share_that_is_missing_has_no_interval():
    low, high = intervals.wilson([0.5, np.nan], 10)
    assert np.isfinite([low[0], high[0]]).all() and np.isnan([low[1], high[1]]).all()


def test_one_share_gives_two_numbers():
    low, high = intervals.wilson(0.25, 8)
    assert isinstance(low, float) and isinstance(high, float) and low < 0.25 < high


def test_the_interval_of_a_ratio_is_that_of_statsmodels():
    some, others = np.meshgrid([0.5, 1, 7.5, 16], [0.5, 3, 50, 100])
    value, low, high = intervals.ratio(some, 16, others, 100)
    expected = confint_proportions_2indep(some, 16, others, 100, compare="ratio", method="log")
    np.testing.assert_allclose([low, high], expected, rtol=1e-12)
    np.testing.assert_allclose(value, (some / 16) / (others / 100))


@pytest.mark.parametrize("m, n", [(1, 1), (6, 45), (14, 147), (175, 175)])
@pytest.mark.parametrize("auc", [0.0, 0.03, 0.5, 0.8, 0.999, 1.0])
def test_newcombe_s_limits_are_the_roots_of_his_equation(auc, m, n):
    # The expanded equation of method 5, a polynomial of degree 4, solved by NumPy.
    z2, others = scipy.stats.norm.isf(0.025) ** 2, (m + n) / 2 - 1
    P = np.polynomial.Polynomial
    x = P([0, 1])
    bracket = (2 - x) * (1 + x) + others * ((1 - x) * (1 + x) + x * (2 - x))
    roots = (m * n * (auc - x) ** 2 * (2 - x) * (1 + x) - z2 * x * (1 - x) * bracket).roots()
    roots = np.sort(roots[(np.abs(roots.imag) < 1e-9) & (roots.real > -1e-9) & (roots.real < 1 + 1e-9)].real)
    low, high = intervals.newcombe(auc, m, n)
    assert low <= auc <= high
    assert [low, high] == pytest.approx([roots.min(), roots.max()], abs=1e-6)
    assert intervals.newcombe(1 - auc, n, m) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_newcombe_s_limits_of_a_half_agree_with_the_mann_whitney_test():
    # At 1/2 the standard error equals that of the test, sqrt((m + n + 1) / (12 m n)). An AUC that is just significant
    # in this test has 1/2 as its limit.
    m, n = 12, 30
    auc = 0.5 + scipy.stats.norm.isf(0.025) * np.sqrt((m + n + 1) / (12 * m * n))
    assert intervals.newcombe(auc, m, n)[0] == pytest.approx(0.5, abs=1e-9)
