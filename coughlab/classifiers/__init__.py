"""What can be trained: one module a family, all of one shape.

A classifier is a recipe: ``fit`` takes the inputs and labels of the training rows and a seed and returns a fitted model, which
answers ``predict(inputs) -> probabilities of the positive class`` and ``save() -> {file name: bytes}``; ``load`` makes of the
file that serves a function again. A new family is a new module here. Importing this package imports
neither tensorflow nor scikit-learn; fitting does.
"""

from coughlab.classifiers.base import Classifier
from coughlab.system.registry import discover

__all__ = ["CLASSIFIERS", "Classifier"]

#: Every classifier by name, in the order shown; the first is the case study's final model.
CLASSIFIERS: dict[str, Classifier] = discover(__name__, Classifier)
