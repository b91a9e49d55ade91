"""The evidence shown with an answer: every verdict, and numbers calculated by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation import bootstrap
from coughlab.evaluation.decision import Estimate
from coughlab.evaluation.novelty import Novelty
from coughlab.evidence import verdict as answer
from tests.tables import with_positive
from tests.tasks import COVID

FAMILIAR = Novelty(0.4, "familiar", "Not unlike.", "here")
FAR = Novelty(0.01, "far", "Far from anything.", "here")
#: A stand-in for a study; only its name and its task are used.
HERE = SimpleNamespace(name="here", task=COVID)


def predictions(protocol, tested_on, found, alarmed, *, model="mlp", splits=1):
    """Test rows with one recording per person; for ill and healthy people, whether each is predicted positive."""
    predicted = np.r_[found, alarmed]
    people = [f"{tested_on} {k}" for k in range(len(predicted))]
    rows = {
        "model": model,
        "protocol": protocol,
        "tested_on": tested_on,
        "role": "test",
        "recording": people,
        "person": people,
        "label": ["covid"] * len(found) + ["not_covid"] * len(alarmed),
        # Ranked by the predicted label and randomly within a label.
        "probability": np.where(predicted, 0.6, 0.4)
        + np.random.default_rng(0).uniform(-0.1, 0.1, len(predicted)),
    }
    return pd.concat([with_positive(rows).assign(split=k) for k in range(splits)], ignore_index=True)


def study(*tables):
    rows = pd.concat(tables, ignore_index=True) if tables else predictions("published", "here", [1], [0])
    evidence = bootstrap.table(rows if tables else rows.iloc[:0], {"mlp": 0.5, "shortcut": 0.5}, n_boot=50)
    models = {"mlp": {"title": "MLP"}, "shortcut": {"title": "Recording chain only"}}
    thresholds = dict.fromkeys(models, 0.5)
    return SimpleNamespace(
        name="here",
        task=COVID,
        models=models,
        thresholds=thresholds,
        predictions=rows,
        evidence=evidence,
    )


def first(n, of):
    return np.arange(of) < n


def test_the_numbers_are_those_of_the_strictest_test_on_both_labels():
    seen = study(
        predictions("published", "here", first(50, 50), first(0, 50), splits=3),
        predictions("external", "there", first(80, 100), first(20, 200)),
        predictions("external", "small", first(5, 9), first(4, 9)),
        predictions("external", "healthy", [], first(900, 1000)),
    )
    block = answer.block(seen, answer.known(seen, "mlp"), "covid", FAMILIAR, prevalence=0.1)
    fields = {
        name: block[name] for name in ("study", "protocol", "tested_on", "recordings", "people", "splits")
    }
    assert list(fields.values()) == ["here", "external", "there", 300, 300, 1]
    # 80% of the ill and 10% of the healthy. The limits are those of Simel, Samsa and Matchar (1991).
    assert block["likelihood_ratio"] == pytest.approx(8)
    width = 1.959964 * np.sqrt(1 / 80 - 1 / 100 + 1 / 20 - 1 / 200)
    assert block["likelihood_ratio_interval"] == pytest.approx(8 * np.exp([-width, width]))
    assert block["prevalence"] == 0.1
    assert block["probability_after"] == pytest.approx(0.8 / 1.7)
    low, high = (odds / (odds + 9) for odds in block["likelihood_ratio_interval"])
    assert block["probability_after_interval"] == pytest.approx([low, high])
    assert block["auc_interval"][0] < block["auc"] < block["auc_interval"][1]
    assert block["verdict"] == "moderate" and "there" in block["message"]
    negative = answer.block(seen, answer.known(seen, "mlp"), "not_covid", FAMILIAR, prevalence=0.1)
    assert negative["likelihood_ratio"] == pytest.approx(0.2 / 0.9)
    assert json.loads(json.dumps(block, allow_nan=False)) == block


def known(auc, protocol="external", ratio=(3, 2, 4), shortcut=None):
    ratios = {"covid": Estimate(*ratio), "not_covid": Estimate(*(1 / x for x in (ratio[0], *ratio[:0:-1])))}
    shortcut = shortcut and Estimate(*shortcut)
    return answer.Known(
        "here", "MLP", protocol, "there", 100, 90, 1, Estimate(*auc), ratios=ratios, shortcut=shortcut
    )


@pytest.mark.parametrize(
    ("verdict", "evidence", "novelty"),
    [
        ("no_basis", known((0.9, 0.85, 0.95)), FAR),
        ("untested", None, FAMILIAR),
        ("chance", known((0.55, 0.49, 0.61)), FAMILIAR),
        # Shown as 0.50 to 0.60, which holds 0.5.
        ("chance", known((0.55, 0.504, 0.6)), FAMILIAR),
        ("below_chance", known((0.4, 0.36, 0.44)), FAMILIAR),
        ("shortcut", known((0.9, 0.8, 0.95), shortcut=(0.85, 0.8, 0.9)), FAMILIAR),
        ("uninformative", known((0.6, 0.55, 0.65), ratio=(1.2, 0.9, 1.5)), FAMILIAR),
        ("uninformative", known((0.6, 0.55, 0.65), ratio=(np.nan,) * 3), FAMILIAR),
        ("not_tested_elsewhere", known((0.9, 0.8, 0.95), "person-disjoint"), FAMILIAR),
        ("weak", known((0.75, 0.69, 0.8), shortcut=(0.5, 0.4, 0.6)), FAMILIAR),
        ("moderate", known((0.8, 0.7, 0.9)), FAMILIAR),
    ],
)
@pytest.mark.parametrize("label", ["covid", "not_covid"])
def test_the_verdict_claims_no_more_than_the_intervals(verdict, evidence, novelty, label):
    block = answer.block(HERE, evidence, label, novelty)
    assert block["verdict"] == verdict and block["prevalence"] == 0.05
    assert block["message"].endswith(".") and "nan" not in block["message"]
    assert json.loads(json.dumps(block, allow_nan=False)) == block
    sentence = answer.meaning(block, label, COVID)
    unknown = verdict in ("no_basis", "untested") or (evidence and np.isnan(evidence.ratios[label].value))
    assert (block["likelihood_ratio"] is None) == unknown == ("is not known" in sentence)
    if verdict not in ("no_basis", "untested"):
        assert "100 recordings of 90 people" in block["message"] and "there" in block["message"]


@pytest.mark.parametrize("novelty", [FAMILIAR, FAR])
@pytest.mark.parametrize("evidence", [known((0.8, 0.7, 0.9)), None])
def test_without_a_cough_no_test_is_about_the_recording(evidence, novelty):
    block = answer.block(HERE, evidence, "covid", novelty, cough=False)
    assert block["verdict"] == "no_basis" and block["message"].startswith("No cough is heard")
    assert block["likelihood_ratio"] is block["probability_after"] is None
    assert block["auc"] == (evidence and 0.8)


def test_a_model_that_was_never_tested_on_both_labels_is_untested():
    assert answer.known(study(), "mlp") is None
    healthy = study(predictions("external", "healthy", [], first(9, 10)))
    assert answer.known(healthy, "mlp") is None
    chain = study(predictions("published", "here", first(9, 10), first(1, 10), model="shortcut"))
    assert answer.known(chain, "mlp") is None
    # The baseline is not compared with itself.
    assert answer.known(chain, "shortcut").shortcut is None


@pytest.mark.parametrize("text", ["", "0", "1", "5", "-0.1", "nan", "inf", "5%", "a"])
def test_an_invalid_prevalence_is_refused_in_a_sentence(text):
    with pytest.raises(answer.PrevalenceError, match="above 0 and below 1"):
        answer.prevalence_of(text)


def test_a_prevalence_is_read():
    assert [answer.prevalence_of(text) for text in ("0.05", 0.2, "1e-3")] == [0.05, 0.2, 0.001]


@pytest.mark.parametrize(
    ("not_covid", "covid", "label", "sentence"),
    [
        (1, 0, "not_covid", "The cough and the recording: not COVID"),
        (0, 1, "not_covid", "The cough says COVID, the recording says not COVID"),
        (0, 2, "covid", "Both coughs and the recording: COVID"),
        (2, 0, "covid", "Both coughs say not COVID, the recording says COVID"),
        (1, 1, "covid", "1 of 2 coughs says COVID, the recording says COVID"),
        (3, 0, "not_covid", "All 3 coughs and the recording: not COVID"),
        (1, 2, "not_covid", "2 of 3 coughs say COVID, the recording says not COVID"),
        (0, 60, "not_covid", "All 60 coughs say COVID, the recording says not COVID"),
    ],
)
def test_whether_the_coughs_and_the_recording_agree(not_covid, covid, label, sentence):
    assert answer.agreement({"not_covid": not_covid, "covid": covid}, label, COVID) == sentence
