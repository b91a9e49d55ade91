"""Projections of standardised columns to two dimensions, for charts."""

import numpy as np
from numpy.typing import ArrayLike

#: Neighbours that t-SNE balances each row against; its authors advise 5 to 50.
PERPLEXITY = 30


def pca(values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal components of standardised columns: scores (n, 2) and their shares of the total variance (2,)."""
    left, spread, right = np.linalg.svd(standardised(values), full_matrices=False)
    # The sign of a component is arbitrary: the largest weight is made positive, so that it does not depend on the library.
    way = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    variance = spread**2
    return (left * spread * way)[:, :2], variance[:2] / variance.sum()


def tsne(values: ArrayLike, *, seed: int = 0) -> np.ndarray:
    """Standardised columns projected by t-SNE, shape (n, 2), without a unit; long distances have no meaning.

    L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    values = standardised(values)
    # A row has no more neighbours than there are other rows.
    perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
    # A random start, because with a start from the principal components the seed would have no effect.
    layout = TSNE(perplexity=perplexity, init="random", random_state=seed)
    # One thread: on a busy processor, several would spend more time waiting than computing.
    with threadpool_limits(1):
        return layout.fit_transform(values)


def standardised(values: ArrayLike) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1, in double precision; a constant column becomes 0."""
    values = np.asarray(values, dtype=float)
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
