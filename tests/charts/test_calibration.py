"""The reliability figure shows the points it is given."""

import numpy as np
import pytest

from coughlab.charts import calibration as charts
from coughlab.evaluation import calibration
from tests.evaluation.test_calibration import overconfident
from tests.tasks import COVID


def traces(figure, kind, name):
    return [trace for trace in figure.data if trace.type == kind and trace.name == name]


def test_points_intervals_and_answers_before_and_after():
    before = overconfident(0)
    before.loc[0, "probability"] = 1.0
    after, _ = calibration.recalibrated(before)
    figure = charts.reliability(before, after, task=COVID, bins=5)
    for rows, name in ((before, "as answered"), (after, "recalibrated")):
        (line,), (bars,) = traces(figure, "scatter", name), traces(figure, "bar", name)
        points = calibration.reliability(rows, bins=5)
        assert list(line.x) == points["predicted"].tolist() and list(line.y) == points["observed"].tolist()
        assert line.y + line.error_y.array == pytest.approx(points["high"].to_numpy())
        assert line.y - line.error_y.arrayminus == pytest.approx(points["low"].to_numpy())
        assert f"{points['people'][0]} people" in line.customdata[0]
        expected = np.histogram(rows["probability"], bins=20, range=(0, 1))[0] / len(rows)
        assert list(bars.y) == pytest.approx(expected.tolist())
    lines = [t for t in figure.data if t.type == "scatter" and t.name != "if every probability were right"]
    # Distinguishable without colour.
    assert lines[0].marker.symbol != lines[1].marker.symbol and lines[0].line.dash != lines[1].line.dash
    (right,) = traces(figure, "scatter", "if every probability were right")
    assert list(right.x) == list(right.y) == [0, 1]
    assert figure.layout.yaxis.title.text == "share that had COVID"
    assert figure.layout.xaxis2.title.text == "probability of COVID"
    assert "%{y:.0%} had COVID<br>(95% interval %{customdata})" in lines[0].hovertemplate


def test_without_recalibration_there_is_one_curve():
    rows = overconfident(1, n=6)
    figure = charts.reliability(rows[:1], task=COVID, bins=3)
    (line,) = traces(figure, "scatter", "as answered")
    assert "1 recording of 1 person" in line.customdata[0]
    assert not traces(figure, "scatter", "recalibrated") and not traces(figure, "bar", "recalibrated")
    (empty,) = traces(charts.reliability(rows[:0], task=COVID), "scatter", "as answered")
    assert not len(empty.x)
