"""Multilayer perceptrons of one shape trained side by side in NumPy: every array has a leading axis of networks.

With small networks, a library's overhead takes longer than the arithmetic. Here one step of all networks is about thirty calls.
The result of a network does not depend on the others, to the last bit: each has separate products, and all else works element by
element.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from coughlab.system.progress import Share, silent

#: Rows per step: Keras's default.
BATCH = 32
#: Adam's decay of the mean and of the mean square of the gradients, and its epsilon, which avoids a division by 0; as in Keras.
DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-7
#: Weights that Adam updates at a time, so that its five arrays stay in a core's cache of 1 MB.
BLOCK = 2**15


def glorot(sizes: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Initial weights: uniform as by X. Glorot and Y. Bengio (AISTATS 2010), biases 0; float32, shape (n_weights,).

    `sizes` are the number of inputs and of each layer's units. The layers follow one another; each is a matrix of inputs by
    units, its last row the bias.
    """
    layers = []
    for inputs, units in itertools.pairwise(sizes):
        limit = np.sqrt(6 / (inputs + units))
        layers += [rng.uniform(-limit, limit, inputs * units), np.zeros(units)]
    return np.concatenate(layers).astype(np.float32)


def by_layer(weights: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    """Views of each layer, shape (k, n_inputs + 1, n_units), in weights of `glorot`, shape (k, n_weights)."""
    shapes = [(inputs + 1, units) for inputs, units in itertools.pairwise(sizes)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    parts = np.split(weights, ends, axis=1)
    return [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]


class Perceptrons:
    """Networks of one shape side by side: ReLU layers and one sigmoid unit, trained with Adam on the binary cross-entropy.

    Parameters
    ----------
    weights : ndarray of float32, shape (k, n_weights)
        Initial weights, as `glorot` makes them; they are changed in place.
    sizes : sequence of int
        As for `glorot`; the last is 1.
    rate : float
        Adam's learning rate.
    """

    def __init__(self, weights: np.ndarray, sizes: Sequence[int], rate: float):
        self.weights, self.sizes, self.rate = weights, sizes, rate
        self._steps = 0
        self._gradient, self._mean, self._square = (np.zeros_like(weights) for _ in range(3))
        self._layers, self._gradients = by_layer(weights, sizes), by_layer(self._gradient, sizes)
        k = len(weights)
        # The last column stays 1, so that the bias is the weight of an ordinary input.
        self._values = [np.ones((k, BATCH, size + 1), np.float32) for size in sizes]
        # Units come before rows here: OpenBLAS takes half as long again if it has to transpose the weights.
        self._errors = [np.empty((k, size, BATCH), np.float32) for size in sizes]
        self._on = [np.empty((k, size, BATCH), bool) for size in sizes]
        self._scratch = np.empty(BLOCK, np.float32)

    def step(self, x: np.ndarray, y: np.ndarray) -> None:
        """One gradient step of each network on the mean loss over its own rows, up to `BATCH` of them.

        `x` is float32, shape (k, n, n_inputs); `y` is float32, shape (k, n), 0 or 1.
        """
        # Imported late, here and below: answering a request imports all classifiers, but needs no SciPy.
        from scipy.special import expit

        n = x.shape[1]
        values = [value[:, :n] for value in self._values]
        errors = [error[:, :, :n] for error in self._errors]
        values[0][..., :-1] = x
        for layer, before, after in zip(self._layers, values, values[1:], strict=False):
            out = np.matmul(before, layer, out=after[..., :-1])
            if after is not values[-1]:
                np.maximum(out, 0, out=out)
        # The derivative of the cross-entropy with respect to the input of the sigmoid.
        errors[-1][:, 0] = (expit(values[-1][..., 0]) - y) / np.float32(n)
        for i in reversed(range(len(self._layers))):
            if i:
                on = np.greater(values[i][..., :-1].swapaxes(1, 2), 0, out=self._on[i][:, :, :n])
                np.matmul(self._layers[i][:, :-1], errors[i + 1], out=errors[i])
                np.multiply(errors[i], on, out=errors[i])
            np.matmul(values[i].swapaxes(1, 2), errors[i + 1].swapaxes(1, 2), out=self._gradients[i])
        self._adam()

    def _adam(self):
        """A step of D. P. Kingma and J. Ba, "Adam", ICLR 2015, in the order of operations at the end of their section 2.

        The means are stored without their factors of 1 - decay, which saves passes over the weights.
        """
        self._steps += 1
        corrected = np.sqrt(1 - SQUARE_DECAY**self._steps) / (1 - DECAY**self._steps)
        unscaled = np.sqrt(1 - SQUARE_DECAY)
        rate = np.float32(self.rate * corrected * (1 - DECAY) / unscaled)
        epsilon = np.float32(EPSILON / unscaled)
        arrays = [a.ravel() for a in (self.weights, self._gradient, self._mean, self._square)]
        for start in range(0, arrays[0].size, BLOCK):
            weights, gradient, mean, square = (a[start : start + BLOCK] for a in arrays)
            step = self._scratch[: weights.size]
            np.multiply(mean, np.float32(DECAY), out=mean)
            np.add(mean, gradient, out=mean)
            np.multiply(square, np.float32(SQUARE_DECAY), out=square)
            np.multiply(gradient, gradient, out=gradient)
            np.add(square, gradient, out=square)
            np.sqrt(square, out=step)
            np.add(step, epsilon, out=step)
            np.divide(mean, step, out=step)
            np.multiply(step, rate, out=step)
            np.subtract(weights, step, out=weights)


def train(
    x: np.ndarray,
    y: np.ndarray,
    *,
    seeds: Sequence[int],
    widths: Sequence[int],
    rate: float,
    epochs: int,
    progress: Share = silent,
) -> list[list[np.ndarray]]:
    """Train networks side by side, each on its own rows, in a new order every epoch.

    Parameters
    ----------
    x : ndarray of float32, shape (k, n, n_inputs)
        The rows of each network, standardised.
    y : ndarray of float32, shape (k, n)
        0 or 1.
    seeds : sequence of int, length k
        Seed of each network's first weights and of the order of its rows.
    widths : sequence of int
        Units of the hidden layers.
    rate : float
        Adam's learning rate.

    Returns
    -------
    list of list of ndarray
        The layers of each network, shape (n_inputs + 1, n_units) each, as in `by_layer`.
    """
    sizes = (x.shape[2], *widths, 1)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    networks = Perceptrons(np.stack([glorot(sizes, rng) for rng in rngs]), sizes, rate)
    # With several threads the order of the sums would depend on the number of threads.
    with threadpool_limits(1, user_api="blas"):
        for epoch in range(epochs):
            order = np.stack([rng.permutation(x.shape[1]) for rng in rngs])
            for start in range(0, x.shape[1], BATCH):
                rows = order[:, start : start + BATCH]
                networks.step(np.take_along_axis(x, rows[..., None], 1), np.take_along_axis(y, rows, 1))
            progress((epoch + 1) / epochs)
    return [list(own) for own in zip(*by_layer(networks.weights, sizes), strict=True)]


def probabilities(layers: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Probabilities that one network of `train` gives standardised rows: float32, shape (n,).

    Each row's probability does not depend, to the last bit, on the rows beside it.
    """
    from scipy.special import expit

    # A separate product for each row.
    values = x[:, None]
    for i, layer in enumerate(layers):
        values = (np.maximum(values, 0) if i else values) @ layer[:-1] + layer[-1]
    return expit(values[:, 0, 0])
