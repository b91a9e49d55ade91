"""The training data of the detector."""

import shutil

import numpy as np
import pytest

from coughlab.datasets import DatasetError
from coughlab.detector.events import STEP_S
from coughlab.detector.training import corpus, scenes
from coughlab.detector.training.chains import chain
from tests.detector.training import collections


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return collections.make(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="module")
def listed(folder):
    return corpus.table(folder)


@pytest.fixture(scope="module")
def sounds(listed):
    return corpus.load_all(listed)


def test_every_recording_is_listed_with_its_kind(listed):
    n = collections.PEOPLE
    counts = listed.groupby(["collection", "kind"]).size().to_dict()
    assert counts == {
        ("kaggle-trial", "cough"): n,
        ("covid19-cough", "cough"): n,
        ("coswara-sample", "cough"): 2 * n,
        ("coswara-sample", "breathing"): n,
        ("coswara-sample", "speech"): n,
        ("coswara-sample", "vowel"): n,
        ("esc10", "dog bark"): n,
        ("esc10", "rain"): n,
    }


def test_no_person_is_in_two_folds(listed):
    assert listed.groupby("person")["fold"].nunique().max() == 1
    assert set(listed["fold"]) == set(range(corpus.FOLDS))


def test_copies_under_other_names_are_left_out(folder, listed, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    clip = again / "esc10/001 - Dog bark"
    shutil.copy(clip / "1-000-A.ogg", clip / "2-999-A.ogg")
    assert len(corpus.table(again)) == len(listed)


def test_a_missing_collection_is_reported(folder, tmp_path):
    with pytest.raises(DatasetError, match="covid19-cough"):
        shutil.copytree(folder / "esc10", tmp_path / "esc10")
        corpus.table(tmp_path)


def test_moments_of_coughs_are_coughs_and_those_between_are_not(listed, sounds):
    row = listed.index[listed["collection"] == "covid19-cough"][0]
    classes = sounds[row].classes
    assert len(classes) == np.ceil(3.0 / STEP_S)
    assert classes[round(0.5 / STEP_S)] == classes[round(1.4 / STEP_S)] == corpus.COUGH
    assert corpus.COUGH not in classes[round(1.0 / STEP_S) : round(1.25 / STEP_S)]


def test_sounds_in_unspecific_clips_are_unknown(listed, sounds):
    row = listed.index[listed["collection"] == "kaggle-trial"][0]
    assert set(sounds[row].classes) <= {corpus.MAYBE, corpus.QUIET} and corpus.MAYBE in sounds[row].classes


def test_other_sounds_have_no_cough_moments(listed, sounds):
    for kind, sound in zip(listed["kind"], sounds, strict=True):
        if kind != "cough":
            assert corpus.COUGH not in sound.classes
            expected = {"speech": corpus.VOICE, "vowel": corpus.VOICE, "breathing": corpus.BREATH}
            assert expected.get(kind, corpus.OTHER) in sound.classes


def test_scenes_are_reproducible_and_have_separate_folds(listed, sounds):
    one, again = (scenes.make(listed, sounds, 40, seed=3) for _ in range(2))
    other = scenes.make(listed, sounds, 40, seed=4)
    np.testing.assert_array_equal(one.db, again.db)
    np.testing.assert_array_equal(one.classes, again.classes)
    assert (one.db != other.db).any()
    assert one.db.shape == (40, scenes.FRAMES, 48) and one.classes.shape == (40, scenes.STEPS)
    assert np.isfinite(one.db.astype(float)).all()
    assert {corpus.COUGH, corpus.VOICE, corpus.OTHER, corpus.QUIET} <= set(one.classes.ravel())


def test_the_recording_chain_does_not_depend_on_the_sound():
    rng = np.random.default_rng(0)
    y = np.sin(np.arange(scenes.SIZE) / 10)
    # The chain sets the level; the level of the recording has no effect.
    one, twice = (chain(gain * y, np.random.default_rng(5)) for gain in (1, 2))
    np.testing.assert_allclose(one, twice, atol=1e-3)
    assert all(np.isfinite(chain(y, rng)).all() for _ in range(50))


def test_coughs_are_at_the_times_that_a_scene_gives(listed, sounds):
    maker = scenes.Maker(listed, sounds, 0)
    for number in range(10):
        sound, there = maker.coughs_in("quiet", np.random.default_rng(number))
        power = np.square(sound.samples).reshape(-1, scenes.STEP).mean(axis=1)
        assert there.any()
        assert np.median(power[there]) > 10 * np.median(power[~there])
        assert there[sound.classes == corpus.COUGH].all()


def test_the_end_of_a_cough_that_may_be_a_breath_is_unknown(listed, sounds):
    row = listed.index[listed["collection"] == "covid19-cough"][0]
    start, end = sounds[row].bursts[0]
    marks = sounds[row].classes[start:end]
    assert marks[0] == corpus.COUGH and set(marks) <= {corpus.COUGH, corpus.UNKNOWN}
