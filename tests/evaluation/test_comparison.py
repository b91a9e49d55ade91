"""Comparisons over splits, compared with the published formula calculated by hand and with SciPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from coughlab.evaluation import comparison, scoring
from coughlab.evaluation.metrics import PER_SPLIT
from tests.tables import with_positive

N_TEST, N_TRAIN = 51, 119
A = [0.96, 1.0, 0.94, 0.98, 0.92]
B = [0.94, 0.96, 0.94, 0.90, 0.92]


def table(**models):
    """Rows in the format of `scoring.per_split`: for each model the value of every metric, by split, on test rows."""
    rows = []
    for model, values in models.items():
        for split, value in values.items() if isinstance(values, dict) else enumerate(values):
            for role, recordings in (("train", N_TRAIN), ("test", N_TEST)):
                row = {"model": model, "split": split, "role": role, "recordings": recordings}
                rows.append(row | dict.fromkeys(PER_SPLIT, value if role == "test" else 1.0))
    return pd.DataFrame(rows)


def test_the_interval_is_nadeau_s_and_bengio_s():
    result = comparison.paired(table(a=A, b=B), "a", "b", "accuracy")
    differences = np.array([0.02, 0.04, 0.0, 0.08, 0.0])
    assert result.differences.tolist() == pytest.approx(differences)
    # By hand: mean 0.028, s^2 = 0.00448 / 4, t(0.975, 4) = 2.776445, 1/5 + 51/119 = 0.628571.
    assert result.interval.mean == pytest.approx(0.028)
    half = 2.776445 * np.sqrt((1 / 5 + 51 / 119) * 0.00112)
    assert result.interval.high - 0.028 == pytest.approx(half, rel=1e-6)
    assert 0.028 - result.interval.low == pytest.approx(half, rel=1e-6)
    t = 0.028 / np.sqrt((1 / 5 + 51 / 119) * 0.00112)
    assert result.interval.p == pytest.approx(2 * (1 - stats.t.cdf(t, 4)))


def test_the_naive_interval_is_scipy_s_and_narrower():
    naive = comparison.paired(table(a=A, b=B), "a", "b", "accuracy").interval
    expected = stats.ttest_rel(A, B).confidence_interval(0.95)
    assert (naive.naive_low, naive.naive_high) == pytest.approx((expected.low, expected.high))
    assert naive.low < naive.naive_low < naive.naive_high < naive.high


def test_the_p_value_agrees_with_the_interval():
    for shift in (0.0, 0.02, 0.05, 0.2):
        result = comparison.paired(table(a=np.array(A) + shift, b=B), "a", "b", "accuracy").interval
        assert (result.p < 0.05) == (result.low > 0)


def test_without_overlap_both_intervals_are_equal():
    result = comparison.interval(A, 0)
    assert (result.low, result.high) == (result.naive_low, result.naive_high)


def test_exchanging_the_models_changes_the_sign():
    one, two = (
        comparison.paired(table(a=A, b=B), *pair, "accuracy").interval for pair in (("a", "b"), ("b", "a"))
    )
    assert (one.mean, one.low, one.high, one.p) == pytest.approx((-two.mean, -two.high, -two.low, two.p))


def test_only_splits_that_both_have_are_paired():
    models = {"a": dict(enumerate(A)), "b": {4: 0.9, 1: 0.9, 7: 0.1}}
    assert comparison.paired(table(**models), "a", "b", "accuracy").differences.to_dict() == pytest.approx(
        {1: 0.1, 4: 0.02}
    )


def test_splits_where_a_metric_is_not_defined_are_left_out():
    models = {"a": [0.9, np.nan, 0.8], "b": [0.8, 0.9, np.nan]}
    assert comparison.paired(table(**models), "a", "b", "precision").differences.to_dict() == pytest.approx(
        {0: 0.1}
    )
    assert comparison.summary(table(**models), "a").loc["precision", "splits"] == 2


@pytest.mark.parametrize(("a", "b", "mean"), [([0.9], [0.7], 0.2), ([0.9] * 3, [0.7] * 3, 0.2), (A, A, 0.0)])
def test_where_nothing_varies_there_is_a_mean_and_no_interval(a, b, mean):
    result = comparison.paired(table(a=a, b=b), "a", "b", "accuracy").interval
    assert result.mean == pytest.approx(mean)
    assert np.isnan([result.low, result.high, result.p, result.naive_low, result.naive_high]).all()


def test_no_shared_split_is_reported():
    with pytest.raises(ValueError, match="no split on which"):
        comparison.paired(table(a={0: 0.5}, b={1: 0.5}), "a", "b", "accuracy")
    with pytest.raises(ValueError, match="no split on which"):
        comparison.lucky(table(a=[np.nan]), "a", "accuracy")


def test_protocols_are_not_mixed():
    twice = pd.concat([table(a=A), table(a=B)])
    with pytest.raises(ValueError, match="several protocols"):
        comparison.summary(twice, "a")


def test_the_lucky_split():
    result = comparison.lucky(table(a=[0.9, 1.0, 0.8, 1.0]), "a", "accuracy")
    assert (result.best, result.worst) == (1, 2)
    assert (result.share(1.0), result.share(0.9), result.share(0.0)) == (0.5, 0.75, 1.0)


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_of_a_loss_the_least_is_the_best(metric):
    result = comparison.lucky(table(a=[0.9, 0.1, 0.8]), "a", metric)
    assert (result.best, result.worst) == (1, 0)
    assert result.share(0.8) == pytest.approx(2 / 3)


def test_the_summary_is_of_the_test_rows():
    row = comparison.summary(table(a=A), "a").loc["f1"]
    assert row["splits"] == 5 and row["mean"] == pytest.approx(np.mean(A))
    assert (row["min"], row["median"], row["max"]) == (0.92, 0.96, 1.0)
    assert row["sd"] == pytest.approx(np.std(A, ddof=1))
    expected = comparison.interval(A, N_TEST / N_TRAIN)
    assert (row["low"], row["high"]) == (expected.low, 1)
    assert expected.high > 1
    assert comparison.summary(table(a=A), "a").loc["log_loss", "high"] == expected.high
    assert comparison.summary(table(a=[0.1, 0.0, 0.2]), "a").loc["brier", "low"] == 0
    assert comparison.summary(table(a=[1.0, 1.0]), "a").loc["accuracy", ["low", "high"]].isna().all()
    assert list(comparison.summary(table(a=A), "a").index) == list(PER_SPLIT)


def test_splits_are_listed_with_train_beside_test():
    predictions = with_positive(
        {
            "model": "a",
            "protocol": "published",
            "tested_on": "here",
            "split": np.repeat([0, 1], 6),
            "role": ["train"] * 4 + ["test"] * 2 + ["test"] * 2 + ["train"] * 4,
            "recording": [f"r{k}" for k in range(6)] * 2,
            "person": "p",
            "label": ["covid", "not_covid", "not_covid", "not_covid", "covid", "not_covid"] * 2,
            "probability": [0.9, 0.1, 0.1, 0.8, 0.2, 0.1] * 2,
        }
    )
    rows = comparison.wide(scoring.per_split(predictions, {"a": 0.5}), "a")
    assert rows["split"].tolist() == [1, 2]
    first, second = rows.to_dict("records")
    assert [first[f"{name}_{role}"] for role in ("train", "test") for name in ("positives", "negatives")] == [
        1,
        3,
        1,
        1,
    ]
    assert (first["accuracy_train"], first["accuracy_test"]) == (0.75, 0.5)
    assert first["log_loss_test"] == pytest.approx(-np.mean(np.log([0.2, 0.9])))
    assert [first[cell] for cell in ("tp", "fn", "fp", "tn")] == [0, 1, 0, 1]
    assert [second[cell] for cell in ("tp", "fn", "fp", "tn")] == [1, 0, 0, 1]


def words(a, b, metric="accuracy"):
    return comparison.difference_in_words(
        comparison.paired(table(a=a, b=b), "a", "b", metric), "MLP", "CNN", metric
    )


def test_a_difference_in_words():
    assert words(A, B) == (
        "Over 5 shared splits the accuracy of MLP was on average 2.8 points higher than that of CNN"
        " (95% interval of the difference −4.6 to +10.2, p 0.351). The interval includes no difference: this could be chance."
    )
    assert "2.8 points lower than that of CNN (95% interval of the difference −10.2 to +4.6," in words(B, A)
    clear = words([0.9, 0.91, 0.92], [0.5, 0.5, 0.5])
    assert clear.endswith("the luck of the split alone hardly explains it.")
    assert "the log loss of MLP was on average 0.028 higher than that of CNN, and less is better (" in words(
        A, B, "log_loss"
    )


def test_what_has_no_interval_in_words():
    assert words(A, A) == "Over 5 shared splits MLP and CNN had the same accuracy."
    assert words([0.9], [0.7]) == (
        "On the one shared split the accuracy of MLP was 20.0 points higher than that of CNN."
        " There is no interval: one split tells nothing of chance."
    )
    assert words([0.9, 0.9], [0.7, 0.7], "f1").endswith(
        "There is no interval: all splits differ by the same amount."
    )


def test_luck_in_words():
    result = comparison.lucky(table(a=[0.9, 1.0, 0.8, 1.0]), "a", "accuracy")
    sentence = comparison.luck_in_words(result, "MLP", "accuracy")
    assert "100.0% (split 2) or 80.0% (split 3)" in sentence
    assert "as good as the best in 2 of 4 splits; the middle one has 95.0%" in sentence
