"""A small convolutional network on the log-mel spectrogram, trained from scratch."""

import numpy as np

from coughlab.classifiers import neural
from coughlab.classifiers.base import Classifier
from coughlab.features.inputs import N_MELS, repeated
from coughlab.features.spectrum import FLOOR_DB

CHANNELS = (16, 32, 64, 128)
DROPOUT = 0.3
LEARNING_RATE = 0.001
BATCH = 16
#: Frames of a training excerpt: 5 seconds.
EXCERPT = 216


def build():
    """The untrained network; global pooling at its end lets it read any duration.

    Returns
    -------
    keras.Model
        (frames, 64) decibels to one probability, about 98,000 parameters.
    """
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
    # The average hears the whole recording, the maximum the one loud cough in it.
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(x))


def fit(inputs, labels, *, seed, epochs=None, progress=lambda share: None):
    """Train the network on random, altered excerpts.

    Parameters
    ----------
    inputs : sequence of ndarray, each of shape (n_frames, 64)
        Log-mel spectrograms in dB, of any length.
    labels : array-like, shape (n,)
        0 or 1.
    seed : int
        Seed of the initial weights, of the order of the rows and of every alteration.
    epochs : int, optional
        Passes over the rows; 60 unless told.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    coughlab.classifiers.neural.FittedNetwork
        The trained model.
    """
    keras = neural.keras(seed)
    epochs = epochs or CNN.epochs
    labels = np.asarray(labels, dtype=np.float32)
    rng = np.random.default_rng(seed)
    steps = -(-len(labels) // BATCH)
    # Both classes weigh the same, however few coughs of one of them there are; else 0.5 would be no threshold.
    weights = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean())).astype(np.float32)

    def batches():
        while True:
            for rows in np.array_split(rng.permutation(len(labels)), steps):
                yield np.stack([augment(inputs[row], rng) for row in rows]), labels[rows], weights[rows]

    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * steps)
    neural.compiled(model, keras.optimizers.Adam(schedule))
    callbacks = [neural.progress_callback(progress, epochs)]
    model.fit(batches(), steps_per_epoch=steps, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return neural.FittedNetwork(CNN.name, model)


def augment(db, rng):
    """One altered excerpt of a spectrogram: shifted in time, louder or quieter, noisier, partly masked.

    The masks are those of D. S. Park et al., "SpecAugment", Interspeech 2019.

    Parameters
    ----------
    db : ndarray, shape (n_frames, 64)
        Log-mel spectrogram in dB.
    rng : numpy.random.Generator
        Source of every choice.

    Returns
    -------
    ndarray, shape (216, 64), float32
        Decibels.
    """
    db = repeated(db, EXCERPT)
    db = np.roll(db, rng.integers(len(db)), axis=0)[:EXCERPT]
    db = db + rng.uniform(-12, 12)
    # The power of white noise in a band is exponentially distributed; its level wanders from inaudible to 40 dB below the peak.
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
    epochs=60,
    splits=10,
)
