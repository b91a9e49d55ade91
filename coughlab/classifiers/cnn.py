"""A small convolutional network on the log-mel spectrogram, trained from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coughlab.classifiers import neural
from coughlab.classifiers.base import Classifier
from coughlab.features.inputs import N_MELS, repeated
from coughlab.features.spectrum import FLOOR_DB
from coughlab.system.progress import Share, silent

if TYPE_CHECKING:
    from keras import Model

CHANNELS = (16, 32, 64, 128)
DROPOUT = 0.3
LEARNING_RATE = 0.001
BATCH = 16
EPOCHS = 60
#: Frames of a training excerpt: 5 seconds.
EXCERPT = 216


def build() -> Model:
    """The untrained network: (frames, 64) decibels to one probability; global pooling lets it read any duration."""
    keras = neural.keras()
    layers = keras.layers
    inputs = layers.Input((None, N_MELS), name="spectrogram")
    x = layers.Rescaling(-2 / FLOOR_DB, offset=1.0, name="to_unit_range")(inputs)
    x = layers.Reshape((-1, N_MELS, 1))(x)
    for channels in CHANNELS:
        if channels != CHANNELS[0]:
            x = layers.MaxPooling2D(2)(x)
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        # With eight steps an epoch, Keras's own momentum of 0.99 would lag behind the weights until the end.
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    # The average describes the whole recording, the maximum the one loud cough in it.
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(x))


def fit(
    inputs: Sequence[np.ndarray],
    labels: Sequence[int],
    *,
    seed: int,
    epochs: int | None = None,
    progress: Share = silent,
) -> neural.FittedNetwork:
    """Train the network on random, augmented excerpts of log-mel spectrograms in dB, shape (n_frames, 64) each."""
    keras = neural.keras(seed)
    epochs = epochs or EPOCHS
    y = np.asarray(labels, dtype=np.float32)
    rng = np.random.default_rng(seed)
    steps = -(-len(y) // BATCH)
    # Both classes get the same weight, even if one is rare; otherwise 0.5 would not be a useful threshold.
    weights = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean())).astype(np.float32)

    def batches():
        while True:
            for rows in np.array_split(rng.permutation(len(y)), steps):
                yield np.stack([augment(inputs[row], rng) for row in rows]), y[rows], weights[rows]

    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * steps)
    adam = keras.optimizers.Adam(schedule)
    neural.train(
        model, adam, batches(), epochs=epochs, progress=progress, steps_per_epoch=steps, shuffle=False
    )
    return neural.FittedNetwork(CNN.name, model)


def augment(db: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One augmented excerpt of a spectrogram in dB, shape (216, 64): shifted in time, louder or quieter, noisier, partly masked.

    The masks are those of D. S. Park et al., "SpecAugment", Interspeech 2019.
    """
    db = repeated(db, EXCERPT)
    db = np.roll(db, rng.integers(len(db)), axis=0)[:EXCERPT]
    db = db + rng.uniform(-12, 12)
    # The power of white noise in a band is exponentially distributed; its level varies from inaudible to 40 dB below the peak.
    level = db.max() - rng.uniform(40, 100)
    noise = level + 10 * np.log10(rng.exponential(size=db.shape) + 1e-10)
    db = np.maximum(10 * np.log10(10 ** (db / 10) + 10 ** (noise / 10)), FLOOR_DB).astype(np.float32)
    quiet = db.mean()
    for axis, widest in ((0, 24), (1, 8)):
        width = rng.integers(widest + 1)
        start = rng.integers(db.shape[axis] - width + 1)
        db[(slice(None),) * axis + (slice(start, start + width),)] = quiet
    return db


CNN = Classifier(
    order=20,
    name="cnn",
    title="CNN",
    summary="A small convolutional network on the log-mel spectrogram of the whole recording, trained from scratch.",
    input="spectrogram",
    fit=fit,
    epochs=EPOCHS,
    splits=10,
)
