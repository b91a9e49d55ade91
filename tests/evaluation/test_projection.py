"""Projections of a table into two dimensions."""

import numpy as np
import pytest

from coughlab.evaluation import projection


def clouds(n=40, m=6, seed=0):
    """Two well separated clouds, in columns of very different scales."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, m)) + 8 * (np.arange(n) % 2)[:, None]
    return values * 10.0 ** np.arange(m)


def test_principal_components_are_those_of_the_correlation_matrix():
    values = clouds()
    coordinates, explained = projection.pca(values)
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(values, rowvar=False))[::-1]
    np.testing.assert_allclose(explained, eigenvalues[:2] / eigenvalues.sum())
    np.testing.assert_allclose(coordinates.var(axis=0), eigenvalues[:2])
    np.testing.assert_allclose(np.corrcoef(coordinates, rowvar=False), np.eye(2), atol=1e-10)
    # The sign is arbitrary but fixed: a component grows with the feature of the largest weight.
    for weights in (projection.standardised(values).T @ coordinates).T:
        assert weights[np.abs(weights).argmax()] > 0


def test_units_do_not_matter():
    values = clouds()
    in_other_units = values * np.logspace(-3, 3, values.shape[1]) + 5
    np.testing.assert_allclose(projection.pca(values)[0], projection.pca(in_other_units)[0], atol=1e-8)


def test_a_constant_column_has_no_effect():
    values = clouds()
    with_constant = np.column_stack([values, np.full(len(values), 3.0)])
    np.testing.assert_allclose(projection.pca(values)[0], projection.pca(with_constant)[0], atol=1e-8)
    assert (projection.standardised(with_constant)[:, -1] == 0).all()


def test_tsne_keeps_neighbours_together():
    cloud = np.arange(40) % 2
    coordinates = projection.tsne(clouds())
    assert coordinates.shape == (40, 2)
    distance = np.linalg.norm(coordinates[:, None] - coordinates, axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (cloud[distance.argmin(axis=1)] == cloud).all()


def test_tsne_follows_its_seed():
    values = clouds()
    np.testing.assert_array_equal(projection.tsne(values, seed=1), projection.tsne(values, seed=1))
    assert not np.allclose(projection.tsne(values, seed=1), projection.tsne(values, seed=2))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_rows_can_be_projected(n):
    assert projection.tsne(clouds(n)).shape == (n, 2)
    assert projection.pca(clouds(n))[0].shape == (n, 2)
