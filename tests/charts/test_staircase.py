"""The staircase chart shows the numbers, the intervals and the reasons of its steps."""

import pytest

from coughlab.charts import staircase as charts
from coughlab.evidence import steps
from tests import evidences
from tests.tasks import COVID

WHY = {"source-balanced": "Cannot be made: no source has recordings of both labels."}


def staircase(model="mlp", metric="roc_auc", evidence=None):
    evidence = evidences.kaggle_trial() if evidence is None else evidence
    table = steps.steps("kaggle-trial", evidence, model, metric, reasons=WHY)
    return charts.staircase(table, study="kaggle-trial", title="MLP", task=COVID)


def texts(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def named(figure, name):
    return [trace for trace in figure.data if trace.legendgroup == name]


def test_every_step_has_a_point_an_interval_and_its_baselines():
    figure = staircase()
    points = named(figure, "model")
    assert [point.x[0] for point in points] == pytest.approx([0.97, 0.94, 0.91, 0.48, 0.28])
    third = points[2]
    assert third.x[0] - third.error_x.arrayminus[0] == pytest.approx(0.8)
    assert third.x[0] + third.error_x.array[0] == pytest.approx(0.97)
    # The steps are ordered from top to bottom.
    assert [point.y[0] for point in points[:4]] == sorted(point.y[0] for point in points[:4])
    shortcuts, guesses = named(figure, "shortcut"), named(figure, "majority")
    assert [point.x[0] for point in shortcuts] == pytest.approx([0.99, 0.98, 0.97, 0.5, 0.1])
    assert [line.x for line in guesses] == [(0.5, 0.5)] * 4
    # Distinguishable without colour.
    assert shortcuts[0].marker.symbol != third.marker.symbol and guesses[0].line.dash
    assert [trace.name for trace in figure.data if trace.showlegend] == [
        "MLP, with 95% interval",
        "recording chain only",
        "guessing",
    ]


def test_numbers_sizes_and_reasons_are_written_out():
    figure, shown_texts = staircase(), texts(staircase())
    assert figure.layout.title.text == "<b>What is left of an ROC AUC of 0.97</b>"
    assert figure.layout.title.subtitle.text.startswith("MLP, trained on kaggle-trial")
    for text in (
        "<b>0.91</b>",
        "0.80–0.97",
        "166 recordings, 157 people, 50 splits",
        "<b>28%</b>",
        "18%–40%",
    ):
        assert text in shown_texts
    assert "1,322 recordings, 1,320 people, 1 split" in shown_texts
    assert "<i>compatible with guessing</i>" in shown_texts and "recording chain 0.97" in shown_texts
    assert any(text.replace("<br>", " ") == WHY["source-balanced"] for text in shown_texts)
    assert "<b>False alarms among people without COVID</b> (less is better)" in shown_texts
    assert figure.layout.xaxis2.title.text == "share predicted COVID"


def test_only_scores_with_an_interval_above_guessing_have_a_full_bar():
    bars = [trace for trace in staircase().data if trace.type == "bar"]
    assert [bar.marker.pattern.shape for bar in bars] == ["", "", "", "/", "\\"]
    assert (bars[0].base[0], bars[0].x[0]) == pytest.approx((0.5, 0.47))


def test_bars_of_accuracy_start_at_the_share_of_the_more_frequent_label():
    figure = staircase(metric="accuracy")
    (bar, _) = (trace for trace in figure.data if trace.type == "bar")
    assert bar.base[0] == pytest.approx(147 / 166)
    assert named(figure, "chance")[0].x[0] == 0.8
    assert "always the commoner label 89%" in texts(figure)
    assert figure.layout.title.text == "<b>What is left of an accuracy of 96%</b>"


def test_a_model_without_the_published_step_and_without_healthy_people():
    evidence = evidences.kaggle_trial().query("model == 'mlp' and protocol == 'deduplicated'")
    figure = staircase(evidence=evidence)
    assert figure.layout.title.text == "<b>How far the ROC AUC can be believed</b>"
    assert len(named(figure, "model")) == 1 and not named(figure, "shortcut")
    assert not any("False alarms" in text for text in texts(figure))
