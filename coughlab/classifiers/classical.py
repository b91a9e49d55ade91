"""Classical classifiers on the 26 features: scikit-learn's own, in pipelines with their preprocessing."""

from dataclasses import dataclass

import numpy as np

from coughlab.classifiers.base import Classifier


def fit_knn(inputs, labels, *, seed, epochs=None, progress=lambda share: None):
    """The nearest neighbour as the case study's search found it: K = 1, Euclidean, rows scaled to unit L1 norm.

    Parameters
    ----------
    inputs : array-like, shape (n, 26)
        Features, one row a recording.
    labels : array-like, shape (n,)
        0 or 1.
    seed, epochs : int, optional
        Without effect: nothing in it is random, and it does not learn by passes.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    FittedPipeline
        The fitted model.
    """
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    pipeline = make_pipeline(Normalizer("l1"), KNeighborsClassifier(n_neighbors=1, metric="euclidean"))
    pipeline.fit(np.asarray(inputs), np.asarray(labels, dtype=int))
    progress(1.0)
    return FittedPipeline(KNN.name, pipeline)


@dataclass
class FittedPipeline:
    """A fitted scikit-learn pipeline."""

    name: str
    pipeline: object

    def predict(self, inputs):
        """Probability of covid for each row of features, shape (n,)."""
        return self.pipeline.predict_proba(np.asarray(inputs))[:, 1]

    @property
    def parameters(self):
        """Number of trained parameters: none are trained, the training rows are kept instead."""
        return 0

    def save(self):
        """The file of the model, by name."""
        import skops.io

        return {f"{self.name}.skops": skops.io.dumps(self.pipeline)}


KNN = Classifier(
    name="knn",
    title="Nearest neighbour",
    summary="The label of the most similar training recording (K = 1, Euclidean distance) on 26 features scaled to unit L1"
    " norm; it knows no probabilities but 0 and 100%.",
    input="features",
    fit=fit_knn,
)
