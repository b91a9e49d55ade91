"""Networks trained side by side: each step equals that of Keras, and each network is as if trained alone."""

import itertools

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from coughlab.classifiers import batched, mlp

SIZES = (26, *mlp.WIDTHS, 1)


def rows(k=1, n=119, seed=0):
    """Rows of each of k networks; two features separate the classes."""
    rng = np.random.default_rng(seed)
    y = rng.permuted(np.tile(np.arange(n) % 2, (k, 1)), axis=1).astype(np.float32)
    x = rng.standard_normal((k, n, 26), dtype=np.float32)
    x[..., 3] += 2 * y
    x[..., 9] -= 2 * y
    return x, y


def train(x, y, *, seeds=None, widths=(64, 32), epochs=3, **options):
    seeds = range(len(x)) if seeds is None else seeds
    return batched.train(x, y, seeds=seeds, widths=widths, rate=0.01, epochs=epochs, **options)


def same(some, others):
    return all(
        np.array_equal(a, b)
        for one, other in zip(some, others, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def test_every_step_is_keras_s(monkeypatch):
    """Same initial weights, same order of the rows; the last step of an epoch has 23 rows."""
    # With few units, none is so close to its threshold that rounding turns it on in only one implementation.
    monkeypatch.setattr(mlp, "WIDTHS", (32, 16))
    keras = mlp.neural.keras(seed=3)
    x, y = rows(k=2)
    epochs, models = 5, [mlp.build(np.zeros(26), np.ones(26)) for _ in x]
    started = np.stack([np.concatenate([part.ravel() for part in model.get_weights()]) for model in models])
    networks = batched.Perceptrons(started.copy(), (26, 32, 16, 1), 0.01)
    for _ in range(epochs):
        for start in range(0, x.shape[1], batched.BATCH):
            step = slice(start, start + batched.BATCH)
            networks.step(x[:, step], y[:, step])
    assert np.median(np.abs(networks.weights - started)) > 0.05
    for model, own_x, own_y, weights in zip(models, x, y, networks.weights, strict=True):
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
        model.fit(own_x, own_y, epochs=epochs, shuffle=False, verbose=0)
        expected = np.concatenate([part.ravel() for part in model.get_weights()])
        np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("n", [119, 64, 33, 8])
def test_a_network_does_not_depend_on_the_others(n):
    x, y = rows(k=5, n=n)
    seeds = [4, 8, 15, 16, 23]
    together = train(x, y, seeds=seeds)
    for i, own in enumerate(together):
        assert same([own], train(x[i : i + 1], y[i : i + 1], seeds=seeds[i : i + 1]))
    back = train(x[::-1], y[::-1], seeds=seeds[::-1])
    assert same(together, back[::-1])


def test_a_network_of_the_case_study_s_size_does_not_depend_on_the_others_or_on_threads():
    x, y = rows(k=3)
    with threadpool_limits(2):
        together = train(x, y, widths=mlp.WIDTHS)
    with threadpool_limits(1):
        alone = train(x[1:2], y[1:2], seeds=[1], widths=mlp.WIDTHS)
    assert same(together[1:2], alone)


def test_the_seed_decides_and_so_do_the_rows():
    x, y = rows()
    first = train(x, y, seeds=[5])
    assert same(first, train(x, y, seeds=[5]))
    assert not same(first, train(x, y, seeds=[6]))
    assert not same(first, train(*rows(seed=1), seeds=[5]))


def test_the_first_weights_are_glorot_s():
    weights = batched.glorot(SIZES, np.random.default_rng(0))
    assert weights.shape == (186_369,) and weights.dtype == np.float32
    layers = batched.by_layer(weights[None], SIZES)
    assert [layer.shape for layer in layers] == [
        (1, before + 1, after) for before, after in itertools.pairwise(SIZES)
    ]
    for layer, (before, after) in zip(layers, itertools.pairwise(SIZES), strict=True):
        limit = np.sqrt(6 / (before + after))
        assert not layer[0, -1].any()
        assert 0.9 * limit < np.abs(layer[0, :-1]).max() <= np.float32(limit)
        np.testing.assert_allclose(layer[0, :-1].std(), limit / np.sqrt(3), rtol=0.2)
    assert np.shares_memory(layers[0], weights)


def test_it_learns_what_can_be_learned():
    x, y = rows(k=2)
    unseen, truth = rows(k=2, seed=1)
    for i, layers in enumerate(train(x, y, epochs=20)):
        assert np.mean((batched.probabilities(layers, x[i]) >= 0.5) == y[i]) == 1
        assert np.mean((batched.probabilities(layers, unseen[i]) >= 0.5) == truth[i]) > 0.8


def test_an_answer_does_not_depend_on_the_other_rows():
    x, y = rows()
    (layers,) = train(x, y)
    answers = batched.probabilities(layers, x[0])
    assert answers.shape == (119,) and answers.dtype == np.float32
    assert [batched.probabilities(layers, row[None])[0] for row in x[0]] == answers.tolist()


def test_extreme_answers_stay_finite():
    x, y = rows()
    (layers,) = train(1000 * x, y, epochs=20)
    answers = batched.probabilities(layers, 1000 * x[0])
    assert np.all((answers >= 0) & (answers <= 1)) and {0.0, 1.0} & set(answers.tolist())


def test_progress_is_the_share_of_the_epochs():
    shares = []
    train(*rows(k=2, n=8), epochs=4, progress=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]
