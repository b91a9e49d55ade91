"""Intervals of shares and of their ratios, held against statsmodels."""

import numpy as np
import pytest
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
