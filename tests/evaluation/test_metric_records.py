"""The metrics as records: each is complete, all implementations agree, and a new metric is a new module."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import matthews_corrcoef

from coughlab.evaluation import bootstrap, comparison, metrics, scoring
from coughlab.evaluation.metrics import EVIDENCE, METRICS, PER_SPLIT, SHARES, SHOWN, Metric
from coughlab.evidence import steps
from coughlab.studies import convert, store
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


def in_order(listed, *names):
    """Whether some metrics are listed in this order, perhaps with others between them."""
    return [name for name in listed if name in names] == list(names)


def test_each_list_has_its_order():
    assert in_order(PER_SPLIT, "log_loss", "accuracy", "sensitivity", "specificity", "precision", "f1")
    assert in_order(PER_SPLIT, "f1", "roc_auc", "average_precision", "brier")
    assert in_order(
        EVIDENCE, "roc_auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "brier"
    )
    assert in_order(SHOWN, "roc_auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")
    assert in_order(SHARES, "accuracy", "sensitivity", "specificity")
    assert {"log_loss", "brier"} <= {name for name, metric in METRICS.items() if metric.less_is_better}
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


@pytest.fixture
def older(tmp_path):
    """A study that was saved before the metric was added."""
    folder = tmp_path / "models" / "kaggle-trial"
    shutil.copytree(store.MODELS / "kaggle-trial", folder)
    return store.StoredStudy(folder)


def test_a_metric_that_is_added_is_missing_in_a_stored_study_until_that_is_converted(older, added):
    assert older.metrics["matthews"].isna().all() and older.evidence["matthews_low"].isna().all()
    assert scoring.spread(older.metrics)["matthews"].isna().all()
    table = steps.steps(older.name, older.evidence, "knn", "matthews")
    assert table["reason"].str.contains("coughlab study convert").sum() == table["value"].isna().sum() - (
        table["reason"].str.contains("No model|Not defined").sum()
    )
    assert convert.convert(older.folder, older.definition)
    new = store.StoredStudy(older.folder)
    assert new.metrics["matthews"].notna().any() and new.evidence["matthews_high"].notna().any()
    for name in (store.METRICS, store.EVIDENCE):
        before = store.load_study().table(name)
        pd.testing.assert_frame_equal(new.table(name)[before.columns], before, check_exact=True)
    assert not convert.convert(older.folder, older.definition)


def test_two_records_of_one_name_are_refused(added, tmp_path):
    (tmp_path / "copied.py").write_text(ADDED)
    with pytest.raises(ValueError, match="two of the name 'matthews'"):
        discover(metrics.__name__, Metric)


def test_all_sums_that_a_metric_may_use_are_there_in_the_bootstrap(monkeypatch):
    rows = scattered(0)
    monkeypatch.setattr(bootstrap, "draws", lambda people, *_: iter([np.ones((len(people), 1))]))
    for name in ("n", "positives", "negatives", "tp", "fp", "fn", "tn", "concordant"):
        metric = Metric(name=name, order=0, title=name, of=lambda sums, name=name: sums[name])
        with monkeypatch.context() as patch:
            patch.setitem(EVIDENCE, name, metric)
            patch.setitem(PER_SPLIT, name, metric)
            once = bootstrap._bootstrap(rows, 0.5, 1, 0)[name]
            assert once == pytest.approx([scoring.per_split(rows, {"mlp": 0.5})[name].mean()])


def test_a_metric_without_a_baseline_is_shown_without_one(added, monkeypatch):
    monkeypatch.setitem(METRICS, "matthews", replace(added, majority=None))
    evidence = bootstrap.table(scattered(1), {"mlp": 0.5}, n_boot=20)
    table = steps.steps(evidence["tested_on"][0], evidence, "mlp", "matthews")
    assert table["value"].notna().any() and table["majority"].isna().all()
