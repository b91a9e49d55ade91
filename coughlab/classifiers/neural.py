"""What the Keras classifiers share: a reproducible fit, and saving for training on and for serving."""

import contextlib
import io
import os
import tempfile
from pathlib import Path


def keras(seed=None):
    """Import Keras on TensorFlow, quietly, and make what follows reproducible.

    Parameters
    ----------
    seed : int, optional
        Seed of Python's, NumPy's and TensorFlow's generators. From then on TensorFlow runs its deterministic kernels.

    Returns
    -------
    module
        Keras.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow

    if seed is not None:
        keras.utils.set_random_seed(seed)
        tensorflow.config.experimental.enable_op_determinism()
    return keras


def progress_callback(progress, epochs):
    """A Keras callback that reports the share of the epochs done."""
    import keras

    return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress((epoch + 1) / epochs))


def save(model, name):
    """Serialise a Keras model twice.

    Parameters
    ----------
    model : keras.Model
        The fitted model.
    name : str
        Stem of the file names.

    Returns
    -------
    dict of str to bytes
        ``<name>.keras`` for people who go on training and ``<name>.tflite`` (LiteRT) for serving.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        paths = [Path(folder) / f"{name}.keras", Path(folder) / f"{name}.tflite"]
        model.save(paths[0])
        model.export(paths[1], format="litert", verbose=False)
        return {path.name: path.read_bytes() for path in paths}
