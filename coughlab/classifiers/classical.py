"""Classical classifiers on the 26 features."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coughlab.classifiers import pipelines, runtime
from coughlab.classifiers.base import Classifier
from coughlab.system.progress import Share, silent

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass
class FittedPipeline:
    """A fitted scikit-learn pipeline, whose input is rows of features, and the name of its classifier."""

    name: str
    pipeline: Pipeline

    def predict(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Probability of the positive class for each row of features, shape (n,)."""
        return self.pipeline.predict_proba(np.asarray(inputs))[:, 1]

    @property
    def parameters(self) -> int:
        """Number of parameters that the last step learned; 0 for a nearest neighbour, which stores the training rows instead."""
        return _learned(self.pipeline[-1])

    def served(self) -> Callable[[np.ndarray], float]:
        """The serving function: from one row of features to its probability."""
        return lambda x: float(self.predict([x])[0])


@dataclass
class FittedNearest(FittedPipeline):
    """The nearest neighbour, the only pipeline that is saved for serving."""

    def save(self) -> dict[str, bytes]:
        """The file of the model, by name, for `coughlab.classifiers.runtime.Nearest`."""
        nearest, buffer = self.pipeline[-1], io.BytesIO()
        # scikit-learn's stored training rows, and the number of each row's class.
        np.savez(buffer, rows=nearest._fit_X, labels=nearest.classes_[nearest._y])
        return {f"{self.name}.npz": buffer.getvalue()}


def _learned(model):
    if hasattr(model, "calibrated_classifiers_"):
        (calibrated,) = model.calibrated_classifiers_
        return _learned(calibrated.estimator) + 2
    trees = getattr(model, "estimators_", [model] if hasattr(model, "tree_") else [])
    if len(trees):
        # A split has two parameters, a feature and a threshold; a leaf has one value.
        return int(sum(2 * t.tree_.node_count - t.tree_.n_leaves for t in np.ravel(trees)))
    learned = {"coef_", "intercept_", "dual_coef_", "support_vectors_", "theta_", "var_", "class_prior_"}
    if getattr(model, "kernel", None) == "linear":
        learned -= {"dual_coef_", "support_vectors_"}
    return int(sum(np.size(getattr(model, name)) for name in learned if hasattr(model, name)))


def _classifier(
    order: int,
    name: str,
    title: str,
    summary: str,
    steps: tuple[str, str],
    *,
    reads: str = "features",
    kept: dict[str, Any] | None = None,
    **settings: Any,
) -> Classifier:
    """A classifier from the steps and settings of `pipelines.build`; one saved for serving has further attributes, `kept`."""
    fitted = FittedNearest if kept else FittedPipeline

    def fit(
        inputs: Sequence[np.ndarray],
        labels: Sequence[int],
        *,
        seed: int,
        epochs: None = None,
        progress: Share = silent,
    ) -> FittedPipeline:
        pipeline = pipelines.build(*steps, seed, **settings)
        pipeline.fit(np.asarray(inputs), np.asarray(labels, dtype=int))
        progress(1.0)
        return fitted(name, pipeline)

    return Classifier(order, name, title, summary, reads, fit, splits=200, **(kept or {"keep": False}))


KNN = _classifier(
    50,
    "knn",
    "Nearest neighbour",
    "The label of the most similar training recording (K = 1, Euclidean distance) on 26 features scaled to unit L1 norm, as"
    " the case study's search found it; it knows no probabilities but 0 and 100%.",
    ("l1", "knn"),
    kept={"load": runtime.Nearest},
    n_neighbors=1,
    metric="euclidean",
)
#: All classical classifiers, in the order shown.
CLASSICAL = (
    KNN,
    _classifier(
        51,
        "knn5",
        "K nearest neighbours",
        "The share of {condition} among the 5 most similar training recordings on 26 standardised features.",
        ("standard", "knn"),
        n_neighbors=5,
    ),
    _classifier(
        52,
        "logistic_regression",
        "Logistic regression",
        "A weighted sum of 26 standardised features, turned into a probability.",
        ("standard", "logistic_regression"),
        max_iter=1000,
    ),
    _classifier(
        53,
        "naive_bayes",
        "Naive Bayes",
        "Each of 26 standardised features judged by itself, as a bell curve of each class.",
        ("standard", "naive_bayes"),
    ),
    _classifier(
        54,
        "linear_svm",
        "Linear support vectors",
        "The plane with the widest margin between the classes on 26 standardised features; probabilities by a sigmoid.",
        ("standard", "kernel_svm"),
        kernel="linear",
    ),
    _classifier(
        55,
        "rbf_svm",
        "RBF support vectors",
        "A curved surface (radial basis functions) between the classes on 26 standardised features; probabilities by a sigmoid.",
        ("standard", "rbf_svm"),
    ),
    _classifier(
        56,
        "tree",
        "Decision tree",
        "One tree of yes-or-no questions about 26 features.",
        ("none", "tree"),
    ),
    _classifier(
        57,
        "forest",
        "Random forest",
        "The mean answer of 100 trees, each grown on a sample of rows and features.",
        ("none", "forest"),
    ),
    _classifier(
        58,
        "gradient_boosting",
        "Gradient boosting",
        "A sum of 100 small trees, each correcting those before it, on 26 features.",
        ("none", "gradient_boosting"),
    ),
    _classifier(
        59,
        "shortcut",
        "Recording chain only",
        "Knows nothing of the cough: a random forest on the file's format, the loudness and bandwidth, and the background noise."
        " What it can tell apart, a model may have learned from the microphone instead of the disease.",
        ("none", "forest"),
        reads="chain",
    ),
    _classifier(
        60,
        "random",
        "Random baseline",
        "Draws the label by lot, {condition} as often as among the training rows, without looking at the recording.",
        ("none", "random"),
        strategy="stratified",
    ),
)
