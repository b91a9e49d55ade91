"""The measured level of recordings with a known level."""

import numpy as np
import pytest

from coughlab.features.levels import background_db, levels
from tests.recordings import coughs, recorded


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
def test_levels_are_in_decibels_of_full_scale(rate):
    t = np.arange(rate) / rate
    amplitude = np.where(t < 0.5, 0.5, 0.05)
    db = levels(recorded(amplitude * np.sin(2 * np.pi * 1000 * t), rate))
    assert db.shape == (99,)
    np.testing.assert_allclose(db[:48], 20 * np.log10(0.5 / np.sqrt(2)), atol=0.1)
    np.testing.assert_allclose(db[51:], 20 * np.log10(0.05 / np.sqrt(2)), atol=0.1)


def test_levels_have_a_floor():
    assert levels(recorded(np.zeros(16_000), 16_000)).tolist() == [-100.0] * 99


def test_background_is_the_level_between_the_coughs():
    db = levels(coughs(noise=1e-3))
    assert background_db(db) == pytest.approx(-60, abs=1)
