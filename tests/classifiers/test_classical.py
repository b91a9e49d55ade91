"""The nearest neighbour, held against distances computed one by one."""

import numpy as np
import pytest

from coughlab.classifiers import KNN
from coughlab.serving import Skops


def rows(n, seed):
    return np.random.default_rng(seed).normal(0, 1, (n, 26)).astype(np.float32) * np.logspace(
        3, -3, 26, dtype=np.float32
    )


X, LABELS = rows(80, 0), np.random.default_rng(9).integers(2, size=80)
QUESTIONS = rows(200, 1)


def nearest(question):
    """Label of the training row nearest in Euclidean distance, all rows divided by the sum of their magnitudes."""
    distances = []
    for row in X.astype(float):
        a, b = row / np.abs(row).sum(), question / np.abs(question).sum()
        distances.append(np.sqrt(((a - b) ** 2).sum()))
    return LABELS[int(np.argmin(distances))]


@pytest.fixture(scope="module")
def fitted():
    return KNN.fit(X, LABELS, seed=0)


def test_it_answers_as_the_nearest_training_row(fitted):
    expected = [nearest(question) for question in QUESTIONS.astype(float)]
    assert 0 < sum(expected) < len(expected)
    assert fitted.predict(QUESTIONS).tolist() == expected


def test_it_is_right_about_every_row_it_has_seen(fitted):
    assert fitted.predict(X).tolist() == LABELS.tolist()


@pytest.mark.parametrize("factor", [1e-3, 0.5, 7.0, 1e4])
def test_the_scale_of_a_row_does_not_matter(fitted, factor):
    assert np.array_equal(fitted.predict(QUESTIONS * np.float32(factor)), fitted.predict(QUESTIONS))
    rescaled = KNN.fit(X * np.float32(factor), LABELS, seed=0)
    assert np.array_equal(rescaled.predict(QUESTIONS), fitted.predict(QUESTIONS))


def test_one_neighbour_decides_against_any_number_of_others():
    X = np.eye(26, dtype=np.float32)[[0, 1, 1, 1, 1]] + np.float32(0.01)
    near = KNN.fit(X, [1, 0, 0, 0, 0], seed=0).predict(np.eye(26)[[0, 1]])
    assert near.tolist() == [1.0, 0.0]


def test_the_seed_does_not_matter(fitted):
    assert np.array_equal(KNN.fit(X, LABELS, seed=1).predict(QUESTIONS), fitted.predict(QUESTIONS))


def test_a_silent_recording_gets_an_answer(fitted):
    assert fitted.predict(np.zeros((1, 26))).tolist() in ([0.0], [1.0])


def test_its_file_answers_as_it_does(fitted):
    ((name, content),) = fitted.save().items()
    assert name == "knn.skops"
    served = Skops(content)
    assert [served(question) for question in QUESTIONS] == fitted.predict(QUESTIONS).tolist()


def test_progress_ends_at_one():
    shares = []
    KNN.fit(X, LABELS, seed=0, progress=shares.append)
    assert shares == [1.0]
