"""The classifiers: one module per family, all with the same interface.

``fit`` takes the inputs and labels of the training rows and a seed, and returns a fitted model. The model has ``predict(inputs)
-> probabilities of the positive class`` and ``save() -> {file name: bytes}``. ``load`` makes a prediction function from the
serving file. To add a family, add a module here. Importing this package imports neither tensorflow nor scikit-learn; fitting
does.
"""

from coughlab.classifiers.base import Classifier
from coughlab.system.registry import discover

__all__ = ["CLASSIFIERS", "Classifier"]

#: Every classifier by name, in the order shown; the first is the case study's final model.
CLASSIFIERS: dict[str, Classifier] = discover(__name__, Classifier)
