"""Small models that predict a label from features that should not contain it."""

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation.probes import encoded, probe


def noise(n, m=5, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).standard_normal((n, m))).rename(columns=str)


def turns(n, positives):
    return np.where(np.arange(n) < positives, "covid", "not_covid")


def test_a_predictive_feature_is_found_and_the_interval_has_width():
    table, labels = noise(60), turns(60, 30)
    table["codec"] = np.where(labels == "covid", "mp3", "pcm_16")
    found = probe(table, labels, np.arange(60))
    assert found.auc == found.high == 1 and 0.7 < found.low < 0.95
    assert (found.recordings, found.people) == (60, 60)


@pytest.mark.parametrize("band", [False, True])
def test_thresholds_and_bands_are_found(band):
    table, labels = noise(120), turns(120, 40)
    covid = labels == "covid"
    x = np.random.default_rng(1).uniform(size=120)
    table["x"] = np.where(covid, 0.4 + 0.2 * x, 0.4 * x + 0.6 * (np.arange(120) % 2)) if band else covid + x
    assert probe(table, labels, np.arange(120)).auc > 0.85


def test_noise_is_not_predictive():
    found = [probe(noise(100, seed=seed), turns(100, 30), np.arange(100), seed=seed) for seed in range(5)]
    assert 0.42 < np.mean([one.auc for one in found]) < 0.58
    assert sum(one.low > 0.5 for one in found) <= 1
    assert all(one.low < one.auc < one.high for one in found)


def test_a_person_is_never_on_both_sides():
    """Ten recordings per person identify the person exactly; the labels have no other relation to the features."""
    person, labels = np.repeat(np.arange(30), 10), turns(30, 15)
    tables = [noise(30, 6, seed).iloc[person].reset_index(drop=True) for seed in range(4)]
    honest = [probe(table, labels[person], person) for table in tables]
    assert 0.3 < np.mean([one.auc for one in honest]) < 0.7 and {one.people for one in honest} == {30}
    assert probe(tables[0], labels[person], np.arange(300)).auc > 0.95


def test_each_person_counts_once():
    """200 more recordings of one of sixty people do not change the AUC of features without information."""
    labels = turns(60, 30)
    person = np.r_[np.arange(60), np.zeros(200, int)]
    table = noise(60).iloc[person].reset_index(drop=True)
    found = probe(table, labels[person], person)
    alone = probe(noise(60), labels, np.arange(60))
    assert found.high - found.low == pytest.approx(alone.high - alone.low, abs=0.05)
    assert found.recordings == 260 and found.people == 60


def test_each_of_several_classes_is_separated_from_the_rest():
    labels = np.resize(["dog", "rain", "clock"], 90)
    table = noise(90)
    assert probe(table, labels, np.arange(90)).low < 0.5
    table["rate"] = np.where(labels == "rain", 48_000, 44_100)
    # Rain is separable; the other two are separable from rain but not from each other: (1 + 3/4 + 3/4) / 3.
    assert probe(table, labels, np.arange(90)).auc == pytest.approx(2.5 / 3, abs=0.06)


def test_data_that_cannot_be_probed_give_no_result():
    assert probe(noise(10), ["covid"] * 10, np.arange(10)) is None
    assert probe(noise(10), turns(10, 1), np.arange(10)) is None
    words = pd.DataFrame({"codec": ["mp3", "opus"], "rate": [8000, 16_000]})
    assert probe(words, ["covid", "not_covid"], ["one", "two"]) is None
    assert probe(noise(10), turns(10, 5), ["one", *["two"] * 9]) is None
    assert probe(pd.DataFrame({"source": ["here"] * 10}), turns(10, 5), np.arange(10)) is None
    few = probe(noise(6), turns(6, 2), np.arange(6))
    assert few.low < 0.3 and few.high > 0.7
    both = probe(noise(8), turns(8, 4), [0, 1, 2, 3, 0, 1, 2, 3])
    assert both is None or both.low <= both.auc <= both.high


def test_words_become_columns_and_missing_numbers_stay():
    table = pd.DataFrame({"codec": ["mp3", "opus", None], "depth": [16, np.nan, np.nan], "rate": 8000})
    X = encoded(table)
    # Three codecs and two bit depths; the rate is the same in all rows.
    assert X.shape == (3, 5) and X.sum() == 6
    many = encoded(pd.DataFrame({"source": [str(k) for k in range(100)]}))
    assert many.shape == (100, 31)
    assert encoded(noise(50, 1)).shape == (50, 9)
