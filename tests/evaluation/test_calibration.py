"""Calibration, compared with scikit-learn, statsmodels and a published worked example."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import StratifiedKFold

from coughlab.evaluation import bootstrap, calibration, intervals, scoring
from tests.evaluation.test_bootstrap import scattered, table


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def overconfident(seed=0, n=400, slope=0.5, intercept=-0.4, recordings=1):
    """Rows whose true logit is a known linear function of the predicted logit."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 2, n)
    label = rng.random(n) < expit(intercept + slope * x)
    person = np.repeat(np.arange(n // recordings), recordings)
    return table(label, expit(x), person=person)


def test_slope_and_intercept_of_a_published_example():
    # README of github.com/tuur/CalibrationSlopeInterceptPython; its author compared the function with R's rms::val.prob.
    y = [0, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    p = [0.01, 0.01, 0.24, 0.22, 0.02, 0.1, 0.03, 0.12, 0.04, 0.01]
    result = calibration.summary(table(np.array(y) == 1, p), n_boot=20)
    assert result["slope"] == pytest.approx(0.16386382554885154, rel=1e-4)
    assert result["intercept"] == pytest.approx(-0.8927315726785341, rel=1e-4)
    # In that source "in the large" is the difference of the means.
    assert result["prevalence"] - result["mean_probability"] == pytest.approx(0.12)
    assert result["reason"] == ""


@pytest.mark.parametrize("seed", range(3))
def test_slope_intercept_and_calibration_in_the_large_are_those_of_statsmodels(seed):
    rows = overconfident(seed)
    y, x = (rows["label"] == "covid").to_numpy(float), logit(rows["probability"].to_numpy())
    result = calibration.summary(rows, n_boot=20)
    line = sm.Logit(y, sm.add_constant(x)).fit(disp=0).params
    shift = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=x).fit().params
    got = [result["intercept"], result["slope"], result["in_the_large"]]
    assert got == pytest.approx([*line, *shift], rel=1e-6)
    for name in calibration.MEASURES:
        assert result[f"{name}_low"] < result[name] < result[f"{name}_high"]


def test_each_replicate_is_statsmodels_s_fit_with_people_as_weights():
    rows = overconfident(1, n=150, recordings=3)
    p, positive = rows["probability"].to_numpy(), (rows["label"] == "covid").to_numpy()
    (weights,) = bootstrap.draws(rows["person"], positive, 6)
    start = (np.nan, np.nan, 1.0, 0.0, 0.0)
    got = calibration._measure(p, positive, [0], weights, "", start=start)
    for b in range(6):
        fit = {"family": sm.families.Binomial(), "freq_weights": weights[:, b]}
        intercept, slope = sm.GLM(positive * 1.0, sm.add_constant(logit(p)), **fit).fit().params
        (shift,) = sm.GLM(positive * 1.0, np.ones(len(p)), offset=logit(p), **fit).fit().params
        # Logits are grouped at two decimals.
        assert got[2:, b] == pytest.approx([slope, intercept, shift], abs=2e-3)
        brier = brier_score_loss(positive, p, sample_weight=weights[:, b])
        share = np.average(positive, weights=weights[:, b])
        assert got[:2, b] == pytest.approx([brier, 1 - brier / (share * (1 - share))])


def test_the_interval_of_the_slope_is_that_of_the_sandwich_by_people():
    # With so many people, bootstrap and cluster-robust standard errors (K.-Y. Liang and S. L. Zeger, 1986) agree.
    rng = np.random.default_rng(0)
    rows = overconfident(2, n=300)
    rows = pd.concat(
        [rows, rows.assign(probability=expit(logit(rows["probability"]) + rng.normal(0, 0.5, 300)))]
    )
    y, x = (rows["label"] == "covid").to_numpy(float), logit(rows["probability"].to_numpy())
    groups = rows["person"].astype("category").cat.codes
    fit = sm.Logit(y, sm.add_constant(x)).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    result = calibration.summary(rows.reset_index(drop=True), n_boot=1000)
    low, high = fit.conf_int()[1]
    assert [result["slope_low"], result["slope_high"]] == pytest.approx([low, high], abs=0.15 * (high - low))


def test_the_brier_score_and_its_interval_are_those_of_the_table_of_scores():
    rows = scattered(1)
    (row,) = bootstrap.table(rows, {"mlp": 0.5}, n_boot=100).to_dict("records")
    result = calibration.summary(rows, n_boot=100)
    for name in (
        "brier",
        "brier_low",
        "brier_high",
        "splits",
        "recordings",
        "people",
        "positives",
        "negatives",
    ):
        assert result[name] == pytest.approx(row[name]), name
    each = scoring.per_split(rows, {"mlp": 0.5})
    share = (each["positives"] / each["recordings"]).mean()
    assert result["prevalence"] == pytest.approx(share)
    assert result["skill"] == pytest.approx(1 - result["brier"] / (share * (1 - share)))
    turned = calibration.summary(rows.sample(frac=1, random_state=0), n_boot=100)
    assert turned == pytest.approx(result, nan_ok=True)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("decimals", [1, 8])
def test_points_are_those_of_scikit_learn(strategy, decimals):
    rows = scattered(3, n=200, people=80)
    rows["probability"] = np.round(np.random.default_rng(0).random(len(rows)), decimals)
    points = calibration.reliability(rows, bins=7, strategy=strategy)
    observed, predicted = calibration_curve(
        rows["label"] == "covid", rows["probability"], n_bins=7, strategy=strategy
    )
    assert points["predicted"].tolist() == pytest.approx(predicted.tolist())
    assert points["observed"].tolist() == pytest.approx(observed.tolist())
    assert points["answers"].sum() == len(rows)


def test_a_point_counts_people_not_answers():
    rows = table(
        [1, 1, 0, 0, 1], [0.31, 0.32, 0.33, 0.34, 0.9], person=[0, 0, 1, 2, 3], recording=list("aabcd")
    )
    first, last = calibration.reliability(rows, bins=5).to_dict("records")
    assert [first[name] for name in ("answers", "recordings", "people")] == [4, 3, 3]
    assert (first["low"], first["high"]) == pytest.approx(intervals.wilson(0.5, 3))
    assert (last["observed"], last["high"]) == (1.0, 1.0) and last["low"] < 0.3
    assert calibration.reliability(rows[:0]).empty


def test_recalibration_is_fitted_on_other_people():
    rows = overconfident(4, n=120, recordings=2)
    after, reason = calibration.recalibrated(rows, seed=3)
    assert reason == "" and after.drop(columns="probability").equals(rows.drop(columns="probability"))
    names = np.unique(rows["person"])
    ill = np.array([(rows["label"] == "covid")[rows["person"] == name].any() for name in names])
    for others, judged in StratifiedKFold(5, shuffle=True, random_state=3).split(names, ill):
        of = rows["person"].isin(names[others])
        y, x = (rows["label"] == "covid")[of].to_numpy(), logit(rows["probability"][of].to_numpy())[:, None]
        n = ill[others].sum()
        target = np.where(y, (n + 1) / (n + 2), 1 / (len(others) - n + 2))
        # For scikit-learn, a target between 0 and 1 is two rows with weights.
        X, labels, weights = np.vstack([x, x]), np.repeat([1, 0], len(x)), np.append(target, 1 - target)
        fit = LogisticRegression(C=np.inf, tol=1e-8).fit(X, labels, sample_weight=weights)
        of = rows["person"].isin(names[judged])
        expected = fit.predict_proba(logit(rows["probability"][of].to_numpy())[:, None])[:, 1]
        assert after["probability"][of].tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_recalibration_corrects_a_linear_error():
    rows = overconfident(5, n=2000, slope=0.4, intercept=-1.0)
    after, _ = calibration.recalibrated(rows)
    before, result = calibration.summary(rows, n_boot=50), calibration.summary(after, n_boot=50)
    assert before["slope"] < 0.6 and before["in_the_large"] < -0.5
    assert result["slope"] == pytest.approx(1, abs=0.1) and result["in_the_large"] == pytest.approx(
        0, abs=0.1
    )
    assert result["brier"] < before["brier"] and result["skill"] > 0


def missing(result, *names):
    return all(np.isnan(result[f"{name}{end}"]) for name in names for end in ("", "_low", "_high"))


@pytest.mark.parametrize(
    "label, probability, reason",
    [
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.0], "of one class"),
        ([1], [0.5], "of one class"),
        ([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1], "completely separable"),
        ([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9], "completely separable"),
        ([1, 1, 0, 0], [1.0, 1.0, 0.0, 0.0], "completely separable"),
        ([1, 1, 1, 0, 0], [0.3, 0.8, 1.0, 0.5, 0.0], ""),
        ([1, 1, 0, 0], [0.3, 0.3, 0.3, 0.3], "the same"),
        ([1, 1, 0, 0], [1.0, 0.0, 0.0, 1.0], "2 of 4 answers are exactly 0% or 100% and wrong"),
    ],
)
def test_undefined_values_are_missing_and_have_a_reason(label, probability, reason):
    rows = table(np.array(label) == 1, probability)
    result = calibration.summary(rows, n_boot=50)
    assert reason in result["reason"] and bool(reason) == bool(result["reason"])
    assert result["brier"] == pytest.approx(np.mean((np.array(label) - probability) ** 2))
    assert missing(result, "slope", "intercept", "in_the_large") == bool(reason)
    assert missing(result, "skill") == (len(set(label)) == 1)
    assert 1 <= len(calibration.reliability(rows)) <= len(label)
    after, why = calibration.recalibrated(rows)
    if len(set(label)) == 1:
        assert after is None and "at least two people" in why
    else:
        assert after["probability"].between(0, 1, inclusive="neither").all() and why == ""
        calibration.summary(after, n_boot=10)


def test_certain_answers_that_are_right_change_neither_slope_nor_intercept():
    rows = overconfident(6, n=60)
    certain = table([1, 0], [1.0, 0.0], person=[100, 101])
    alone, beside = (calibration.summary(r, n_boot=10) for r in (rows, pd.concat([rows, certain])))
    for name in ("slope", "intercept", "in_the_large"):
        assert beside[name] == pytest.approx(alone[name])
    assert beside["brier"] < alone["brier"]


def test_a_slope_that_some_draws_cannot_bound_has_no_upper_limit():
    # Only one person makes the classes not separable, and this person is often not drawn.
    label = np.arange(20) < 10
    probability = np.append(np.linspace(0.6, 0.9, 10), np.linspace(0.1, 0.55, 10))
    probability[-1] = 0.7
    result = calibration.summary(table(label, probability), n_boot=200)
    assert 0 < result["slope_low"] < result["slope"] < result["slope_high"] == np.inf
    assert np.isfinite([result["intercept_low"], result["intercept_high"], result["in_the_large_high"]]).all()
