"""All models at all steps, and the matrix of training and test datasets: the charts show the numbers of their tables."""

import pytest

from coughlab.charts import reality
from coughlab.evidence import steps
from tests import evidences


def test_all_models_at_all_steps():
    titles = {"mlp": "MLP", "cnn2": "CNN 2", "shortcut": "Recording chain only"}
    table = steps.overview("kaggle-trial", evidences.kaggle_trial(), titles, "roc_auc")
    figure = reality.overview(table, titles, "roc_auc")
    points = {trace.name: dict(zip(trace.customdata[:, 0], trace.x, strict=True)) for trace in figure.data}
    assert points == {
        "As published": {"MLP": 0.97, "CNN 2": 0.93, "Recording chain only": 0.99},
        "Without copies": {"MLP": 0.94, "Recording chain only": 0.98},
        "Without shared people": {"MLP": 0.91, "Recording chain only": 0.97},
        "On covid19-cough": {"MLP": 0.48, "Recording chain only": 0.5},
    }
    assert len({trace.marker.symbol for trace in figure.data}) == 4
    first = figure.data[0]
    assert first.error_x.arrayminus[1] == pytest.approx(0.93 - 0.7)
    assert "51 recordings, 49 people, splits: 1" in first.customdata[1]


def test_the_matrix_holds_numbers_in_its_cells_and_reasons_in_empty_ones():
    both = {"kaggle-trial": evidences.kaggle_trial(), "covid19-cough": evidences.covid19_cough()}
    figure = reality.matrix(steps.matrix(both, "mlp", "roc_auc"), "roc_auc")
    cells = {(cell.y, cell.x): cell.text for cell in figure.layout.annotations}
    assert cells[0, 0].startswith("<b>0.91</b><br>0.80–0.97<br>without shared<br>people<br>166 recordings")
    assert cells[0, 1].startswith("<b>0.48</b><br>0.45–0.52<br>1,322 recordings<br>1,320 people")
    assert cells[0, 2].startswith("specificity <b>72%</b>")
    assert cells[1, 2].replace("<br>", " ") == "– No model was tested on coswara-sample."
    assert list(figure.layout.xaxis.ticktext) == ["kaggle-trial", "covid19-cough", "coswara-sample"]
    # Specificity is not a ROC AUC, so it does not use the AUC colours.
    assert [value == value for value in figure.data[0].z[0]] == [True, True, False]
