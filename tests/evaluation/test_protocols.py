"""The protocols: each record is complete, and a new protocol is a new module."""

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest

from coughlab.charts import reality
from coughlab.evaluation import protocols
from coughlab.evaluation.protocols import EXTERNAL, PROTOCOLS, STRICTEST, WITHIN, Protocol
from coughlab.evidence import steps
from coughlab.studies import definition, runner
from coughlab.studies.store import StoredStudy
from coughlab.system.registry import discover
from tests import evidences
from tests.evaluation.test_splits import dataset
from tests.tasks import COVID, TUBERCULOSIS
from tests.test_other_task import STUDY, clinic

TEXTS = ("title", "explained", "description", "caption", "choice", "column", "opening")


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_record_is_complete(protocol):
    for name in TEXTS:
        text = TUBERCULOSIS.say(getattr(protocol, name))
        assert text and "{" not in text and "COVID" not in text and "  " not in text, name
    assert protocol.explained.endswith(".") and not protocol.description.endswith(".")
    symbol, colour = protocol.marker
    assert symbol and colour.startswith("#")
    assert protocol.most_splits is None or protocol.most_splits > 0
    assert isinstance(protocol.ruled_out(dataset(), COVID), str)


def test_texts_orders_and_markers_are_unique():
    for name in (*TEXTS, "order", "marker"):
        values = [getattr(protocol, name) for protocol in PROTOCOLS.values()]
        assert len(set(values)) == len(values), name
    # Distinguishable without colour.
    assert len({protocol.marker[0] for protocol in PROTOCOLS.values()}) == len(PROTOCOLS)


def test_the_order_goes_from_the_weakest_to_the_strictest():
    known = ["published", "deduplicated", "person-disjoint", "source-balanced", "external"]
    assert [name for name in PROTOCOLS if name in known] == known
    assert list(WITHIN) == list(PROTOCOLS)[:-1] and list(PROTOCOLS)[-1] == EXTERNAL
    assert STRICTEST[0] == EXTERNAL and STRICTEST[-1] == "published"
    assert PROTOCOLS[EXTERNAL].split is None
    # Only the case study's protocol also predicts the training rows.
    assert [name for name, protocol in PROTOCOLS.items() if protocol.trained_rows] == ["published"]


@pytest.mark.parametrize("name", WITHIN)
def test_each_splits_what_it_does_not_rule_out(name):
    table = dataset()
    assert not WITHIN[name].ruled_out(table, COVID)
    splits = WITHIN[name].split(table, n_splits=3, seed=1)
    assert len(splits) == 3
    for train, test in splits:
        assert len(train) and len(test) and not set(train) & set(test)


ADDED = '''
"""Odd rows are trained on, even ones tested on."""

import numpy as np

from coughlab.evaluation.protocols.base import Protocol


def split(table, *, n_splits=5, seed=0):
    rows = np.arange(len(table))
    return [(rows[1::2], rows[::2])] * n_splits


ODD_AND_EVEN = Protocol(
    name="odd-and-even",
    order=35,
    title="Odd and even",
    explained="Every other row is tested on, with {condition} or without.",
    description="odd rows to train and even rows to test",
    caption="every other row",
    choice="Odd and even",
    column="odd and even",
    opening="When every other row is tested on",
    marker=("cross", "#cc79a7"),
    split=split,
)
'''


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The protocols with one additional module in a folder outside the package."""
    (tmp_path / "odd_and_even.py").write_text(ADDED)
    monkeypatch.setattr(protocols, "__path__", [*protocols.__path__, str(tmp_path)])
    yield discover(protocols.__name__, Protocol)
    del sys.modules[f"{protocols.__name__}.odd_and_even"], protocols.odd_and_even


def test_a_module_that_is_added_is_found_in_its_place(added):
    assert list(added) == [
        "published",
        "deduplicated",
        "person-disjoint",
        "odd-and-even",
        "source-balanced",
        "external",
    ]
    assert {name: added[name] for name in PROTOCOLS} == PROTOCOLS
    test_every_record_is_complete(added["odd-and-even"])
    (train, test), _ = added["odd-and-even"].split(dataset(), n_splits=2)
    assert (train[:2].tolist(), test[:2].tolist()) == ([1, 3], [0, 2])
    # Without a new search the module is not listed.
    assert "odd-and-even" not in PROTOCOLS


@pytest.fixture
def listed(added):
    """The same, as if the module had existed from the start."""
    within = {name: protocol for name, protocol in added.items() if protocol.split}
    lists = [(PROTOCOLS, dict(PROTOCOLS), added), (WITHIN, dict(WITHIN), within)]
    for records, _, after in lists:
        records.clear()
        records.update(after)
    yield
    for records, before, _ in lists:
        records.clear()
        records.update(before)


@pytest.mark.usefixtures("listed")
def test_a_protocol_that_is_added_is_a_step_and_a_point():
    row = evidences.row("mlp", "odd-and-even", "kaggle-trial", (0.8, 0.7, 0.9))
    evidence = pd.concat([evidences.kaggle_trial(), pd.DataFrame([row])], ignore_index=True)
    table = steps.steps("kaggle-trial", evidence, "mlp", "roc_auc")
    assert table["title"].tolist()[2:5] == [
        "Without shared people",
        "Odd and even",
        "Without the shortcut's help",
    ]
    assert table.loc[3, "value"] == 0.8
    figure = reality.overview(table.assign(model="mlp"), {"mlp": "MLP"}, "roc_auc")
    (trace,) = [trace for trace in figure.data if trace.name == "Odd and even"]
    assert (trace.marker.symbol, trace.marker.color, *trace.x) == ("cross", "#cc79a7", 0.8)


@pytest.mark.usefixtures("listed")
def test_a_protocol_that_is_added_can_be_named_in_a_definition_and_is_run(tmp_path):
    path = tmp_path / "models" / "chest" / definition.FILE
    path.parent.mkdir(parents=True)
    path.write_text(STUDY.replace('"deduplicated", "person-disjoint", "source-balanced"', '"odd-and-even"'))
    selected, data = (
        runner.Selection(["naive_bayes"], n_splits=2),
        clinic(tmp_path / "clinic", sick=6, healthy=6),
    )
    study = StoredStudy(runner.run("chest", data, selected, others={}, folder=path.parents[1]))
    assert study.definition.protocols == ("published", "odd-and-even")
    rows = study.predictions.query("protocol == 'odd-and-even'")
    assert rows["row"].tolist() == [0, 2, 4, 6, 8, 10] * 2 and set(rows["role"]) == {"test"}
    assert "odd-and-even" in set(study.evidence["protocol"])
    assert (
        "- Protocol `odd-and-even`: odd rows to train and even rows to test."
        in study.read("README.md").decode()
    )


def test_a_protocol_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROTOCOLS["published"].order = 5


@pytest.mark.parametrize(
    ("task", "labels", "sentence"),
    [
        (COVID, ("covid", "not_covid"), "(COVID: ward; not COVID: radio)"),
        (TUBERCULOSIS, ("tb", "healthy"), "(tuberculosis: ward; not tuberculosis: radio)"),
    ],
)
def test_the_reason_against_a_protocol_uses_the_words_of_the_task(task, labels, sentence):
    features = pd.DataFrame(
        {"person": ["a", "b"], "label": labels, "source": ["ward", "radio"], "audio": np.arange(2)}
    )
    found = {name: protocol.ruled_out(features, task) for name, protocol in PROTOCOLS.items()}
    assert [name for name, reason in found.items() if reason] == ["person-disjoint", "source-balanced"]
    assert sentence in found["source-balanced"]
