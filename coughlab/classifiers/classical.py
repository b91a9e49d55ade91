"""Classical classifiers on the 26 features: scikit-learn's own, in pipelines with their preprocessing."""

import io
from dataclasses import dataclass

import numpy as np

from coughlab.classifiers import runtime
from coughlab.classifiers.base import Classifier


@dataclass
class FittedPipeline:
    """A fitted scikit-learn pipeline.

    Attributes
    ----------
    name : str
        Name of its classifier.
    pipeline : sklearn.pipeline.Pipeline
        The pipeline, which reads rows of features.
    """

    name: str
    pipeline: object

    def predict(self, inputs):
        """Probability of the positive class for each row of features, shape (n,)."""
        return self.pipeline.predict_proba(np.asarray(inputs))[:, 1]

    @property
    def parameters(self):
        """How many numbers the last step learned; a nearest neighbour learns none, it keeps the training rows instead."""
        return _learned(self.pipeline[-1])

    def served(self):
        """The model as it answers: a function from one row of features to its probability."""
        return lambda x: float(self.predict([x])[0])


@dataclass
class FittedNearest(FittedPipeline):
    """The nearest neighbour, the one pipeline that is kept for answering."""

    def save(self):
        """The file of the model, by name, for `coughlab.classifiers.runtime.Nearest`."""
        nearest, buffer = self.pipeline[-1], io.BytesIO()
        # What scikit-learn keeps to find neighbours in, and of each row the number of its class.
        np.savez(buffer, rows=nearest._fit_X, labels=nearest.classes_[nearest._y])
        return {f"{self.name}.npz": buffer.getvalue()}


def _learned(model):
    if hasattr(model, "calibrated_classifiers_"):
        (calibrated,) = model.calibrated_classifiers_
        return _learned(calibrated.estimator) + 2
    trees = getattr(model, "estimators_", [model] if hasattr(model, "tree_") else [])
    if len(trees):
        # A split has a feature and a threshold, a leaf a value.
        return int(sum(2 * t.tree_.node_count - t.tree_.n_leaves for t in np.ravel(trees)))
    learned = {"coef_", "intercept_", "dual_coef_", "support_vectors_", "theta_", "var_", "class_prior_"}
    if getattr(model, "kernel", None) == "linear":
        learned -= {"dual_coef_", "support_vectors_"}
    return int(sum(np.size(getattr(model, name)) for name in learned if hasattr(model, name)))


def _steps(name, seed):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import Normalizer, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    def support_vectors(kernel):
        # Support vectors give no probability; a sigmoid fitted on cross-validated distances does.
        return StandardScaler(), CalibratedClassifierCV(SVC(kernel=kernel), ensemble=False)

    return {
        "knn": lambda: (Normalizer("l1"), KNeighborsClassifier(n_neighbors=1, metric="euclidean")),
        "knn5": lambda: (StandardScaler(), KNeighborsClassifier(n_neighbors=5)),
        "logistic_regression": lambda: (StandardScaler(), LogisticRegression(max_iter=1000)),
        "naive_bayes": lambda: (StandardScaler(), GaussianNB()),
        "linear_svm": lambda: support_vectors("linear"),
        "rbf_svm": lambda: support_vectors("rbf"),
        "tree": lambda: (DecisionTreeClassifier(random_state=seed),),
        "forest": lambda: (RandomForestClassifier(random_state=seed),),
        "gradient_boosting": lambda: (GradientBoostingClassifier(random_state=seed),),
        "shortcut": lambda: (RandomForestClassifier(random_state=seed),),
        "random": lambda: (DummyClassifier(strategy="stratified", random_state=seed),),
    }[name]()


def _classifier(order, name, title, summary, *, reads="features", **more):
    def fit(inputs, labels, *, seed, epochs=None, progress=lambda share: None):
        from sklearn.pipeline import make_pipeline

        pipeline = make_pipeline(*_steps(name, seed)).fit(np.asarray(inputs), np.asarray(labels, dtype=int))
        progress(1.0)
        return (FittedNearest if more else FittedPipeline)(name, pipeline)

    return Classifier(order, name, title, summary, reads, fit, splits=200, **({"keep": False} | more))


KNN = _classifier(
    50,
    "knn",
    "Nearest neighbour",
    "The label of the most similar training recording (K = 1, Euclidean distance) on 26 features scaled to unit L1 norm, as"
    " the case study's search found it; it knows no probabilities but 0 and 100%.",
    keep=True,
    load=runtime.Nearest,
)
#: All of them, in the order shown.
CLASSICAL = (
    KNN,
    _classifier(
        51,
        "knn5",
        "K nearest neighbours",
        "The share of {condition} among the 5 most similar training recordings on 26 standardised features.",
    ),
    _classifier(
        52,
        "logistic_regression",
        "Logistic regression",
        "A weighted sum of 26 standardised features, turned into a probability.",
    ),
    _classifier(
        53,
        "naive_bayes",
        "Naive Bayes",
        "Each of 26 standardised features judged by itself, as a bell curve of each class.",
    ),
    _classifier(
        54,
        "linear_svm",
        "Linear support vectors",
        "The plane with the widest margin between the classes on 26 standardised features; probabilities by a sigmoid.",
    ),
    _classifier(
        55,
        "rbf_svm",
        "RBF support vectors",
        "A curved surface (radial basis functions) between the classes on 26 standardised features; probabilities by a sigmoid.",
    ),
    _classifier(56, "tree", "Decision tree", "One tree of yes-or-no questions about 26 features."),
    _classifier(
        57,
        "forest",
        "Random forest",
        "The mean answer of 100 trees, each grown on a sample of rows and features.",
    ),
    _classifier(
        58,
        "gradient_boosting",
        "Gradient boosting",
        "A sum of 100 small trees, each correcting those before it, on 26 features.",
    ),
    _classifier(
        59,
        "shortcut",
        "Recording chain only",
        "Knows nothing of the cough: a random forest on the file's format, the loudness and bandwidth, and the background noise."
        " What it can tell apart, a model may have learned from the microphone instead of the disease.",
        reads="chain",
    ),
    _classifier(
        60,
        "random",
        "Random baseline",
        "Draws the label by lot, {condition} as often as among the training rows, without looking at the recording.",
    ),
)
