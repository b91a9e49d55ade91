"""The CNN and the augmentations in its training."""

import numpy as np
import pytest

from coughlab.classifiers import cnn
from coughlab.classifiers.cnn import CNN, EXCERPT, augment, fit
from coughlab.features.inputs import SHORTEST_FRAMES
from coughlab.features.spectrum import FLOOR_DB


def spectrograms(n, seed=0, frames=(43, 120)):
    """Log-mel spectrograms of noise with different lengths."""
    rng = np.random.default_rng(seed)
    return [rng.normal(-50, 8, (rng.integers(*frames), 64)).astype(np.float32) for _ in range(n)]


@pytest.fixture(scope="module")
def fitted():
    labels = np.arange(18) % 2
    return fit(spectrograms(18), labels, seed=0, epochs=1)


def test_it_is_small(fitted):
    assert 80_000 < fitted.parameters < 120_000
    assert fitted.parameters == cnn.build().count_params()


@pytest.mark.parametrize("frames", [SHORTEST_FRAMES, 44, 47, 216, 1000, 2584])
def test_it_reads_any_duration(fitted, frames):
    (answer,) = fitted.predict([np.full((frames, 64), -40, np.float32)])
    assert 0 <= answer <= 1


def test_answers_do_not_depend_on_the_other_inputs(fitted):
    several = spectrograms(4, seed=7)
    together = fitted.predict(several)
    assert together.shape == (4,)
    assert together.tolist() == [fitted.predict([one])[0] for one in several]


def test_the_seed_decides():
    labels, inputs, asked = np.arange(18) % 2, spectrograms(18), spectrograms(5, seed=1)
    first, again, other = (fit(inputs, labels, seed=seed, epochs=1).predict(asked) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_training_leaves_the_inputs_as_they_were():
    inputs = spectrograms(4)
    fit(inputs, [0, 1, 0, 1], seed=0, epochs=1)
    for before, after in zip(spectrograms(4), inputs, strict=True):
        assert np.array_equal(before, after)


def test_progress_is_the_share_of_the_epochs():
    shares = []
    fit(spectrograms(4), [0, 1, 0, 1], seed=0, epochs=2, progress=shares.append)
    assert shares == [0.5, 1.0]
    assert CNN.epochs == 60


def learned_prior(n, positives):
    """The probability that it learns from inputs without information: the same for every row."""
    inputs = [spectrograms(1)[0]] * n
    labels = np.arange(n) < positives
    fitted = fit(inputs, labels, seed=0, epochs=25)
    # With the statistics of the batch: 25 steps are too few for the running statistics.
    rng = np.random.default_rng(1)
    batch = np.stack([augment(inputs[0], rng) for _ in range(32)])
    return float(np.mean(fitted.model(batch, training=True)))


def test_both_classes_have_the_same_weight():
    # Without class weights it would learn 1/8.
    assert learned_prior(16, 2) == pytest.approx(0.5, abs=0.15)


# The parts of `augment`, one at a time.

RNG_SEEDS = range(25)


def altered(db, seed):
    return augment(db, np.random.default_rng(seed))


@pytest.mark.parametrize("frames", [43, 215, 216, 217, 1000])
def test_an_excerpt_has_one_shape_and_is_never_below_the_floor(frames):
    for seed in RNG_SEEDS:
        db = altered(np.full((frames, 64), -95, np.float32), seed)
        assert db.shape == (EXCERPT, 64) and db.dtype == np.float32
        assert db.min() >= FLOOR_DB - 1e-4
        assert np.all(np.isfinite(db))


def test_alterations_follow_the_generator_and_leave_the_input_alone():
    (db,) = spectrograms(1)
    before = db.copy()
    assert np.array_equal(altered(db, 3), altered(db, 3))
    assert not np.array_equal(altered(db, 3), altered(db, 4))
    rng = np.random.default_rng(3)
    assert not np.array_equal(augment(db, rng), augment(db, rng))
    assert np.array_equal(db, before)


def masked(db):
    """Rows and columns with a constant value."""
    value = np.bincount(np.unique(db, return_inverse=True)[1].ravel()).argmax()
    same = db == np.unique(db)[value]
    return same.all(axis=1), same.all(axis=0)


def test_excerpts_begin_anywhere_and_wrap_around():
    # The level of a frame identifies it; the loudest band is at most 40 dB above the noise.
    n = 300
    db = np.full((n, 64), -90.0, np.float32)
    db[:, :32] = np.linspace(0, 30, n, dtype=np.float32)[:, None]
    starts, wrapped = [], 0
    for seed in RNG_SEEDS:
        got = altered(db, seed)
        level = np.median(got[:, :32], axis=1)
        level = level[~masked(got)[0]]
        steps = np.diff(level)
        wrapped += np.any(steps < -20)
        starts.append(level[0] - level.max())
        # Except for one jump back to the first frame, the levels keep rising.
        assert np.median(steps) == pytest.approx(30 / (n - 1), abs=0.02)
    assert len({round(start) for start in starts}) > 5
    assert 0 < wrapped < len(RNG_SEEDS)


def test_excerpts_are_louder_or_quieter_by_up_to_12_db():
    db = np.zeros((216, 64), np.float32)
    gains = [np.median(altered(db, seed)) for seed in range(200)]
    assert -12.1 < min(gains) < -10
    assert 10 < max(gains) < 12.1
    assert abs(np.mean(gains)) < 1.5


def test_noise_is_added_from_40_db_below_the_peak_down():
    db = np.full((216, 64), -100.0, np.float32)
    db[:, :16] = 0
    floors = []
    for seed in range(100):
        got = altered(db, seed)
        floors.append(np.median(got[:, 16:]) - got[:, :16].max())
    assert max(floors) < -38
    assert max(floors) > -50 and min(floors) < -85
    loud = altered(db, int(np.argmax(floors)))[:, 16:]
    # White noise: exponentially distributed power, with a standard deviation equal to its mean.
    rows, columns = masked(loud)
    power = 10 ** (loud[~rows][:, ~columns] / 10)
    assert power.std() / power.mean() == pytest.approx(1, abs=0.2)


def test_parts_are_masked_with_the_mean():
    times, bands = [], []
    for seed in range(200):
        rows, columns = masked(altered(spectrograms(1, frames=(216, 217))[0], seed))
        for found, widths in ((rows, times), (columns, bands)):
            where = np.flatnonzero(found)
            widths.append(where.size)
            assert where.size == 0 or where.size == where[-1] - where[0] + 1
    assert (min(times), max(times)) == (0, 24)
    assert (min(bands), max(bands)) == (0, 8)


def test_masks_reach_the_whole_spectrogram():
    rows, columns = np.zeros(EXCERPT, bool), np.zeros(64, bool)
    for seed in range(300):
        masked_rows, masked_columns = masked(altered(spectrograms(1, frames=(216, 217))[0], seed))
        rows |= masked_rows
        columns |= masked_columns
    assert rows[:-1].all()
    assert columns[:-1].all()
