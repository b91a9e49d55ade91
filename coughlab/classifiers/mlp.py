"""The case study's final model: a multilayer perceptron on the 26 standardised features."""

import numpy as np

from coughlab.classifiers import neural
from coughlab.classifiers.base import Classifier

WIDTHS = (512, 256, 128, 64)
LEARNING_RATE = 0.01


def build(mean, variance):
    """The untrained network, its standardiser inside it.

    Parameters
    ----------
    mean, variance : ndarray, shape (n_features,)
        Of each feature over the training rows.

    Returns
    -------
    keras.Model
        26 inputs to one probability, 186,369 parameters.
    """
    layers = neural.keras().layers
    # A feature that never varies stays 0 instead of being blown up.
    standardise = layers.Normalization(
        mean=mean, variance=np.where(variance > 0, variance, 1), name="standardise"
    )
    return neural.keras().Sequential(
        [
            layers.Input((len(mean),), name="features"),
            standardise,
            *(layers.Dense(width, activation="relu") for width in WIDTHS),
            layers.Dense(1, activation="sigmoid", name="probability"),
        ]
    )


def fit(inputs, labels, *, seed, epochs=None, progress=lambda share: None):
    """Train the network with Adam on the binary cross-entropy, as the case study did.

    Parameters
    ----------
    inputs : array-like, shape (n, 26)
        Features, one row a recording.
    labels : array-like, shape (n,)
        0 or 1.
    seed : int
        Seed of the initial weights and of the order of the rows.
    epochs : int, optional
        Passes over the rows; 100 unless told.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    coughlab.classifiers.neural.FittedNetwork
        The trained model.
    """
    keras = neural.keras(seed)
    epochs = epochs or MLP.epochs
    X = np.asarray(inputs, dtype=np.float32)
    model = build(X.mean(axis=0, dtype=float), X.var(axis=0, dtype=float))
    model.compile(keras.optimizers.Adam(LEARNING_RATE), "binary_crossentropy")
    callbacks = [neural.progress_callback(progress, epochs)]
    model.fit(X, np.asarray(labels, dtype=np.float32), epochs=epochs, verbose=0, callbacks=callbacks)
    return neural.FittedNetwork(MLP.name, model)


MLP = Classifier(
    name="mlp",
    title="MLP",
    summary="A multilayer perceptron of 512-256-128-64-1 units on 26 standardised features of the first 5 seconds.",
    input="features",
    fit=fit,
    epochs=100,
    splits=50,
)
