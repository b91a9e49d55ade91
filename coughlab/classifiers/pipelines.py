"""scikit-learn's classifiers in pipelines with their preprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def build(preprocessing: str, family: str, seed: int, **settings: Any) -> Pipeline:
    """An unfitted pipeline of scikit-learn's own steps; its classifier has the seed, if it takes one."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
    from sklearn.svm import SVC, LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    families = {
        "logistic_regression": LogisticRegression,
        "naive_bayes": GaussianNB,
        "knn": KNeighborsClassifier,
        "linear_svm": LinearSVC,
        "rbf_svm": SVC,
        "kernel_svm": SVC,
        "tree": DecisionTreeClassifier,
        "forest": RandomForestClassifier,
        "gradient_boosting": GradientBoostingClassifier,
        "random": DummyClassifier,
    }
    steps = {
        "none": (),
        "l1": (Normalizer("l1"),),
        "l2": (Normalizer("l2"),),
        "standard": (StandardScaler(),),
        "minmax": (MinMaxScaler(),),
    }
    model = families[family](**settings)
    if "random_state" in model.get_params():
        model.set_params(random_state=seed)
    if family.endswith("svm"):
        # Support vectors give no probability; a sigmoid is fitted on cross-validated distances to get one.
        model = CalibratedClassifierCV(model, ensemble=False)
    return make_pipeline(*steps[preprocessing], model)
