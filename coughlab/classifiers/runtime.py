"""Runs saved models without the libraries that trained them: LiteRT for networks, NumPy for the nearest neighbour."""

import io
import threading
from pathlib import Path

import numpy as np


class LiteRT:
    """A LiteRT model for one input of any length; `content` is the ``.tflite`` file's bytes or path."""

    def __init__(self, content: bytes | str | Path):
        from ai_edge_litert.interpreter import Interpreter

        source = {"model_content": content} if isinstance(content, bytes) else {"model_path": str(content)}
        # One thread: the sums are then in the same order, so that all machines give the same digits.
        self._interpreter = Interpreter(**source, num_threads=1)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._shape: tuple[int, ...] | None = None
        self._lock = threading.Lock()

    def __call__(self, x: np.ndarray) -> float:
        """Probability of the positive class for one input."""
        return float(self.outputs(x)[0])

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """All outputs of the model for one input."""
        batch = np.asarray(x, dtype=np.float32)[None]
        with self._lock:
            if batch.shape != self._shape:
                self._interpreter.resize_tensor_input(self._input, batch.shape)
                self._interpreter.allocate_tensors()
                self._shape = batch.shape
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output)[0]


class Nearest:
    """The label of the training row nearest to a row, both scaled to unit L1 norm, by Euclidean distance.

    scikit-learn takes thirty times longer for one row, and needs 45 MB.

    `content` is the ``.npz`` file's bytes or path, with ``rows``, shape (n, n_features), scaled, and ``labels``, shape (n,), 1
    for the positive class.
    """

    def __init__(self, content: bytes | str | Path):
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        with np.load(source, allow_pickle=False) as file:
            self._rows, self._labels = file["rows"], file["labels"]

    def __call__(self, x: np.ndarray) -> float:
        """Probability of the positive class for one input: 0 or 1."""
        x = np.asarray(x, dtype=self._rows.dtype)
        x = x / (np.abs(x).sum() or 1)
        distances = np.square(self._rows - x, dtype=float).sum(axis=1)
        return float(self._labels[distances.argmin()])
