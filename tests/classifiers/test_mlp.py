"""The case study's MLP."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from coughlab.classifiers import mlp
from coughlab.classifiers.mlp import MLP, fit
from coughlab.evaluation import splits
from coughlab.features.acoustic import NAMES
from coughlab.studies import store
from tests.conftest import ROOT


def separable(n=60, seed=0):
    """Features on very different scales; two of them separate the classes."""
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
def test_a_constant_feature_gives_finite_answers(constant):
    X, labels = separable()
    X[:, 5] = constant
    fitted = fit(X, labels, seed=0, epochs=1)
    assert np.all(np.isfinite(fitted.predict(X)))
    # A recording with another value of a constant feature does not get an extreme input.
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


def test_it_trains_a_hundred_epochs_by_default():
    X, labels = separable(8)
    shares = []
    fit(X, labels, seed=0, progress=shares.append)
    assert len(shares) == MLP.epochs == 100


def many(n=60, sizes=(40, 33, 40, 20, 40), seed=0, **options):
    """Networks trained side by side on subsets of `separable`, with the remaining rows of each."""
    X, labels = separable(n)
    rng = np.random.default_rng(seed)
    trains = [np.sort(rng.permutation(n)[:size]) for size in sizes]
    fitted = mlp.fit_many(X, labels, trains, seeds=range(len(sizes)), **options)
    return X, labels, trains, fitted


def test_many_on_different_numbers_of_rows_equal_those_trained_alone():
    X, labels, trains, fitted = many(epochs=2)
    for i, one in enumerate(fitted):
        (alone,) = MLP.fit_many(X, labels, trains[i : i + 1], seeds=[i], epochs=2)
        assert np.array_equal(one.predict(X), alone.predict(X))


def test_each_of_many_learns_from_its_own_rows():
    X, labels, trains, fitted = many(epochs=30)
    unseen, truth = separable(400, seed=1)
    for rows, one in zip(trains, fitted, strict=True):
        np.testing.assert_array_equal(one.mean, X[rows].mean(axis=0, dtype=float))
        assert np.mean((one.predict(X[rows]) >= 0.5) == labels[rows]) == 1
        assert np.mean((one.predict(unseen) >= 0.5) == truth) > 0.65
    answers = [one.predict(unseen) for one in fitted]
    assert not any(np.array_equal(answers[0], other) for other in answers[1:])


def test_one_of_many_can_be_kept_and_served():
    X, _, _, (one, *_) = many(sizes=(40,), epochs=3)
    expected = one.predict(list(X))
    assert one.parameters == 186_369
    np.testing.assert_allclose(one.network().predict(X), expected, atol=1e-5)
    files = one.save()
    assert set(files) == {"mlp.keras", "mlp.tflite"}
    answer = MLP.load(files["mlp.tflite"])
    np.testing.assert_allclose([answer(x) for x in X], expected, atol=1e-5)
    assert one.served()(X[0]) == answer(X[0])


def test_a_constant_feature_gives_finite_answers_in_many_networks():
    X, labels = separable()
    X[:, 5] = 0.1
    (one,) = mlp.fit_many(X, labels, [np.arange(60)], seeds=[0], epochs=1)
    other = X.copy()
    other[:, 5] += 1
    np.testing.assert_allclose(one.network().predict(other), one.predict(other), atol=1e-5)
    assert np.all(np.isfinite(one.predict(other)))


def test_progress_of_many_grows_from_the_first_epoch_of_the_first_to_the_last_of_the_last():
    shares = []
    many(epochs=2, progress=shares.append)
    # Two of the networks with 40 rows are trained side by side, the others alone.
    np.testing.assert_allclose(shares, [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


#: The benchmark of the MLP compares a hundred.
SPLITS = 10


@pytest.fixture(scope="module")
def scores():
    """Log losses and accuracies on the case study's first 10 splits: of networks trained side by side, and of stored ones."""
    study = store.StoredStudy(store.MODELS / "kaggle-trial")
    X = study.features[list(NAMES)].to_numpy()
    labels = (study.features["label"] == "covid").to_numpy(int)
    splits_made = splits.published(labels, n_splits=SPLITS, seed=study.manifest["seed"])
    fitted = MLP.fit_many(X, labels, [train for train, _ in splits_made], seeds=range(1, SPLITS + 1))
    stored = study.predictions.query("model == 'mlp' and protocol == 'published' and split < @SPLITS")
    stored = stored.pivot(index="split", columns="row", values="probability").to_numpy()
    return {
        (name, role): np.array(
            [measure(labels[rows[i]], p[rows[i]]) for p, rows in zip(answers, splits_made, strict=True)]
        )
        for name, answers in {"new": [one.predict(X) for one in fitted], "stored": stored}.items()
        for i, role in enumerate(("train", "test"))
    }


def measure(labels, p):
    p = np.clip(p, 1e-9, 1 - 1e-7)
    return -np.mean(np.where(labels, np.log(p), np.log1p(-p))), np.mean((p >= 0.5) == labels)


def test_many_score_as_those_of_keras_do(scores):
    for new, stored in zip(scores["new", "test"].T, scores["stored", "test"].T, strict=True):
        # Four standard errors of the difference of two means, from the spread of Keras's scores.
        assert abs(new.mean() - stored.mean()) < 4 * np.sqrt(2 / SPLITS) * stored.std(ddof=1)
        assert stats.ks_2samp(new, stored).pvalue > 0.01


def test_many_fit_their_own_rows_as_closely_as_those_of_keras_do(scores):
    new, stored = (np.log(scores[name, "train"][:, 0]) for name in ("new", "stored"))
    assert stats.ks_2samp(new, stored).pvalue > 0.01


def test_many_need_no_tensorflow():
    code = (
        "import sys, numpy as np\nfrom coughlab.classifiers.mlp import MLP\n"
        "X = np.random.default_rng(0).normal(size=(8, 26))\n"
        "MLP.fit_many(X, np.arange(8) % 2, [np.arange(8)], seeds=[0], epochs=1)[0].predict(X)\n"
        "print(sorted({'tensorflow', 'keras', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
