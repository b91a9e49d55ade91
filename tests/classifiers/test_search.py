"""Hyperopt's search: its scores, its learning, and that an interruption changes nothing."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import recall_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from coughlab.classifiers import search

SEED = 3
X, Y = make_classification(
    70, 26, n_informative=4, weights=[0.8], class_sep=0.6, flip_y=0.05, shuffle=False, random_state=1
)


N = search.STARTUP + 4
#: Four rows of each class: too few, for example, for a vote of ten neighbours.
FEW = np.r_[np.flatnonzero(Y == 0)[:4], np.flatnonzero(Y == 1)[:4]]


def last(tables):
    *_, table = tables
    return table


@pytest.fixture(scope="module")
def trials():
    return last(search.run(X, Y, seed=SEED, n_trials=N))


@pytest.fixture(scope="module")
def failing():
    return last(search.run(X[FEW], Y[FEW], seed=SEED, n_trials=N))


def without_times(table):
    return table.drop(columns="seconds").reset_index(drop=True)


def stored(table):
    return pd.read_parquet(io.BytesIO(table.to_parquet()))


def trial(model, preprocessing="none", **parameters):
    return {"model": model, "preprocessing": preprocessing, "parameters": json.dumps(parameters)}


def test_there_are_as_many_trials_as_asked_for(trials):
    assert list(trials.columns) == search.COLUMNS
    assert trials["trial"].tolist() == list(range(N))
    assert set(trials["recordings"]) == {len(Y)} and set(trials["positives"]) == {Y.sum()}
    assert set(trials["model"]) <= set(search.SPACE) == set(search.FAMILIES)
    assert set(trials["preprocessing"]) == set(search.PREPROCESSING)


def test_every_setting_lies_in_its_range(trials):
    for row in trials.to_dict("records"):
        settings = json.loads(row["parameters"])
        assert set(settings) == set(search.SPACE[row["model"]])
        for name, value in settings.items():
            how, *of = search.SPACE[row["model"]][name]
            assert value in of if how == "choice" else of[0] <= value <= of[1]
            assert how != "whole" or isinstance(value, int)


def test_the_first_trial_is_the_published_winner_scored_by_cross_validation(trials):
    first = trials.iloc[0]
    assert search.is_published(first)
    assert (first["model"], first["preprocessing"]) == ("knn", "l1")
    assert json.loads(first["parameters"]) == {"n_neighbors": 1, "metric": "euclidean"}
    winner = make_pipeline(Normalizer("l1"), KNeighborsClassifier(1, metric="euclidean"))
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    for score, scoring in {
        "loss": "neg_brier_score",
        "log_loss": "neg_log_loss",
        "roc_auc": "roc_auc",
    }.items():
        expected = abs(cross_val_score(winner, X, Y, cv=folds, scoring=scoring).mean())
        assert first[score] == pytest.approx(expected)
    predicted = cross_val_predict(winner, X, Y, cv=folds)
    assert first["accuracy"] == pytest.approx((predicted == Y).mean())
    assert first["sensitivity"] == pytest.approx(recall_score(Y, predicted))
    assert first["specificity"] == pytest.approx(recall_score(Y, predicted, pos_label=0))


def test_intervals_hold_the_score_and_are_no_wider_than_the_scale(trials):
    ok = trials[trials["status"] == "ok"]
    assert (ok["loss_low"] >= 0).all() and (ok["loss_high"] <= 1).all()
    assert ((ok["loss_low"] < ok["loss"]) & (ok["loss"] < ok["loss_high"])).mean() > 0.9


@pytest.mark.parametrize("stopped", [1, search.STARTUP + 2])
def test_a_search_that_was_interrupted_ends_with_the_same_trials(trials, stopped):
    so_far = stored(trials.head(stopped).astype({"model": "category"}))
    resumed = last(search.run(X, Y, seed=SEED, n_trials=N, trials=so_far))
    pd.testing.assert_frame_equal(without_times(resumed), without_times(trials))


def test_every_trial_is_handed_over_when_it_is_done():
    tables = search.run(X, Y, seed=SEED, n_trials=3)
    assert [len(table) for table in tables] == [1, 2, 3]


def test_enough_trials_are_left_alone(trials):
    assert list(search.run(X, Y, seed=SEED, n_trials=20, trials=trials)) == []
    assert len(next(search.run(X, Y, seed=SEED, n_trials=1, trials=pd.DataFrame()))) == 1


def test_another_seed_searches_elsewhere(trials):
    other = last(search.run(X, Y, seed=SEED + 1, n_trials=4))
    assert other["parameters"].tolist() != trials["parameters"].head(4).tolist()


@pytest.mark.parametrize("favourite", ["naive_bayes", "tree"])
def test_hyperopt_suggests_settings_with_good_scores(trials, favourite):
    known = trials.assign(loss=np.where(trials["model"] == favourite, 0.01, 0.4))
    # The first trial has to stay unchanged.
    known.loc[0, "loss"] = trials.loc[0, "loss"]
    assert (known["model"] == favourite).any()
    suggested = last(search.run(X, Y, seed=SEED, n_trials=N + 5, trials=known)).tail(5)
    assert (suggested["model"] == favourite).sum() >= 3


CHANGES = {
    "another seed": (X, Y, SEED + 1, lambda table: table),
    "other rows": (X[::-1][:60], Y[::-1][:60], SEED, lambda table: table),
    "other features": (X**2, Y, SEED, lambda table: table),
    "an older table": (X, Y, SEED, lambda table: table.drop(columns="vals")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_trials_of_another_search_are_not_continued(trials, change):
    X, Y, seed, changed = CHANGES[change]
    with pytest.raises(search.SearchError, match="start a new search"):
        next(search.run(X, Y, seed=seed, n_trials=N + 1, trials=changed(trials)))


def test_a_class_of_one_is_refused():
    with pytest.raises(search.SearchError, match="2 recordings"):
        next(search.run(X[:4], [0, 0, 0, 1], seed=0))


def test_two_of_a_class_are_enough():
    assert next(search.run(X[:6], [0, 0, 0, 0, 1, 1], seed=0)).loc[0, "status"] == "ok"


def test_a_pipeline_that_fails_is_a_trial_without_scores(failing):
    failed = failing[failing["status"] == "failed"]
    assert 0 < len(failed) < len(failing)
    assert failed[list(search.SCORES)].isna().all(axis=None)
    assert failing.loc[failing["status"] == "ok", "loss"].notna().all()
    assert search.best(failing)["status"] == "ok"
    with pytest.raises(search.SearchError):
        search.best(failed)


def test_a_search_continues_after_failed_trials(failing):
    so_far = stored(failing.head(N - 2))
    resumed = last(search.run(X[FEW], Y[FEW], seed=SEED, n_trials=N, trials=so_far))
    pd.testing.assert_frame_equal(without_times(resumed), without_times(failing))


def test_nothing_is_printed(trials, capfd, recwarn):
    last(search.run(X, Y, seed=SEED, n_trials=N + 2, trials=trials))
    assert capfd.readouterr() == ("", "") and not list(recwarn)


def test_the_best_has_the_lowest_score_and_is_the_first_of_equals():
    table = pd.DataFrame({"trial": [0, 1, 2, 3], "loss": [0.3, np.nan, 0.1, 0.1]})
    assert search.best(table)["trial"] == 2


@pytest.mark.parametrize("preprocessing", search.PREPROCESSING)
@pytest.mark.parametrize("model", search.SPACE)
def test_every_pipeline_is_scikit_learn_s(model, preprocessing):
    lowest = {
        name: (of[0] if how != "whole" else max(2, of[0])) for name, (how, *of) in search.SPACE[model].items()
    }
    fitted = search.pipeline(trial(model, preprocessing, **lowest), 0).fit(X, Y)
    assert all(type(step).__module__.startswith("sklearn.") for step in fitted)
    probabilities = fitted.predict_proba(X)
    assert np.allclose(probabilities.sum(axis=1), 1) and len(np.unique(probabilities)) > 1


@pytest.mark.parametrize(
    ("preprocessing", "holds"),
    {
        "none": lambda rows: np.array_equal(rows, X),
        "l1": lambda rows: np.allclose(np.abs(rows).sum(axis=1), 1),
        "l2": lambda rows: np.allclose((rows**2).sum(axis=1), 1),
        "standard": lambda rows: np.allclose(rows.mean(axis=0), 0) and np.allclose(rows.std(axis=0), 1),
        "minmax": lambda rows: np.allclose(rows.min(axis=0), 0) and np.allclose(rows.max(axis=0), 1),
    }.items(),
)
def test_each_preprocessing_does_what_its_name_says(preprocessing, holds):
    *first, _ = search.pipeline(trial("naive_bayes", preprocessing), 0).fit(X, Y)
    assert holds(first[0].transform(X) if first else X)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            trial("knn", "l1", metric="manhattan", n_neighbors=3),
            "K nearest neighbours, K = 3, Manhattan distance, on rows scaled to unit L1 norm",
        ),
        (
            trial("knn", "minmax", metric="cosine", n_neighbors=1),
            "K nearest neighbours, K = 1, cosine distance, on features scaled to between 0 and 1",
        ),
        (
            trial("rbf_svm", "standard", C=0.123, gamma=6.3e-5),
            "RBF support vectors, C = 0.12, gamma = 6.3e-05, on standardised features",
        ),
        (
            trial("gradient_boosting", max_depth=2, learning_rate=0.0512, n_estimators=40),
            "Gradient boosting, 40 trees, learning rate 0.051, depth up to 2, on features as they are",
        ),
    ],
)
def test_a_pipeline_in_words(row, words):
    assert search.describe(row) == words


def test_every_setting_is_listed(trials):
    for row in trials.to_dict("records"):
        assert search.describe(row).count(",") == len(json.loads(row["parameters"])) + 1


def test_the_classifier_is_the_best_pipeline_on_all_the_rows(monkeypatch, trials):
    monkeypatch.setattr(search, "TRIALS", 8)
    shares = []
    fitted = search.HYPEROPT.fit(X, Y, seed=SEED, progress=shares.append)
    expected = search.pipeline(search.best(trials.head(8)), SEED).fit(X, Y)
    assert np.array_equal(fitted.predict(X), expected.predict_proba(X)[:, 1])
    assert fitted.name == "hyperopt"
    assert shares == [k / 8 for k in range(1, 9)]
