"""The novelty of a recording, tested with data like the training data and with different data."""

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation import novelty
from coughlab.features import acoustic
from coughlab.studies.store import MODELS, StoredStudy


def table(people, *, each=1, seed=0):
    """Skewed and correlated measurements, similar within one person's recordings."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(1).normal(size=(len(acoustic.NAMES), len(acoustic.NAMES)))
    of_person = np.repeat(rng.normal(size=(people, len(mixing))), each, axis=0)
    values = np.exp((of_person + 0.3 * rng.normal(size=of_person.shape)) @ mixing / 5)
    rows = pd.DataFrame(values, columns=list(acoustic.NAMES))
    return rows.assign(person=np.repeat([f"{seed} {k}" for k in range(people)], each), label="covid")


def p_values(trained, new):
    return novelty.Reference(trained, "here").p_values(new[list(acoustic.NAMES)])


def assert_uniform(p):
    # If training recordings also defined the space in which they are measured, the share at 0.05 would be 0.1 or more.
    for level, within in ((0.05, 0.025), (0.2, 0.06), (0.5, 0.1), (0.8, 0.08)):
        assert (p <= level).mean() == pytest.approx(level, abs=within)


def test_recordings_like_the_training_data_have_uniform_p_values():
    pairs = [(table(80, each=1 + seed % 2, seed=seed), table(200, seed=100 + seed)) for seed in range(12)]
    assert_uniform(np.concatenate([p_values(trained, new) for trained, new in pairs]))


def test_held_out_people_of_the_case_study_have_uniform_p_values():
    trained = StoredStudy(MODELS / "kaggle-trial").features
    people, p = trained["person"].unique(), []
    for seed in range(8):
        first = trained["person"].isin(np.random.default_rng(seed).permutation(people)[: len(people) // 2])
        p += [p_values(trained[first], trained[~first]), p_values(trained[~first], trained[first])]
    assert_uniform(np.concatenate(p))


def test_an_extreme_recording_has_the_smallest_possible_p_value():
    trained, other = table(60), table(3, seed=1)
    other[list(acoustic.NAMES)] = 1e6
    assert p_values(trained, other) == pytest.approx(1 / 61)
    reference = novelty.Reference(trained, "here")
    far = reference.judge(other[list(acoustic.NAMES)].iloc[0])
    assert (far.p, far.code, far.trained_on) == (pytest.approx(1 / 61), "far", "here")
    assert "60 recordings of 60 people in here" in far.message
    assert reference.judge(trained[list(acoustic.NAMES)].iloc[5]).code == "familiar"


def test_one_person_s_recordings_and_copies_count_once():
    trained, new = table(50), table(40, seed=1)
    # Every p-value is a number of people divided by the number of training people plus one.
    counts = p_values(trained, new) * 51
    assert counts == pytest.approx(counts.round())
    assert counts.min() >= 1 and counts.max() <= 51
    twice = pd.concat([trained.assign(audio=range(50)), trained.assign(audio=range(50))], ignore_index=True)
    assert p_values(twice, new) == pytest.approx(p_values(trained, new))
    assert novelty.Reference(table(50, each=3), "here").people == 50


def test_a_constant_measurement_is_unusual_only_where_it_changes():
    trained, new = table(60).assign(rms=0.5), table(5, seed=1)
    assert (p_values(trained, new.assign(rms=0.5)) > 0.02).all()
    assert (p_values(trained, new.assign(rms=0.6)) < p_values(trained, new.assign(rms=0.5))).all()


def test_too_few_people_give_no_p_value():
    judged = novelty.Reference(table(novelty.LEAST_PEOPLE - 1, each=4), "here").judge(np.ones(26))
    assert (judged.p, judged.code) == (None, "unknown") and "too few people" in judged.message
