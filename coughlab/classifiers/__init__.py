"""What can be trained: one module a family, all of one shape.

A classifier is a recipe: ``fit`` takes the inputs and labels of the training rows and a seed and returns a fitted model, which
answers ``predict(inputs) -> probabilities of covid`` and ``save() -> {file name: bytes}``. Importing this package imports
neither tensorflow nor scikit-learn; fitting does.
"""

from coughlab.classifiers.base import Classifier
from coughlab.classifiers.classical import CLASSICAL, KNN
from coughlab.classifiers.cnn import CNN
from coughlab.classifiers.mlp import MLP
from coughlab.classifiers.search import HYPEROPT
from coughlab.classifiers.vgg16 import CNN1, CNN2

__all__ = ["CLASSIFIERS", "CNN", "CNN1", "CNN2", "HYPEROPT", "KNN", "MLP", "Classifier"]

#: Every classifier by name, in the order shown; the first is the case study's final model.
CLASSIFIERS: dict[str, Classifier] = {c.name: c for c in (MLP, CNN, CNN1, CNN2, HYPEROPT, *CLASSICAL)}
