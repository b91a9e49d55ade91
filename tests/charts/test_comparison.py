"""The charts of all models side by side show the values of the tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from coughlab.charts import comparison
from tests.tables import with_positive
from tests.tasks import COVID


def predictions(model, n_splits, seed):
    rng = np.random.default_rng(seed)
    labels = np.array(["covid"] * 6 + ["not_covid"] * 14)
    return pd.concat(
        with_positive(
            {
                "model": model,
                "split": split,
                "label": labels,
                "probability": np.clip(rng.normal((labels == "covid") * 0.3 + 0.3, 0.2), 0, 1),
            }
        )
        for split in range(n_splits)
    )


def test_found_and_missed_add_up_to_all_covid_recordings():
    counts = pd.DataFrame({"tp": [27, 0], "fn": [3, 6]}, index=["mlp", "random"])
    figure = comparison.found_and_missed(counts, {"mlp": "MLP", "random": "Random baseline"}, COVID)
    found, missed = figure.data
    assert list(found.y) == list(missed.y) == ["MLP", "Random baseline"]
    assert np.allclose(np.add(found.x, missed.x), 1)
    assert list(found.x) == [0.9, 0.0]
    assert figure.layout.xaxis.title.text == "share of the COVID recordings tested"
    assert list(found.text) == ["27 of 30", ""] and list(missed.text) == ["3 of 30", "6 of 6"]
    # Not distinguished by colour alone.
    assert found.marker.pattern.shape != missed.marker.pattern.shape


def test_a_model_of_one_split_has_scikit_learn_s_curve():
    rows = predictions("mlp", 1, seed=0)
    figure = comparison.curve("roc", rows, {"mlp": "MLP"})
    _, line, _ = figure.data
    x, y, _ = metrics.roc_curve(rows["label"] == "covid", rows["probability"])
    grid = np.array(line.x[1:])
    assert np.allclose(line.y[1:], np.interp(grid, x, y))
    assert (line.x[0], line.y[0]) == (0, 0)
    assert line.name == "MLP, 1 split"


def test_the_mean_lies_inside_its_band():
    rows = predictions("mlp", 20, seed=1)
    for kind in ("roc", "precision_recall"):
        band, line, _ = comparison.curve(kind, rows, {"mlp": "MLP"}).data
        n = len(line.x)
        high, low = np.array(band.y[:n]), np.array(band.y[n:])[::-1]
        assert (low <= np.array(line.y) + 1e-12).all() and (np.array(line.y) <= high + 1e-12).all()
        assert (high - low).max() > 0.05
        assert line.name == "MLP, 20 splits"


def test_models_differ_by_more_than_colour():
    rows = pd.concat([predictions("mlp", 2, seed=2), predictions("cnn", 2, seed=3)])
    figure = comparison.curve("precision_recall", rows, {"mlp": "MLP", "cnn": "CNN"})
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.name for line in lines] == ["MLP, 2 splits", "CNN, 2 splits", "knowing nothing"]
    assert len({line.line.dash for line in lines}) == 3
    # The precision of guessing is the frequency of the class.
    assert list(lines[-1].y) == pytest.approx([0.3, 0.3])
