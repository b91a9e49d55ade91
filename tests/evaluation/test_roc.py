"""Curves and thresholds, compared with scikit-learn and with their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_score, recall_score, roc_auc_score

from coughlab.evaluation import roc

examples = settings(max_examples=50, derandomize=True, deadline=None, database=None)


@st.composite
def answers(draw):
    """Labels of both classes and probabilities with ties, including 0 and 1."""
    n = draw(st.integers(2, 30))
    labels = [1, 0, *draw(st.lists(st.integers(0, 1), min_size=n - 2, max_size=n - 2))]
    tenths = st.integers(0, 10).map(lambda tenth: tenth / 10)
    probabilities = draw(st.lists(tenths | st.floats(0, 1), min_size=n, max_size=n))
    return np.array(labels), np.array(probabilities)


@examples
@given(answers())
def test_areas_are_those_of_scikit_learn(answered):
    for curve, area in (
        (roc.roc, roc_auc_score),
        (roc.precision_recall, average_precision_score),
    ):
        x, y = curve(*answered)
        assert (np.diff(x) >= 0).all() and x[0] == 0 and x[-1] == pytest.approx(1)
        assert np.trapezoid(y, x) == pytest.approx(area(*answered), abs=1e-9)


@examples
@given(answers())
def test_every_threshold_lies_on_the_curves(answered):
    labels, probabilities = answered
    for threshold in np.unique(probabilities):
        predicted = probabilities >= threshold
        recall = recall_score(labels, predicted)
        for (x, y), point in (
            (roc.roc(labels, probabilities), (predicted[labels == 0].mean(), recall)),
            (roc.precision_recall(labels, probabilities), (recall, precision_score(labels, predicted))),
        ):
            assert distance(x, y, point) < 1e-9


def distance(x, y, point):
    """The distance from a point to the nearest segment of a line."""
    start, end = np.stack([x[:-1], y[:-1]], axis=1), np.stack([x[1:], y[1:]], axis=1)
    along = ((point - start) * (end - start)).sum(axis=1) / np.maximum(
        ((end - start) ** 2).sum(axis=1), 1e-300
    )
    nearest = start + np.clip(along, 0, 1)[:, None] * (end - start)
    return np.hypot(*(nearest - point).T).min()


@examples
@given(answers())
def test_a_recall_that_is_reached_has_the_precision_of_the_highest_threshold_that_reaches_it(answered):
    labels, probabilities = answered
    recalls = np.arange(1, labels.sum() + 1) / labels.sum()
    precision, low, high = roc.band([roc.precision_recall(*answered)], recalls)
    assert (precision == low).all() and (precision == high).all()
    for recall, read in zip(recalls, precision, strict=True):
        predicted = probabilities >= roc.keeping_sensitivity(labels, probabilities, recall)
        assert read == pytest.approx(precision_score(labels, predicted))


def test_a_model_that_separates_all_rows():
    labels, probabilities = [True, False, True, False], [0.9, 0.2, 0.8, 0.1]
    grid = np.linspace(0, 1, 11)
    assert (roc.band([roc.roc(labels, probabilities)], grid)[0] == 1).all()
    # Only the corner points.
    assert [values.tolist() for values in roc.roc(labels, probabilities)] == [[0, 0, 1], [0, 1, 1]]
    assert (roc.band([roc.precision_recall(labels, probabilities)], grid)[0] == 1).all()
    assert roc.youden(labels, probabilities) == 0.8


@pytest.mark.parametrize("label", [True, False])
def test_rows_of_one_class_have_no_curve(label):
    labels, probabilities = [label] * 3, [0.1, 0.5, 0.9]
    for curve in (roc.roc, roc.precision_recall):
        x, y = curve(labels, probabilities)
        assert len(x) == len(y) == 0
    assert roc.youden(labels, probabilities) is None
    kept = roc.keeping_sensitivity(labels, probabilities, 0.6)
    assert kept == (0.5 if label else None)


def test_no_rows_have_no_curve():
    for curve in (roc.roc, roc.precision_recall):
        assert [len(values) for values in curve([], [])] == [0, 0]
    assert roc.youden([], []) is None and roc.keeping_sensitivity([], [], 0.9) is None


def test_a_band_is_the_mean_and_the_middle_of_the_curves():
    grid = np.array([0.0, 0.5, 1.0])
    many = [([0, 1], [level, level]) for level in np.linspace(0, 1, 201)]
    mean, low, high = roc.band([*many, (np.empty(0), np.empty(0))], grid)
    assert mean == pytest.approx([0.5] * 3)
    assert low == pytest.approx([0.025] * 3) and high == pytest.approx([0.975] * 3)


def test_a_band_of_no_curve_is_missing():
    for values in roc.band([(np.empty(0), np.empty(0))], [0.0, 0.5]):
        assert values.shape == (2,) and np.isnan(values).all()


@examples
@given(answers())
def test_youden_is_the_highest_of_the_best_thresholds(answered):
    labels, probabilities = answered

    def j(threshold):
        predicted = probabilities >= threshold
        return predicted[labels == 1].mean() - predicted[labels == 0].mean()

    best = max(map(j, probabilities))
    assert roc.youden(*answered) == max(p for p in probabilities if j(p) > best - 1e-12)


@examples
@given(answers(), st.sampled_from([0.1, 0.5, 0.8, 0.9, 0.95, 1.0]))
def test_the_highest_threshold_that_keeps_a_sensitivity(answered, sensitivity):
    labels, probabilities = answered
    kept = roc.keeping_sensitivity(labels, probabilities, sensitivity)
    assert recall_score(labels, probabilities >= kept) >= sensitivity
    assert recall_score(labels, probabilities >= np.nextafter(kept, 2)) < sensitivity
