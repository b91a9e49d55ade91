"""Bursts in recordings with sounds at known times."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coughlab.audio import synthetic
from coughlab.detector.training.bursts import SHORTEST_S, find
from tests.recordings import coughs, recorded

RATE = 16_000


def noise(seconds, level, seed=0):
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def bursts(*spans, seconds=3.0, level=0.3, background=1e-4):
    """Noise that is loud in the spans (start, end) or (start, end, level)."""
    y = noise(seconds, background)
    for start, end, *own in spans:
        at = slice(round(start * RATE), round(end * RATE))
        y[at] = noise(seconds, *(own or [level]), seed=1)[at]
    return recorded(y, RATE)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("background", [0, 1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("onsets", [(0.5, 1.4, 2.2), (0.0,), (0.3, 2.9), (0.2, 0.8, 1.4, 2.0, 2.6)])
def test_coughs_are_found_where_they_are(rate, background, onsets):
    found = find(coughs(onsets_s=onsets, rate=rate, noise=background, seed=len(onsets)))
    assert len(found) == len(onsets)
    for (start, end), onset in zip(found, onsets, strict=True):
        assert start == pytest.approx(onset, abs=0.04)
        # A synthetic cough lasts 0.4 s and fades before its end.
        assert onset + 0.15 < end <= onset + 0.42


@pytest.mark.parametrize("gain", [1e-2, 0.1, 1.0, 100.0])
def test_level_does_not_matter(gain):
    assert find(recorded(gain * synthetic.recording())) == find(coughs())


@pytest.mark.parametrize("offset", [-0.4, 0.3])
def test_a_constant_offset_does_not_matter(offset):
    assert find(recorded(synthetic.recording() + offset)) == find(coughs())


@pytest.mark.parametrize("level", [1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("seconds", [0.1, 1.0, 10.0])
def test_noise_has_no_bursts(level, seconds):
    assert find(recorded(noise(seconds, level), RATE)) == []


def test_silence_and_a_steady_tone_have_no_bursts():
    assert find(recorded(np.zeros(RATE), RATE)) == []
    assert find(recorded(0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE), RATE)) == []


def test_a_click_is_not_a_burst():
    y = noise(2.0, 1e-4)
    y[RATE : RATE + 16] = 0.9
    assert find(recorded(y, RATE)) == []


def test_bursts_are_joined_over_a_short_pause_only():
    near = find(bursts((0.5, 0.7), (0.76, 0.9)))
    far = find(bursts((0.5, 0.7), (0.9, 1.1)))
    assert near == [(pytest.approx(0.5, abs=0.03), pytest.approx(0.9, abs=0.03))]
    assert [start for start, _ in far] == pytest.approx([0.5, 0.9], abs=0.03)
    assert [end for _, end in far] == pytest.approx([0.7, 1.1], abs=0.03)


def test_breathing_far_below_the_coughs_is_not_a_burst():
    # All are far above the background; only the louder ones are within 25 dB of the peak.
    recording = bursts((0.5, 0.9), (1.5, 1.9, 0.3 * 10 ** (-30 / 20)), (2.3, 2.7, 0.3 * 10 ** (-15 / 20)))
    assert [start for start, _ in find(recording)] == pytest.approx([0.5, 2.3], abs=0.03)


def test_a_burst_lasts_while_the_level_stays_near_its_opening():
    # Background -80 dB, burst -10 dB, so it opens at -35 dB and closes at -45 dB: the tail at -40 dB belongs to it, one at
    # -60 dB does not.
    tail = find(bursts((0.5, 0.7), (0.7, 1.0, 0.01)))
    no_tail = find(bursts((0.5, 0.7), (0.7, 1.0, 0.001)))
    assert tail == [(pytest.approx(0.5, abs=0.03), pytest.approx(1.0, abs=0.03))]
    assert no_tail == [(pytest.approx(0.5, abs=0.03), pytest.approx(0.7, abs=0.03))]


def test_a_burst_that_is_cut_off_ends_with_the_recording():
    recording = bursts((2.5, 3.0))
    ((start, end),) = find(recording)
    assert start == pytest.approx(2.5, abs=0.03)
    assert end == recording.duration


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.floats(0, 2.8), st.floats(0.005, 0.6), st.integers(-50, 0)), max_size=8),
    st.sampled_from([0.0, 1e-5, 1e-3, 1e-2]),
)
def test_bursts_are_ordered_separate_and_inside_the_recording(sounds, background):
    recording = bursts(
        *((start, min(start + length, 3.0), 10 ** (level / 20)) for start, length, level in sounds),
        background=background,
    )
    found = find(recording)
    for start, end in found:
        assert 0 <= start < end <= recording.duration
        assert end - start >= SHORTEST_S - 1e-9
    for (_, end), (start, _) in pairwise(found):
        assert start > end
