"""Shared by the Keras classifiers: a reproducible fit, and saving for further training and for serving."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from coughlab.classifiers import runtime
from coughlab.system.progress import Share

if TYPE_CHECKING:
    from keras import Model
    from keras.callbacks import Callback
    from keras.optimizers import Optimizer


def keras(seed: int | None = None, threads: int | None = None) -> ModuleType:
    """Import Keras on TensorFlow, without log output, and make the following work reproducible.

    Parameters
    ----------
    seed : int, optional
        Seed of Python's, NumPy's and TensorFlow's generators. From then on TensorFlow runs its deterministic kernels.
    threads : int, optional
        How many threads TensorFlow may use, in a process that has not used it yet.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow

    if threads:
        # Refused once TensorFlow has started to work, as in tests; the number of threads then stays as it is.
        with contextlib.suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
            tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    if seed is not None:
        keras.utils.set_random_seed(seed)
        tensorflow.config.experimental.enable_op_determinism()
    return keras


def train(
    model: Model,
    optimizer: Optimizer,
    *rows: object,
    epochs: int,
    progress: Share,
    callbacks: Sequence[Callback] = (),
    **options: object,
) -> None:
    """Train on the binary cross-entropy; `rows` and `options` are those of Keras's ``fit``."""
    report = keras().callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress((epoch + 1) / epochs))
    model.compile(optimizer, "binary_crossentropy")
    # Otherwise the first step creates the optimizer's variables, and TensorFlow traces such a step twice: almost a second more
    # for each fit.
    model.optimizer.build(model.trainable_variables)
    with _interrupted_between_steps() as check:
        between = keras().callbacks.LambdaCallback(on_train_batch_end=check)
        model.fit(*rows, epochs=epochs, verbose=0, callbacks=[report, between, *callbacks], **options)


@contextlib.contextmanager
def _interrupted_between_steps() -> Iterator[Callable]:
    """Hold Ctrl+C back until a step has ended: within TensorFlow's own code it crashed 3 of 44 trainings (signal 11)."""
    held: list[int] = []

    def check(*_: object, **__: object) -> None:
        if held:
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    usual = signal.getsignal(signal.SIGINT)
    if not main or usual is not signal.default_int_handler:
        yield check
        return
    signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, usual)
    check()


@dataclass
class FittedNetwork:
    """A trained Keras model, whose input is a batch, and the name of its classifier."""

    name: str
    model: Model

    def predict(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Probability of the positive class for each input, shape (n,)."""
        # One at a time, as when serving, because spectrograms differ in length.
        batches = (np.asarray(x, dtype=np.float32)[None] for x in inputs)
        return np.array([float(self.model(batch, training=False)[0, 0]) for batch in batches])

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return self.model.count_params()

    def served(self) -> runtime.LiteRT:
        """The serving function: from one input to its probability."""
        return runtime.LiteRT(self._export())

    def save(self) -> dict[str, bytes]:
        """``<name>.keras`` for further training, and ``<name>.tflite`` (LiteRT) for serving."""
        with _temporary("model.keras") as path:
            self.whole().save(path)
            return {f"{self.name}.keras": path.read_bytes(), f"{self.name}.tflite": self._export()}

    def whole(self) -> Model:
        """The whole network, from its input on."""
        return self.model

    def _export(self):
        with _temporary("model.tflite") as path:
            self.whole().export(path, format="litert", verbose=False)
            return path.read_bytes()


@contextlib.contextmanager
def _temporary(name):
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        yield Path(folder) / name
