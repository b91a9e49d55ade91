"""Hyperopt's search for the best pipeline: model family, its settings, and the preprocessing of the 26 features.

Tree-structured Parzen estimators (J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011) suggest each
trial from the earlier ones. The first trial is the winner that the case study published, for comparison.

Every trial is scored by stratified cross-validation inside the rows given. The search minimises the Brier score, the mean squared
difference between probability and label. It is a proper score: it is best for calibrated probabilities, so that a model without
true positives does not win when the condition is rare. The log loss is proper too, but has no upper limit. A nearest neighbour (K
= 1) predicts only 0 and 100%, so the clipping of its mistakes would decide its log loss; its Brier score is its share of
mistakes.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from coughlab.classifiers import pipelines
from coughlab.classifiers.base import Classifier
from coughlab.classifiers.classical import FittedPipeline
from coughlab.system.progress import Share, silent

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

#: Model families and how their settings are drawn: uniformly from a list or from whole numbers, or log-uniformly.
SPACE: dict[str, dict[str, tuple]] = {
    "logistic_regression": {"C": ("powers", 1e-3, 1e3)},
    "naive_bayes": {"var_smoothing": ("powers", 1e-12, 1.0)},
    "knn": {
        "n_neighbors": ("whole", 1, 15),
        "metric": ("choice", "euclidean", "manhattan", "chebyshev", "cosine"),
    },
    "linear_svm": {"C": ("powers", 1e-3, 1e3)},
    "rbf_svm": {"C": ("powers", 1e-3, 1e3), "gamma": ("powers", 1e-6, 1e2)},
    "tree": {"max_depth": ("whole", 1, 8), "min_samples_leaf": ("whole", 1, 10)},
    "forest": {"max_features": ("whole", 1, 26), "min_samples_leaf": ("whole", 1, 5)},
    "gradient_boosting": {
        "n_estimators": ("whole", 10, 100),
        "max_depth": ("whole", 1, 3),
        "learning_rate": ("powers", 0.01, 1.0),
    },
}
#: The preprocessing steps, in words.
PREPROCESSING = {
    "none": "features as they are",
    "l1": "rows scaled to unit L1 norm",
    "l2": "rows scaled to unit L2 norm",
    "standard": "standardised features",
    "minmax": "features scaled to between 0 and 1",
}
#: Titles of the model families.
FAMILIES = {
    "logistic_regression": "Logistic regression",
    "naive_bayes": "Naive Bayes",
    "knn": "K nearest neighbours",
    "linear_svm": "Linear support vectors",
    "rbf_svm": "RBF support vectors",
    "tree": "Decision tree",
    "forest": "Random forest",
    "gradient_boosting": "Gradient boosting",
}
#: The case study's winner (K = 1, Euclidean, L1) in Hyperopt's notation: choices are indices in the list.
PUBLISHED = {
    "model": list(SPACE).index("knn"),
    "knn n_neighbors": 1.0,
    "knn metric": SPACE["knn"]["metric"].index("euclidean") - 1,
    "preprocessing": list(PREPROCESSING).index("l1"),
}
#: Settings that are fixed in every trial.
FIXED = {
    # Second-order steps converge at any scale of the features.
    "logistic_regression": {"solver": "newton-cholesky"},
    # Enough for 26 features, and a search of this family alone still takes only seconds.
    "forest": {"n_estimators": 50},
}
#: Default number of trials.
TRIALS = 60
#: Number of trials drawn at random before earlier results are used.
STARTUP = 20
FOLDS = 5
THRESHOLD = 0.5
#: What `cross_validate` returns.
SCORES = (
    "loss",
    "loss_low",
    "loss_high",
    "log_loss",
    "accuracy",
    "sensitivity",
    "specificity",
    "roc_auc",
    "seconds",
)
COLUMNS = [
    "trial",
    "seed",
    "recordings",
    "positives",
    "model",
    "preprocessing",
    "parameters",
    "vals",
    "status",
    *SCORES,
]


class SearchError(ValueError):
    """A search cannot be run or continued as asked; the message says why."""


def run(
    X: np.ndarray,
    y: np.ndarray,
    *,
    seed: int,
    n_trials: int = TRIALS,
    trials: pd.DataFrame | None = None,
) -> Iterator[pd.DataFrame]:
    """Search until there are `n_trials` trials. A search that is stopped and continued gives the same result as without a stop.

    Parameters
    ----------
    X : ndarray, shape (n, 26)
        Features of the training rows.
    y : ndarray, shape (n,)
        0 or 1.
    seed : int
        Seed of the suggestions, the folds and the pipelines.
    n_trials : int
        Number of trials in the final table.
    trials : pandas.DataFrame, optional
        Trials to continue from.

    Yields
    ------
    pandas.DataFrame
        After every trial, all trials so far, one row each: ``trial`` (from 0), ``seed``, ``recordings`` and ``positives`` (how
        many it was scored on), ``model``, ``preprocessing``, ``parameters`` (JSON), ``vals`` (JSON, what Hyperopt needs to go
        on), ``status`` (ok or failed), and the `SCORES` of `cross_validate`, which a failed pipeline lacks.

    Raises
    ------
    SearchError
        If a class has fewer than 2 rows, or `trials` come from other rows, another seed or another space.
    """
    import pandas
    from hyperopt import Domain, space_eval

    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=int)
    if np.bincount(y, minlength=2).min() < 2:
        raise SearchError("A search needs at least 2 recordings of each class.")
    # The objective is called here, not by Hyperopt.
    domain = Domain(None, _expression())

    def tried(number, vals):
        facts = {"trial": number, "seed": seed, "recordings": len(y), "positives": int(y.sum())}
        point = space_eval(domain.expr, vals)
        row = facts | point["pipeline"] | {"preprocessing": point["preprocessing"], "vals": json.dumps(vals)}
        row["parameters"] = json.dumps(row["parameters"])
        try:
            return row | {"status": "ok"} | cross_validate(pipeline(row, seed), X, y, seed=seed)
        except (ValueError, ArithmeticError):
            return row | {"status": "failed"} | dict.fromkeys(SCORES, np.nan)

    rows = [] if trials is None else trials.reindex(columns=COLUMNS).to_dict("records")
    # The first trial is the same in every search: repeating it shows whether the stored trials can be continued.
    if rows and not _same(rows[0], tried(0, PUBLISHED)):
        raise SearchError(
            "The trials so far come from other recordings, features or seeds: start a new search."
        )
    for number in range(len(rows), n_trials):
        rows.append(tried(number, _suggest(domain, rows, [seed, number]) if rows else PUBLISHED))
        yield pandas.DataFrame(rows, columns=COLUMNS)


def _same(one, other):
    exact = set(COLUMNS) - set(SCORES)
    scores = [[row[name] for name in SCORES if name != "seconds"] for row in (one, other)]
    return all(one[name] == other[name] for name in exact) and np.allclose(*scores, equal_nan=True)


def _expression():
    """The search space in Hyperopt's format."""
    from hyperopt import hp

    draw = {
        "powers": lambda label, low, high: hp.loguniform(label, np.log(low), np.log(high)),
        "whole": hp.uniformint,
        "choice": lambda label, *options: hp.choice(label, options),
    }
    pipelines = [
        {
            "model": model,
            "parameters": {name: draw[how](f"{model} {name}", *of) for name, (how, *of) in settings.items()},
        }
        for model, settings in SPACE.items()
    ]
    return {
        "pipeline": hp.choice("model", pipelines),
        "preprocessing": hp.choice("preprocessing", list(PREPROCESSING)),
    }


def _suggest(domain, rows, seed):
    """The next trial: a function of the earlier trials and the seed only, so that no other state has to be saved."""
    from hyperopt import JOB_STATE_DONE, STATUS_FAIL, STATUS_OK, Trials, tpe, trials_from_docs
    from hyperopt.base import spec_from_misc

    documents = []
    for row in rows:
        number, vals = row["trial"], json.loads(row["vals"])
        ok = row["status"] == "ok"
        result = {"status": STATUS_OK, "loss": row["loss"]} if ok else {"status": STATUS_FAIL}
        misc = {
            "tid": number,
            "cmd": domain.cmd,
            "idxs": {label: [number] if label in vals else [] for label in domain.params},
            "vals": {label: [vals[label]] if label in vals else [] for label in domain.params},
        }
        (document,) = Trials().new_trial_docs([number], [None], [result], [misc])
        documents.append(document | {"state": JOB_STATE_DONE})
    (suggested,) = tpe.suggest(
        [len(rows)], domain, trials_from_docs(documents), seed, n_startup_jobs=STARTUP, verbose=False
    )
    return {label: value.item() for label, value in spec_from_misc(suggested["misc"]).items()}


def cross_validate(pipeline: Pipeline, X: np.ndarray, y: np.ndarray, *, seed: int) -> dict[str, float]:
    """Score a pipeline by stratified cross-validation: 5 folds, or fewer if the rarer class has fewer rows.

    Returns
    -------
    dict of str to float
        ``loss`` (Brier score) with its 95% interval ``loss_low`` to ``loss_high``, ``log_loss`` and ``roc_auc``, means over the
        folds; ``accuracy``, ``sensitivity`` and ``specificity``, shares of all rows, each of which is tested once; ``seconds`` it
        took. The interval is that of `coughlab.evaluation.comparison.interval` over the folds, kept between 0 and 1.

    Raises
    ------
    ValueError
        If the pipeline cannot be fitted or gives no probabilities.
    """
    from sklearn.base import clone
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    # Not at the top: it imports pandas, and this module is imported where models answer.
    from coughlab.evaluation import comparison

    started = perf_counter()
    n_folds = min(FOLDS, np.bincount(y).min())
    probabilities, folds = np.empty(len(y)), []
    for train, test in StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(X, y):
        with warnings.catch_warnings():
            # Some pipelines of any search do not converge; their score shows it.
            warnings.simplefilter("ignore")
            probabilities[test] = p = clone(pipeline).fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        folds.append([brier_score_loss(y[test], p), log_loss(y[test], p), roc_auc_score(y[test], p)])
    loss, log, roc_auc = np.mean(folds, axis=0)
    interval = comparison.interval([fold[0] for fold in folds], 1 / (n_folds - 1))
    right = (probabilities >= THRESHOLD) == y
    return {
        "loss": float(loss),
        # If all folds are equal, their variation is unknown: the interval is then 0 to 1.
        "loss_low": float(np.fmax(interval.low, 0)),
        "loss_high": float(np.fmin(interval.high, 1)),
        "log_loss": float(log),
        "accuracy": float(right.mean()),
        "sensitivity": float(right[y == 1].mean()),
        "specificity": float(right[y == 0].mean()),
        "roc_auc": float(roc_auc),
        "seconds": perf_counter() - started,
    }


def pipeline(trial: Mapping[str, Any], seed: int) -> Pipeline:
    """The unfitted pipeline of a trial."""
    settings = FIXED.get(trial["model"], {}) | json.loads(trial["parameters"])
    return pipelines.build(trial["preprocessing"], trial["model"], seed, **settings)


def best(trials: pd.DataFrame) -> pd.Series:
    """The trial with the lowest Brier score, the earliest of equals; `SearchError` if no trial succeeded."""
    if trials["loss"].isna().all():
        raise SearchError("No pipeline that was tried could be fitted.")
    return trials.loc[trials["loss"].idxmin()]


def is_published(trial: Mapping[str, Any]) -> bool:
    """Whether a trial is the winner that the case study published."""
    return json.loads(trial["vals"]) == PUBLISHED


def describe(trial: Mapping[str, Any]) -> str:
    """A trial's pipeline in words: "K nearest neighbours, K = 3, Manhattan distance, on rows scaled to unit L1 norm"."""
    words = {
        "C": "C = {:.2g}",
        "gamma": "gamma = {:.2g}",
        "var_smoothing": "variance smoothing {:.1g}",
        "n_neighbors": "K = {}",
        "metric": "{} distance",
        "n_estimators": "{} trees",
        "learning_rate": "learning rate {:.2g}",
        "max_depth": "depth up to {}",
        "max_features": "features tried at each question: {}",
        "min_samples_leaf": "recordings in a leaf: {} or more",
    }
    settings = json.loads(trial["parameters"])
    # The other distances have proper names and get a capital letter.
    if settings.get("metric", "cosine") != "cosine":
        settings["metric"] = settings["metric"].capitalize()
    described = [form.format(settings[name]) for name, form in words.items() if name in settings]
    return ", ".join([FAMILIES[trial["model"]], *described, f"on {PREPROCESSING[trial['preprocessing']]}"])


def fit(
    inputs: Sequence[np.ndarray],
    labels: Sequence[int],
    *,
    seed: int,
    epochs: None = None,
    progress: Share = silent,
) -> FittedPipeline:
    """Search inside the rows given, then fit the best pipeline on all of them; `SearchError` if a class has fewer than 2 rows."""
    X, y = np.asarray(inputs, dtype=float), np.asarray(labels, dtype=int)
    for trials in run(X, y, seed=seed, n_trials=TRIALS):
        progress(len(trials) / TRIALS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FittedPipeline(HYPEROPT.name, pipeline(best(trials), seed).fit(X, y))


HYPEROPT = Classifier(
    order=40,
    name="hyperopt",
    title="Hyperopt's choice",
    summary=f"The best of {TRIALS} pipelines that Hyperopt tried on 26 features, by cross-validation inside the training rows.",
    input="features",
    fit=fit,
    splits=20,
    keep=False,
)
