"""The case study's final model: a multilayer perceptron on the 26 standardised features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coughlab.classifiers import batched, neural
from coughlab.classifiers.base import Classifier
from coughlab.system.progress import Share, silent

if TYPE_CHECKING:
    from keras import Model

WIDTHS = (512, 256, 128, 64)
LEARNING_RATE = 0.01
EPOCHS = 100
#: Networks trained side by side: each takes 3 MB with Adam's means, and all must fit the processor's cache.
TOGETHER = 2


def build(mean: np.ndarray, variance: np.ndarray) -> Model:
    """The untrained network; `mean` and `variance` of each feature over the training rows make the standardiser inside it."""
    layers = neural.keras().layers
    standardise = layers.Normalization(mean=mean, variance=_varied(variance), name="standardise")
    return neural.keras().Sequential(
        [
            layers.Input((len(mean),), name="features"),
            standardise,
            *(layers.Dense(width, activation="relu") for width in WIDTHS),
            layers.Dense(1, activation="sigmoid", name="probability"),
        ]
    )


def fit(
    inputs: Sequence[np.ndarray],
    labels: Sequence[int],
    *,
    seed: int,
    epochs: int | None = None,
    progress: Share = silent,
) -> neural.FittedNetwork:
    """Train the network with Adam on the binary cross-entropy, as the case study did."""
    keras = neural.keras(seed)
    X, y = np.asarray(inputs, dtype=np.float32), np.asarray(labels, dtype=np.float32)
    model = build(X.mean(axis=0, dtype=float), X.var(axis=0, dtype=float))
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    neural.train(model, optimizer, X, y, epochs=epochs or EPOCHS, progress=progress)
    return neural.FittedNetwork(MLP.name, model)


@dataclass
class FittedMLP:
    """A network trained side by side with others; it predicts without Keras.

    Attributes
    ----------
    mean, variance : ndarray, shape (n_features,)
        Mean and variance of each feature over the training rows.
    layers : list of ndarray of float32, shape (n_inputs + 1, n_units)
        Weights of each layer; the last row is its bias.
    """

    mean: np.ndarray
    variance: np.ndarray
    layers: list[np.ndarray]

    def predict(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Probability of the positive class for each input, shape (n,)."""
        return batched.probabilities(self.layers, _standardised(inputs, self.mean, self.variance))

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(layer.size for layer in self.layers)

    def network(self) -> neural.FittedNetwork:
        """The same as a Keras model."""
        model = build(self.mean, self.variance)
        model.set_weights([part for layer in self.layers for part in (layer[:-1], layer[-1])])
        return neural.FittedNetwork(MLP.name, model)

    def served(self) -> Callable[[np.ndarray], float]:
        """The serving function: from one input to its probability."""
        return self.network().served()

    def save(self) -> dict[str, bytes]:
        """The files of the Keras model, by name."""
        return self.network().save()


def fit_many(
    inputs: Sequence[np.ndarray],
    labels: Sequence[int],
    trains: Sequence[np.ndarray],
    *,
    seeds: Sequence[int],
    epochs: int | None = None,
    progress: Share = silent,
) -> list[FittedMLP]:
    """Train a network on each of several selections of rows, as `fit` does, but side by side and without Keras.

    The results differ from those of `fit` as with another seed, because another generator draws the initial weights and the order
    of the rows. They do not depend on the other selections.
    """
    X, y = np.asarray(inputs, dtype=np.float32), np.asarray(labels, dtype=np.float32)
    measures = [(X[rows].mean(axis=0, dtype=float), X[rows].var(axis=0, dtype=float)) for rows in trains]
    fitted: dict[int, FittedMLP] = {}
    for group in _groups(trains):

        def report(share: float, before: int = len(fitted), n: int = len(group)) -> None:
            progress((before + share * n) / len(trains))

        learned = batched.train(
            np.stack([_standardised(X[trains[i]], *measures[i]) for i in group]),
            np.stack([y[trains[i]] for i in group]),
            seeds=[seeds[i] for i in group],
            widths=WIDTHS,
            rate=LEARNING_RATE,
            epochs=epochs or EPOCHS,
            progress=report,
        )
        fitted |= {i: FittedMLP(*measures[i], own) for i, own in zip(group, learned, strict=True)}
    return [fitted[i] for i in range(len(trains))]


def _groups(trains: Sequence[np.ndarray]) -> list[list[int]]:
    """Groups to train side by side: up to `TOGETHER` selections with the same number of rows."""
    by_size: dict[int, list[int]] = {}
    for i, rows in enumerate(trains):
        by_size.setdefault(len(rows), []).append(i)
    return [same[at : at + TOGETHER] for same in by_size.values() for at in range(0, len(same), TOGETHER)]


def _standardised(inputs, mean, variance):
    """Inputs as Keras's ``Normalization`` gives them, float32."""
    mean, variance = np.float32(mean), np.float32(_varied(variance))
    return (np.asarray(inputs, dtype=np.float32) - mean) / np.sqrt(variance)


def _varied(variance):
    # A constant feature becomes 0 instead of being divided by nearly 0.
    return np.where(variance > 0, variance, 1)


MLP = Classifier(
    order=10,
    name="mlp",
    title="MLP",
    summary="A multilayer perceptron of 512-256-128-64-1 units on 26 standardised features of the first 5 seconds.",
    input="features",
    fit=fit,
    fit_many=fit_many,
    epochs=EPOCHS,
    splits=50,
)
