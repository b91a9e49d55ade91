"""What the Keras classifiers share: a reproducible fit, and saving for training on and for serving."""

import contextlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coughlab.classifiers import runtime


def keras(seed=None, threads=None):
    """Import Keras on TensorFlow, quietly, and make what follows reproducible.

    Parameters
    ----------
    seed : int, optional
        Seed of Python's, NumPy's and TensorFlow's generators. From then on TensorFlow runs its deterministic kernels.
    threads : int, optional
        How many threads TensorFlow may use, in a process that has not used it yet.

    Returns
    -------
    module
        Keras.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow

    if threads:
        # Refused once TensorFlow has begun to work, as in tests; it then has the threads it has.
        with contextlib.suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
            tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    if seed is not None:
        keras.utils.set_random_seed(seed)
        tensorflow.config.experimental.enable_op_determinism()
    return keras


def compiled(model, optimizer):
    """Make a model ready to be trained on the binary cross-entropy.

    Parameters
    ----------
    model : keras.Model
    optimizer : keras.optimizers.Optimizer

    Returns
    -------
    keras.Model
        The same model.
    """
    model.compile(optimizer, "binary_crossentropy")
    # Otherwise the first step makes the optimizer's variables, and TensorFlow traces a step that makes variables twice:
    # almost a second more for each fit.
    model.optimizer.build(model.trainable_variables)
    return model


def progress_callback(progress, epochs):
    """A Keras callback that reports the share of the epochs done."""
    import keras

    return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress((epoch + 1) / epochs))


@dataclass
class FittedNetwork:
    """A trained Keras model.

    Attributes
    ----------
    name : str
        Name of its classifier.
    model : keras.Model
        The network, which reads a batch of inputs.
    """

    name: str
    model: object

    def predict(self, inputs):
        """Probability of the positive class for each input, shape (n,)."""
        # One at a time, as when serving: spectrograms have each their own length.
        batches = (np.asarray(x, dtype=np.float32)[None] for x in inputs)
        return np.array([float(self.model(batch, training=False)[0, 0]) for batch in batches])

    @property
    def parameters(self):
        """Number of parameters."""
        return self.model.count_params()

    def served(self):
        """The model as it answers: a function from one input to its probability."""
        return runtime.LiteRT(self._export())

    def save(self):
        """Serialise the model twice.

        Returns
        -------
        dict of str to bytes
            ``<name>.keras`` for people who go on training and ``<name>.tflite`` (LiteRT) for serving.
        """
        with _temporary("model.keras") as path:
            self.whole().save(path)
            return {f"{self.name}.keras": path.read_bytes(), f"{self.name}.tflite": self._export()}

    def whole(self):
        """The network from its input on."""
        return self.model

    def _export(self):
        with _temporary("model.tflite") as path:
            self.whole().export(path, format="litert", verbose=False)
            return path.read_bytes()


@contextlib.contextmanager
def _temporary(name):
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        yield Path(folder) / name
