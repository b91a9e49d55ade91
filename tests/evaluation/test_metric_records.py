"""The metrics as records: each is complete, all implementations agree, and a new metric is a new module."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import matthews_corrcoef

from coughlab.evaluation import bootstrap, comparison, metrics, scoring
from coughlab.evaluation.metrics import EVIDENCE, METRICS, PER_SPLIT, SHARES, SHOWN, Metric
from coughlab.system.registry import discover
from tests.evaluation.test_bootstrap import scattered
from tests.tasks import COVID, TUBERCULOSIS


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_record_is_complete(metric):
    for task in (COVID, TUBERCULOSIS):
        text = task.say(metric.explained)
        assert "{" not in text and "}" not in text and "  " not in text
        assert not text or text.endswith(".")
    assert "COVID" not in TUBERCULOSIS.say(metric.explained)
    assert metric.title and metric.most > 0
    assert metric.write(0.5).strip("%")
    # A metric in the Reality check needs a baseline and an interval.
    assert bool(metric.explained) == (metric.name in SHOWN)
    if metric.explained:
        assert metric.majority is not None and metric.evidence is not None
    if metric.chance is not None:
        assert 0 <= metric.chance <= metric.most
    assert metric.share_of in (None, "all", "positives", "negatives")


def test_each_list_has_its_order():
    assert list(PER_SPLIT) == [
        "log_loss",
        "accuracy",
        "sensitivity",
        "specificity",
        "precision",
        "f1",
        "roc_auc",
        "average_precision",
        "brier",
    ]
    assert list(EVIDENCE) == [
        "roc_auc",
        "accuracy",
        "balanced_accuracy",
        "sensitivity",
        "specificity",
        "brier",
    ]
    assert list(SHOWN) == ["roc_auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity"]
    assert list(SHARES) == ["accuracy", "sensitivity", "specificity"]
    assert [name for name, metric in METRICS.items() if metric.less_is_better] == ["log_loss", "brier"]
    assert len({metric.title for metric in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("log_loss", "log loss"),
        ("f1", "F1"),
        ("roc_auc", "ROC AUC"),
        ("brier", "Brier score"),
        ("balanced_accuracy", "balanced accuracy"),
    ],
)
def test_a_title_inside_a_sentence(name, shown):
    assert METRICS[name].in_a_sentence == shown


@pytest.mark.parametrize("seed", range(3))
def test_drawing_each_person_once_gives_the_metrics_of_the_splits(seed, monkeypatch):
    rows = scattered(seed)
    monkeypatch.setattr(bootstrap, "draws", lambda people, *_: iter([np.ones((len(people), 1))]))
    once = bootstrap._bootstrap(rows, 0.5, 1, 0)
    each = scoring.per_split(rows, {"mlp": 0.5})
    for name in EVIDENCE:
        if name in each:
            assert once[name] == pytest.approx([each[name].mean()], rel=1e-12), name
    both = (each["sensitivity"] + each["specificity"]) / 2
    assert once["balanced_accuracy"] == pytest.approx([both.mean()], rel=1e-12)


ADDED = '''
"""The correlation of answer and class (B. W. Matthews, Biochim. Biophys. Acta 405, 1975)."""

import numpy as np

from coughlab.evaluation.metrics.base import Metric


def of(sums):
    tp, tn, n, positives = (np.asarray(sums[name], float) for name in ("tp", "tn", "n", "positives"))
    negatives = n - positives
    fn, fp = positives - tp, negatives - tn
    return (tp * tn - fp * fn) / np.sqrt((tp + fp) * positives * negatives * (tn + fn))


MATTHEWS = Metric(
    name="matthews",
    order=65,
    title="Matthews correlation",
    of=of,
    terms={"wrong": lambda rows: (rows["probability"] >= 0.5) != rows["positive"]},
    explained="How well the answers go with {condition}.",
    majority=lambda share, positive: 0.0,
    written=".2f",
    evidence=7,
)
'''


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The metric of one additional module outside the package."""
    (tmp_path / "matthews.py").write_text(ADDED)
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    metric = discover(metrics.__name__, Metric)["matthews"]
    for listed in (METRICS, PER_SPLIT, EVIDENCE, SHOWN):
        monkeypatch.setitem(listed, "matthews", metric)
    yield metric
    del sys.modules[f"{metrics.__name__}.matthews"], metrics.matthews


def test_a_module_that_is_added_is_found_in_its_place(added):
    found = list(discover(metrics.__name__, Metric))
    assert found[found.index("f1") + 1] == "matthews" and found[found.index("matthews") + 1] == "roc_auc"
    assert set(found) == {*METRICS}
    test_every_record_is_complete(added)


def test_a_metric_that_is_added_has_its_column_and_its_spread(added):
    rows = scattered(0)
    each = scoring.per_split(rows, {"mlp": 0.5})
    expected = [
        matthews_corrcoef(of["positive"], of["probability"] >= 0.5) for _, of in rows.groupby("split")
    ]
    assert each["matthews"].tolist() == pytest.approx(expected)
    spread = scoring.spread(each).iloc[0]
    assert [spread[f"matthews{end}"] for end in ("", "_sd", "_min", "_max")] == pytest.approx(
        [np.mean(expected), np.std(expected, ddof=1), min(expected), max(expected)]
    )
    # The existing columns stay unchanged.
    without = each.drop(columns="matthews")
    for listed in (METRICS, PER_SPLIT, EVIDENCE, SHOWN):
        del listed["matthews"]
    pd.testing.assert_frame_equal(scoring.per_split(rows, {"mlp": 0.5}), without)


def test_a_metric_that_is_added_has_its_interval_and_its_line(added):
    rows = scattered(1)
    (row,) = bootstrap.table(rows, {"mlp": 0.5}, n_boot=200).to_dict("records")
    assert row["matthews_low"] < row["matthews"] < row["matthews_high"]
    assert row["matthews"] == pytest.approx(scoring.per_split(rows, {"mlp": 0.5})["matthews"].mean())
    line = comparison.summary(scoring.per_split(rows, {"mlp": 0.5}).assign(role="test"), "mlp").loc[
        "matthews"
    ]
    assert line["mean"] == pytest.approx(row["matthews"])
