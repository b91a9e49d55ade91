"""The case study's MLP."""

import numpy as np
import pytest

from coughlab.classifiers import MLP, mlp
from coughlab.classifiers.mlp import fit


def separable(n=60, seed=0):
    """Features on scales far apart, of which two tell the classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    X = rng.standard_normal((n, 26))
    X[:, 3] += 3 * labels
    X[:, 9] -= 3 * labels
    return (X * 10.0 ** (np.arange(26) % 6 - 2) + 100).astype(np.float32), labels


def test_it_has_the_case_study_s_number_of_parameters():
    X, labels = separable()
    assert fit(X, labels, seed=0, epochs=1).parameters == 186_369


def test_it_has_the_case_study_s_layers():
    dense = [layer for layer in mlp.build(np.zeros(26), np.ones(26)).layers if layer.name != "standardise"]
    assert [layer.units for layer in dense] == [512, 256, 128, 64, 1]
    assert [layer.activation.__name__ for layer in dense] == ["relu"] * 4 + ["sigmoid"]


def test_the_standardiser_is_inside_and_knows_the_training_rows_only():
    X, labels = separable()
    standardise = fit(X, labels, seed=0, epochs=1).model.get_layer("standardise")
    inside = np.asarray(standardise(X))
    np.testing.assert_allclose(inside.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(inside.std(axis=0), 1, atol=1e-3)
    other = separable(seed=1)[0] + 7
    expected = (other.astype(float) - X.mean(axis=0, dtype=float)) / X.std(axis=0, dtype=float)
    np.testing.assert_allclose(np.asarray(standardise(other)), expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("constant", [0.0, 0.1, -321.7])
def test_a_constant_feature_does_no_harm(constant):
    X, labels = separable()
    X[:, 5] = constant
    fitted = fit(X, labels, seed=0, epochs=1)
    assert np.all(np.isfinite(fitted.predict(X)))
    # A recording where the feature is not what it always was is not thrown out of all proportion.
    other = X.copy()
    other[:, 5] += 1
    inside = np.asarray(fitted.model.get_layer("standardise")(other))
    np.testing.assert_allclose(inside[:, 5], 1, rtol=1e-3)


def test_the_seed_decides():
    X, labels = separable()
    first, again, other = (fit(X, labels, seed=seed, epochs=2).predict(X) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_it_learns_what_can_be_learned():
    X, labels = separable()
    unseen, truth = separable(seed=1)
    fitted = fit(X, labels, seed=0, epochs=15)
    assert np.mean((fitted.predict(X) >= 0.5) == labels) == 1
    assert np.mean((fitted.predict(unseen) >= 0.5) == truth) > 0.85


def test_answers_are_probabilities_one_a_row():
    X, labels = separable()
    answers = fit(X, labels, seed=0, epochs=1).predict(list(X[:7]))
    assert answers.shape == (7,)
    assert np.all((answers >= 0) & (answers <= 1))


def test_progress_is_the_share_of_the_epochs():
    X, labels = separable()
    shares = []
    fit(X, labels, seed=0, epochs=4, progress=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_it_trains_a_hundred_epochs_unless_told():
    X, labels = separable(8)
    shares = []
    fit(X, labels, seed=0, progress=shares.append)
    assert len(shares) == MLP.epochs == 100
