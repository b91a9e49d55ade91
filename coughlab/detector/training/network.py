"""The detector's network: built, trained and exported with Keras. Detection does not import this module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coughlab.classifiers import neural
from coughlab.detector import frames
from coughlab.detector.detect import CLASSES
from coughlab.detector.training.corpus import COUGH, MAYBE, NO_COUGH, QUIET, UNKNOWN
from coughlab.detector.training.scenes import Scenes
from coughlab.system.progress import Share, silent

if TYPE_CHECKING:
    from keras import Model

#: Channels of the convolutions over time and frequency; each halves the number of frequencies.
CHANNELS = (16, 32, 40, 56)
#: Channels of the convolutions over time alone, and their dilations in moments.
WIDTH, DILATIONS = 80, (1, 2, 4, 6)
#: The first convolutions, up to this dilation, look back and ahead; the others only look back, so that a cough is reported soon
#: after its end.
AHEAD = 2
DROPOUT = 0.1
LEARNING_RATE = 0.003
BATCH = 8
#: Weight of the loss for the kind of sound; the loss for cough or no cough has weight 1.
KIND_WEIGHT = 0.3
#: Weight and number of a scene's hardest moments among those known to be no cough: one wrong moment is enough for a false
#: positive.
HARD_WEIGHT, HARD = 1.0, 5
#: Weight of the loss for a cough somewhere in a scene of unknown sounds, and the number of moments in which it is expected.
SOMEWHERE_WEIGHT, SOMEWHERE = 0.15, 3
#: Half way through the training, a moment of unknown kind gets the class that the network predicts with at least this
#: probability.
SURE = 0.8
#: Share of the scenes that are mixed with a scene without a cough.
UNDER = 0.4
#: Decibels of power to natural logarithms.
_NEPER = np.float32(np.log(10) / 10)


def build() -> Model:
    """The untrained network.

    No convolution pads in time, so that the network treats a stream like a recording: 125 + 4 n frames of 10 ms give n moments of
    40 ms. Each moment depends on about a second before it and 210 ms after it.

    Input: (125 + 4 n, 48) decibels. Output: (n, 5) logits.
    """
    keras = neural.keras()
    layers = keras.layers
    inputs = layers.Input((None, frames.N_MELS), name="frames")
    x = layers.Rescaling(1 / 25, offset=2.2, name="to_unit_range")(inputs)
    x = layers.Reshape((-1, frames.N_MELS, 1))(x)
    for number, channels in enumerate(CHANNELS):
        # Padding in frequency only.
        side = 2 if number == 0 else 1
        x = layers.ZeroPadding2D((0, side))(x)
        size, strides = (5, (2, 2)) if number == 0 else (3, (2 if number == 1 else 1, 2))
        x = layers.Conv2D(channels, size, strides=strides, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        x = layers.ReLU()(x)
    x = layers.Reshape((-1, CHANNELS[-1] * frames.N_MELS // 2 ** len(CHANNELS)))(x)
    x = layers.Conv1D(WIDTH, 1, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.95)(x)
    x = layers.ReLU()(x)
    x = layers.SpatialDropout1D(DROPOUT)(x)
    for dilation in DILATIONS:
        y = layers.Conv1D(WIDTH, 3, dilation_rate=dilation, use_bias=False)(x)
        y = layers.BatchNormalization(momentum=0.95)(y)
        y = layers.ReLU()(y)
        own = (dilation, dilation) if dilation <= AHEAD else (2 * dilation, 0)
        x = layers.Add()([layers.Cropping1D(own)(x), y])
    return keras.Model(inputs, layers.Conv1D(len(CLASSES), 1, name="kinds")(x))


def loss(kinds: Any, logits: Any) -> Any:
    """The training loss: cough or not in every known moment, its kind where known, and a cough somewhere in unknown sounds.

    Parameters
    ----------
    kinds : tensor, shape (batch, steps)
        Labels as in `coughlab.detector.training.corpus.Sound`.
    logits : tensor, shape (batch, steps, 5)
        Output of the network of `build`.

    Returns
    -------
    tensor, shape (batch,)
        Mean over the steps that are known.
    """
    import tensorflow as tf

    kinds = tf.cast(kinds, tf.int32)
    log = tf.nn.log_softmax(logits)
    known = tf.cast(kinds > UNKNOWN, tf.float32)
    named = known * tf.cast(kinds != NO_COUGH, tf.float32)
    no_cough = tf.reduce_logsumexp(log[..., 1:], axis=-1)
    known_as = tf.where(kinds == COUGH, log[..., COUGH], no_cough)
    kind = tf.gather(log, tf.clip_by_value(kinds, 0, len(CLASSES) - 1), batch_dims=2)
    total = known * -known_as + KIND_WEIGHT * named * -kind
    hard, _ = tf.math.top_k(tf.where(kinds == COUGH, 0.0, named * -known_as), HARD)
    mean = tf.reduce_sum(total, axis=-1) / tf.maximum(tf.reduce_sum(known, axis=-1), 1.0)
    likely, _ = tf.math.top_k(tf.where(kinds == MAYBE, log[..., COUGH], -20.0), SOMEWHERE)
    enough = tf.reduce_sum(tf.cast(kinds == MAYBE, tf.int32), axis=-1) >= SOMEWHERE
    maybe = tf.cast(enough & ~tf.reduce_any(kinds == COUGH, axis=-1), tf.float32)
    somewhere = maybe * -tf.reduce_mean(likely, axis=-1)
    return mean + HARD_WEIGHT * tf.reduce_mean(hard, axis=-1) + SOMEWHERE_WEIGHT * somewhere


def fit(scenes: Scenes, *, seed: int, epochs: int, progress: Share = silent) -> Model:
    """Train the network, in `epochs` passes over the scenes.

    Half way, moments of unknown kind get the class that the network is sure of. This finds the coughs in recordings that also
    have other sounds, with a network that was trained on none of the test folds.
    """
    keras = neural.keras(seed, threads=1)
    rng = np.random.default_rng(seed)
    steps = len(scenes) // BATCH
    # In a worker these arrays are memory-mapped files, which are slower in NumPy.
    db, classes = np.asarray(scenes.db), np.array(scenes.classes)
    plain = np.flatnonzero((classes > COUGH).all(axis=1))
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE, epochs * steps, warmup_target=LEARNING_RATE, warmup_steps=50
    )
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-4, clipnorm=1.0, use_ema=True, ema_momentum=0.998),
        loss,
        jit_compile=False,
    )
    # As in `neural.train`: otherwise TensorFlow traces the first step twice, which takes seconds.
    model.optimizer.build(model.trainable_variables)
    for epoch in range(epochs):
        if epoch == epochs // 2:
            classes = _named(model, db, classes)
        for rows in np.array_split(rng.permutation(len(scenes))[: steps * BATCH], steps):
            model.train_on_batch(*_altered(db, classes, rows, plain, rng))
        progress((epoch + 1) / epochs)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def _named(model, db, classes):
    """Classes, with unknown ones filled in where the model is sure."""
    classes = classes.copy()
    rows = np.flatnonzero((classes < 0).any(axis=1))
    for some in np.array_split(rows, max(1, len(rows) // 128)):
        probability = softmax(np.asarray(model(db[some].astype(np.float32), training=False)))
        best, sure = probability.argmax(axis=-1), probability.max(axis=-1) > SURE
        classes[some] = np.where((classes[some] < 0) & sure, best, classes[some])
    return classes


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities, which add up to 1 along the last axis."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _altered(db, classes, rows, plain, rng):
    """Augmented scenes: another level and equalisation, some mixed with a scene without a cough, some with gaps.

    There are recordings of many coughs, but of few other sounds: the augmentation keeps the network from memorising those.
    """
    mixed = [_over(db, classes, row, rng.choice(plain), rng) for row in rows]
    db, classes = (np.stack(part) for part in zip(*mixed, strict=True))
    db += rng.uniform(-8, 8, (len(db), 1, 1)).astype(np.float32) + _equaliser(len(db), rng)
    for row in db:
        for _ in range(rng.integers(0, 3)):
            width = rng.integers(1, 8)
            start = rng.integers(frames.N_MELS - width)
            row[:, start : start + width] = row.min()
        for _ in range(rng.integers(0, 4)):
            width = rng.integers(1, 9)
            start = rng.integers(len(row) - width)
            row[start : start + width] = row.min()
    return np.clip(db, -100, None), classes


def _over(db, classes, row, under, rng):
    """Frames and classes of a scene, unchanged or mixed with a scene without a cough."""
    one, kinds = db[row].astype(np.float32), classes[row]
    if rng.random() > UNDER:
        return one, kinds
    other, beneath = db[under].astype(np.float32), classes[under]
    quieter_db = rng.uniform(3, 30)
    other = other + (one.max() - other.max() - quieter_db)
    kinds = np.where((kinds == QUIET) & (beneath != QUIET), NO_COUGH, kinds)
    return np.logaddexp(one * _NEPER, other * _NEPER) / _NEPER, kinds


def _equaliser(n, rng):
    """Smooth curves over the bands, in dB, one for each of `n` scenes."""
    bands = np.linspace(0, 1, frames.N_MELS)
    knots = rng.normal(0, 3, (n, 6))
    return np.stack([np.interp(bands, np.linspace(0, 1, 6), row) for row in knots])[:, None].astype(
        np.float32
    )


def export(model: Model) -> dict[str, bytes]:
    """The network of `fit` with probabilities as its output, in both formats.

    ``detector.keras`` is for further training, ``detector.tflite`` for detection.
    """
    keras = neural.keras()
    whole = keras.Model(model.input, keras.layers.Softmax(name="probabilities")(model.output))
    return neural.FittedNetwork("detector", whole).save()
