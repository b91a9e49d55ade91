"""Many features in two dimensions, for the eye: projections of standardised columns."""

import numpy as np

#: Neighbours that t-SNE balances each row against; its authors advise 5 to 50.
PERPLEXITY = 30


def pca(values):
    """The first two principal components of standardised columns.

    Parameters
    ----------
    values : array-like, shape (n, m)
        One row a recording, n and m at least 2.

    Returns
    -------
    coordinates : ndarray, shape (n, 2)
        Component scores.
    explained : ndarray, shape (2,)
        Share of the total variance that each component holds.
    """
    left, spread, right = np.linalg.svd(standardised(values), full_matrices=False)
    # A component may point either way: so that it does not depend on the library, its largest weight is positive.
    way = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    variance = spread**2
    return (left * spread * way)[:, :2], variance[:2] / variance.sum()


def tsne(values, *, seed=0):
    """Standardised columns laid out by t-SNE, which keeps near rows near and says nothing by far distances.

    L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.

    Parameters
    ----------
    values : array-like, shape (n, m)
        One row a recording, n and m at least 2.
    seed : int
        Seed of the layout.

    Returns
    -------
    ndarray, shape (n, 2)
        Coordinates without a unit.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    values = standardised(values)
    # A row has no more neighbours than there are other rows.
    perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
    # A random start, because one from the principal components would leave the seed without effect.
    layout = TSNE(perplexity=perplexity, init="random", random_state=seed)
    # One thread: several wait for each other longer than they compute where the processor has other work too.
    with threadpool_limits(1):
        return layout.fit_transform(values)


def standardised(values):
    """Columns with mean 0 and standard deviation 1; a constant column becomes 0.

    Parameters
    ----------
    values : array-like, shape (n, m)
        One row a recording.

    Returns
    -------
    ndarray, shape (n, m)
        Standardised columns, in double precision.
    """
    values = np.asarray(values, dtype=float)
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
