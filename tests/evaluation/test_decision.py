"""The meaning of a result, compared with published worked examples and other implementations."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import relative_risk

from coughlab.evaluation import decision, scoring
from tests.tables import with_positive


def estimates(ratios):
    return [*ratios.positive, *ratios.negative]


def test_a_published_likelihood_ratio_with_its_interval():
    # I. A. Scott, P. B. Greenberg and P. J. Poole, Intern. Med. J. 38, 2008, as in the manual of the R package epiR, epi.tests.
    positive, _, corrected = decision.likelihood_ratios(670, 74, 202, 640)
    assert [round(float(number), 2) for number in positive] == [3.75, 3.32, 4.24]
    assert not corrected


@pytest.mark.parametrize("counts", [(231, 27, 32, 54), (5, 9, 3, 144), (1, 13, 140, 7)])
def test_the_intervals_are_scipy_s_of_a_relative_risk(counts):
    tp, fn, fp, tn = counts
    ratios = decision.likelihood_ratios(*counts)
    for estimate, ill, healthy in ((ratios.positive, tp, fp), (ratios.negative, fn, tn)):
        other = relative_risk(ill, tp + fn, healthy, fp + tn)
        assert estimate == pytest.approx([other.relative_risk, *other.confidence_interval(0.95)])


def test_the_liver_scan_of_altman_and_bland():
    # D. G. Altman and J. M. Bland, BMJ 308, 1552 and BMJ 309, 102, 1994: 231 of 258 ill, 54 of 86 healthy classified correctly.
    ratios = decision.likelihood_ratios(231, 27, 32, 54)
    assert ratios.positive.value == pytest.approx(2.4, abs=0.01)
    for prevalence, ppv, npv in ((258 / 344, 231 / 263, 54 / 81), (0.25, 0.445, 0.947)):
        values = decision.predictive_values(prevalence, ratios)
        assert [value.value for value in values] == pytest.approx([ppv, npv], abs=0.0005)


@pytest.mark.parametrize("prevalence", [0.03, 0.5])
def test_predictive_values_of_a_case_control_study_have_logit_intervals(prevalence):
    # Table VIII and equations 8 to 11 of Mercaldo et al. 2007; R's bdpv::BDtest computes the same.
    tp, fn, fp, tn = 240, 178, 87, 288
    se, sp = tp / (tp + fn), tn / (fp + tn)
    ppv = se * prevalence / (se * prevalence + (1 - sp) * (1 - prevalence))
    npv = sp * (1 - prevalence) / (sp * (1 - prevalence) + (1 - se) * prevalence)
    variances = ((1 - se) / tp + sp / fp, se / fn + (1 - sp) / tn)
    values = decision.predictive_values(prevalence, decision.likelihood_ratios(tp, fn, fp, tn))
    for estimate, value, variance in zip(values, (ppv, npv), variances, strict=True):
        logits = np.log(value / (1 - value)) + np.array([0, -1, 1]) * 1.959964 * np.sqrt(variance)
        assert estimate == pytest.approx(1 / (1 + np.exp(-logits)), rel=1e-6)


def test_the_nomogram_s_lines():
    # R. Jaeschke, G. H. Guyatt and D. L. Sackett, JAMA 271, 1994: a lung scan in a man with a pretest probability of 20%.
    after = decision.post_test(0.2, np.array([18.3, 1.2, 0.36, 0.1]))
    assert [round(100 * float(probability)) for probability in after] == [82, 23, 8, 2]


def test_an_empty_cell_makes_no_ratio_certain():
    ratios = decision.likelihood_ratios(10, 0, 0, 8)
    assert ratios.corrected
    assert ratios.positive.value == pytest.approx((10.5 / 11) / (0.5 / 9))
    assert ratios.negative.value == pytest.approx((0.5 / 11) / (8.5 / 9))
    low, high = np.array(estimates(ratios))[[1, 4]], np.array(estimates(ratios))[[2, 5]]
    assert (low > 0).all() and np.isfinite(high).all()
    # A mean over splits of less than half a person is treated as zero.
    nearly = decision.likelihood_ratios(9.999, 0.001, 0, 8)
    assert estimates(nearly) == pytest.approx(estimates(ratios), rel=0.01)


def test_a_result_that_all_people_have_has_no_information():
    ratios = decision.likelihood_ratios(14, 0, 147, 0)
    assert ratios.positive.value == 1 and ratios.positive.low < 1 < ratios.positive.high
    assert np.isnan(ratios.negative).all()
    assert np.isnan(estimates(decision.likelihood_ratios(0, 0, 3, 40))).all()


def test_people_add_up():
    for prevalence in (0.0004, 0.001, 0.05, 0.333, 0.9999):
        for share in (0.0, 0.123, 0.5, 0.999, 1.0):
            for n in (1, 1000):
                counts = decision.people(prevalence, share, 1 - share / 3, n)
                assert sum(counts) == n and min(counts) >= 0
    # D. M. Eddy's mammography in G. Gigerenzer's natural frequencies: of 1,000 women 10 ill, 8 found, 95 false alarms.
    assert decision.people(0.01, 0.8, 0.904) == (8, 2, 95, 895)


def test_net_benefit_as_the_r_package_dcurves_computes_it():
    # Its family history example: 750 men, 14% ill, true positives 3.2% and false positives 12.13% of all.
    threshold = np.array([0.05, 0.1, 0.2, 0.3])
    benefit = decision.net_benefit(0.14, 0.032 / 0.14, 1 - 91 / 750 / 0.86, threshold)
    assert benefit == pytest.approx([0.0256140351, 0.0185185185, 0.0016666667, -0.02])
    treat_all = decision.net_benefit(0.14, 1.0, 0.0, threshold)
    assert treat_all == pytest.approx([0.0947368421, 0.0444444444, -0.075, -0.2285714286])


def test_a_test_is_worthwhile_where_it_beats_treating_all_and_none():
    prevalence, se, sp = 0.05, 0.8, 0.9
    low, high = decision.worthwhile(prevalence, se, sp)
    assert decision.net_benefit(prevalence, se, sp, high) == pytest.approx(0, abs=1e-12)
    assert decision.net_benefit(prevalence, se, sp, low) == pytest.approx(
        decision.net_benefit(prevalence, 1, 0, low)
    )
    assert decision.worthwhile(prevalence, 0.3, 0.7) is None
    assert decision.worthwhile(prevalence, 1.0, 1.0) == (0.0, 1.0)


def test_probabilities_move_with_the_prevalence():
    # For two normal densities the posterior is known exactly at both prevalences.
    x = np.linspace(-2, 3, 11)
    ratio = np.exp(-((x - 1) ** 2) / 2 + x**2 / 2)
    moved = decision.prior_shift(decision.post_test(0.3, ratio), 0.3, 0.02)
    assert moved == pytest.approx(decision.post_test(0.02, ratio))


def predictions(seed=0, splits=4):
    draw = np.random.default_rng(seed)
    people = pd.DataFrame({"person": [f"p{k % 17}" for k in range(30)]})
    people["label"] = np.where(people["person"].isin(["p1", "p2", "p3", "p4"]), "covid", "not_covid")
    rows = pd.concat(
        people.sample(18, random_state=split).assign(split=split) for split in range(splits)
    ).reset_index(names="recording")
    rows["probability"] = draw.choice([0, 0.2, 0.5, 0.7, 1], len(rows))
    return with_positive(rows.assign(model="m", protocol="published", tested_on="d", role="test"))


def test_at_a_threshold_the_shares_are_the_scores_and_the_ratios_rest_on_people():
    rows, thresholds = predictions(), [0.0, 0.2, 0.5, 0.99]
    table = decision.at(rows, thresholds)
    for threshold, line in zip(thresholds, table.to_dict("records"), strict=True):
        score = scoring.scores(rows, {"m": threshold}).iloc[0]
        for name in ("sensitivity", "specificity"):
            for end in ("", "_low", "_high"):
                assert line[f"{name}{end}"] == pytest.approx(score[f"{name}{end}"])
        ill, healthy = score["sensitivity_people"], score["specificity_people"]
        assert (ill, healthy) == (4, 13)
        found, alarmed = score["sensitivity"] * ill, (1 - score["specificity"]) * healthy
        ratios = decision.likelihood_ratios(found, ill - found, alarmed, healthy - alarmed)
        shown = [line[f"{name}{end}"] for name in decision.RATIOS for end in ("", "_low", "_high")]
        assert shown == pytest.approx(estimates(ratios), nan_ok=True)
        assert line["corrected"] == ratios.corrected


def test_without_ill_people_only_the_specificity_is_known():
    rows = predictions()
    table = decision.at(rows[rows["label"] == "not_covid"], [0.5])
    known = set(table.columns[table.notna().all()])
    assert known == {"threshold", "specificity", "specificity_low", "specificity_high", "corrected"}
