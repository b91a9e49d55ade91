"""The classical classifiers; the nearest neighbour is compared with distances computed one by one."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from coughlab.classifiers.classical import CLASSICAL, KNN, FittedPipeline
from coughlab.classifiers.runtime import Nearest


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


def test_the_nearest_neighbour_decides_regardless_of_the_other_rows():
    X = np.eye(26, dtype=np.float32)[[0, 1, 1, 1, 1]] + np.float32(0.01)
    near = KNN.fit(X, [1, 0, 0, 0, 0], seed=0).predict(np.eye(26)[[0, 1]])
    assert near.tolist() == [1.0, 0.0]


def test_the_seed_does_not_matter(fitted):
    assert np.array_equal(KNN.fit(X, LABELS, seed=1).predict(QUESTIONS), fitted.predict(QUESTIONS))


def test_a_silent_recording_gets_an_answer(fitted):
    assert fitted.predict(np.zeros((1, 26))).tolist() in ([0.0], [1.0])


def test_the_saved_file_gives_the_same_answers(fitted):
    ((name, content),) = fitted.save().items()
    assert name == "knn.npz"
    served = Nearest(content)
    assert [served(question) for question in QUESTIONS] == fitted.predict(QUESTIONS).tolist()


def test_progress_ends_at_one():
    shares = []
    KNN.fit(X, LABELS, seed=0, progress=shares.append)
    assert shares == [1.0]


# All classifiers

BY_NAME = {classifier.name: classifier for classifier in CLASSICAL}


@pytest.fixture(scope="module", params=BY_NAME)
def classifier(request):
    return BY_NAME[request.param]


@pytest.fixture(scope="module")
def trained(classifier):
    return classifier.fit(list(X), LABELS, seed=3)


def test_each_answers_with_probabilities(trained):
    probabilities = trained.predict(list(QUESTIONS))
    assert probabilities.shape == (len(QUESTIONS),) and probabilities.dtype.kind == "f"
    assert probabilities.min() >= 0 and probabilities.max() <= 1
    assert len(set(probabilities)) > 1


def test_each_is_reproducible(classifier, trained):
    again = classifier.fit(X.copy(), list(LABELS), seed=3)
    assert again.predict(QUESTIONS).tolist() == trained.predict(QUESTIONS).tolist()
    assert again.parameters == trained.parameters


@pytest.mark.parametrize("name", ["tree", "forest", "gradient_boosting", "random"])
def test_the_seed_decides_where_there_is_chance(name):
    one, two = (BY_NAME[name].fit(X, LABELS, seed=seed) for seed in (3, 4))
    assert one.predict(QUESTIONS).tolist() != two.predict(QUESTIONS).tolist()


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "random"])
def test_each_learns_what_can_be_learned(name):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    # Separable by direction, at any scale.
    together = rng.normal(0, 0.3, (80, 26)) + np.where(labels[:, None] == 1, 1, -1) * np.linspace(1, 2, 26)
    fitted = BY_NAME[name].fit(together[::2], labels[::2], seed=0)
    assert ((fitted.predict(together[1::2]) >= 0.5) == labels[1::2]).all()


def test_the_random_classifier_ignores_the_features():
    fitted = BY_NAME["random"].fit(X, LABELS, seed=0)
    drawn = fitted.predict(np.zeros((4000, 26)))
    assert set(drawn) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(LABELS.mean(), abs=0.03)
    assert drawn.tolist() == fitted.predict(np.ones((4000, 26))).tolist()


def test_each_is_served_as_it_predicts(trained, classifier):
    served = trained.served()
    some = QUESTIONS[:20]
    if classifier.name == "random":
        # Called row by row, it draws the first random number again each time.
        assert [served(x) for x in some] == [float(trained.predict(some[:1])[0])] * len(some)
    else:
        assert [served(x) for x in some] == pytest.approx(trained.predict(some).tolist(), abs=1e-6)
    assert isinstance(served(some[0]), float)


def test_each_says_how_many_numbers_it_learned(trained):
    assert type(trained.parameters) is int and trained.parameters >= 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("knn", 0),
        ("knn5", 0),
        # A weight for each feature and an intercept; the sigmoid has its own slope and intercept.
        ("logistic_regression", 26 + 1),
        ("linear_svm", 26 + 1 + 2),
        # Mean and variance of each feature in each class, and the frequency of each class.
        ("naive_bayes", 2 * 26 * 2 + 2),
        ("random", 2),
    ],
)
def test_the_number_of_parameters(name, expected):
    assert BY_NAME[name].fit(X, LABELS, seed=0).parameters == expected


def test_the_parameters_of_support_vectors_are_the_vectors_and_their_weights():
    fitted = BY_NAME["rbf_svm"].fit(X, LABELS, seed=0)
    n_vectors = fitted.pipeline[-1].calibrated_classifiers_[0].estimator.n_support_.sum()
    assert fitted.parameters == n_vectors * (26 + 1) + 1 + 2


def test_the_parameters_of_a_tree_with_two_splits():
    # One feature, split twice: 2 nodes with a feature and a threshold each, 3 leaves with a value each.
    line = np.arange(9.0)[:, None]
    tree = make_pipeline(DecisionTreeClassifier()).fit(line, [0, 0, 0, 1, 1, 1, 0, 0, 0])
    assert FittedPipeline("tree", tree).parameters == 2 * 2 + 3


@pytest.mark.parametrize(("name", "trees"), [("forest", 100), ("gradient_boosting", 100)])
def test_the_parameters_of_many_trees_are_their_sum(name, trees):
    fitted = BY_NAME[name].fit(X, LABELS, seed=0)
    each = [
        FittedPipeline("tree", make_pipeline(tree)).parameters
        for tree in np.ravel(fitted.pipeline[-1].estimators_)
    ]
    assert len(each) == trees and fitted.parameters == sum(each)


def test_all_are_described_and_one_of_them_is_kept():
    assert [c.name for c in CLASSICAL if c.keep] == ["knn"]
    for classifier in CLASSICAL:
        assert (classifier.input, classifier.epochs, classifier.large) == (
            "chain" if classifier.name == "shortcut" else "features",
            None,
            False,
        )
        assert classifier.title and classifier.summary.endswith(".")
    assert len({c.title for c in CLASSICAL}) == len(BY_NAME) == 11
