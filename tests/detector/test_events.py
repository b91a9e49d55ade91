"""Coughs from the probabilities of moments."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coughlab.detector import events

STEP = events.STEP_S


def found(probabilities, threshold=0.8):
    tracker = events.Tracker(threshold)
    return tracker.push(probabilities) + tracker.finish()


def moments(*spans, n=100, low=0.0):
    """Probabilities with given values in the spans (start, end, probability), in moments."""
    p = np.full(n, low)
    for start, end, probability in spans:
        p[start:end] = probability
    return p


def test_a_cough_has_start_end_and_probability():
    (event,) = found(moments((20, 30, 0.9)))
    assert (event.start_s, event.end_s) == pytest.approx((20 * STEP, 30 * STEP))
    assert event.probability == pytest.approx(0.9)


def test_below_the_threshold_there_is_none():
    assert found(moments((20, 30, 0.79))) == []
    assert len(found(moments((20, 30, 0.8)))) == 1


def test_one_moment_is_not_enough_at_any_probability():
    assert found(moments((20, 21, 1.0))) == []


def test_a_cough_lasts_while_its_moments_are_likely():
    (event,) = found(moments((20, 30, 0.9), (30, 35, events.KEEP), (35, 50, events.KEEP - 0.01)))
    assert event.end_s == pytest.approx(35 * STEP)


@pytest.mark.parametrize("likely", [(5, 12, 0.75), (50, 57, 0.75)])
def test_near_a_certain_cough_a_likely_one_counts(likely):
    assert found(moments(likely)) == []
    both = found(moments(likely, (30, 40, 0.9)))
    assert [event.probability for event in both] == pytest.approx(
        [probability for _, _, probability in sorted([likely, (30, 40, 0.9)])]
    )
    assert len(found(moments((*likely[:2], 0.45), (30, 40, 0.9)))) == 1


@pytest.mark.parametrize("sure_first", [True, False])
def test_far_from_a_certain_cough_a_likely_one_does_not_count(sure_first):
    gap = round(events.BESIDE_S / STEP)
    for extra, number in ((-2, 2), (2, 1)):
        spans = [(10, 20), (20 + gap + extra, 30 + gap + extra)]
        p = [0.9, 0.75] if sure_first else [0.75, 0.9]
        heard = found(moments(*((*span, q) for span, q in zip(spans, p, strict=True)), n=gap + 100))
        assert len(heard) == number


def test_a_pause_separates_two_coughs_and_a_gap_of_a_moment_does_not():
    assert len(found(moments((20, 30, 0.9), (31, 40, 0.9)))) == 1
    assert len(found(moments((20, 30, 0.9), (33, 40, 0.9)))) == 2


def test_a_very_long_event_is_cut():
    lengths = [event.end_s - event.start_s for event in found(moments((0, 400, 0.9), n=400))]
    assert len(lengths) > 1 and max(lengths) <= events.LONGEST_S + 1e-9
    assert sum(lengths) == pytest.approx(400 * STEP)


def test_a_cough_ends_with_the_recording():
    tracker = events.Tracker(0.6)
    assert tracker.push(moments((90, 100, 0.9))) == []
    ((event),) = tracker.finish(99.5 * STEP)
    assert event.end_s == pytest.approx(99.5 * STEP)


def test_the_highest_probability_is_that_of_the_coughs_found():
    tracker = events.Tracker(0.6)
    tracker.push(moments((10, 20, 0.7), (40, 50, 0.9), (60, 70, 0.5)))
    assert tracker.highest == pytest.approx(0.9)
    tracker = events.Tracker(0.6)
    tracker.push(moments((60, 70, 0.5)))
    assert tracker.highest == pytest.approx(0.5)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(
    st.lists(st.floats(0, 1), max_size=200),
    st.lists(st.integers(0, 200), max_size=10),
    st.floats(0.5, 0.95),
)
def test_pieces_give_the_same_events_as_the_whole(probabilities, cuts, threshold):
    pieces = np.split(np.array(probabilities), sorted(cut for cut in cuts if cut <= len(probabilities)))
    tracker, heard = events.Tracker(threshold), []
    for piece in pieces:
        heard += tracker.push(piece)
    heard += tracker.finish()
    assert heard == found(probabilities, threshold)
    least = events.BESIDE * threshold
    assert all(least - 1e-4 <= event.probability <= tracker.highest + 1e-4 for event in heard)
    assert bool(heard) == (tracker.highest >= threshold)
    for before, after in pairwise(heard):
        assert before.end_s <= after.start_s
