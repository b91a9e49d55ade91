"""The steps of the Reality check are read from the evidence table, and missing steps have a reason."""

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.evidence import steps
from coughlab.evidence.wording import FALSE_ALARMS
from tests import evidences
from tests.tasks import COVID


@pytest.fixture(scope="module")
def evidence():
    return evidences.kaggle_trial()


def test_each_step_has_its_value_its_interval_its_size_and_its_baselines(evidence):
    table = steps.steps("kaggle-trial", evidence, "mlp", "roc_auc")
    assert table["title"].tolist() == [
        "As published",
        "Without copies",
        "Without shared people",
        "Without the shortcut's help",
        "On covid19-cough",
        "On coswara-sample",
    ]
    assert table["step"].tolist() == [1, 2, 3, 4, 5, 6]
    first = table.iloc[0]
    assert tuple(first[["value", "low", "high"]]) == (0.97, 0.91, 0.99)
    assert tuple(first[["shortcut", "shortcut_low", "shortcut_high"]]) == (0.99, 0.95, 1.0)
    assert tuple(first[["splits", "recordings", "people", "positives"]]) == (50, 166, 157, 19)
    assert (first["majority"], first["chance"], first["reason"]) == (0.5, 0.5, "")


def test_with_healthy_people_only_false_alarms_are_counted(evidence):
    last = steps.steps("kaggle-trial", evidence, "mlp", "roc_auc").iloc[-1]
    assert (last["metric"], last["tested_on"]) == (FALSE_ALARMS, "coswara-sample")
    # 1 - specificity, with the limits of the interval exchanged.
    np.testing.assert_allclose(last[["value", "low", "high"]].astype(float), [0.28, 0.18, 0.4])
    np.testing.assert_allclose(last[["shortcut", "shortcut_low"]].astype(float), [0.1, 0.04])
    assert last["majority"] == 0


@pytest.mark.parametrize(
    ("metric", "majority", "chance"),
    [("accuracy", 147 / 166, 0.8), ("balanced_accuracy", 0.5, 0.5), ("sensitivity", 0, np.nan)],
)
def test_the_baselines_of_a_constant_answer_and_of_guessing(evidence, metric, majority, chance):
    evidence = evidence.assign(
        balanced_accuracy=0.5, sensitivity=evidence["sensitivity"].where(evidence["model"] == "random", 0.5)
    )
    first = steps.steps("kaggle-trial", evidence, "mlp", metric).iloc[0]
    assert first["majority"] == pytest.approx(majority)
    assert first["chance"] == pytest.approx(chance, nan_ok=True)


def test_a_step_without_a_value_has_a_reason(evidence):
    why = {"source-balanced": "Because."}
    table = steps.steps("kaggle-trial", evidence, "cnn2", "roc_auc", reasons=why).set_index("title")
    assert table.loc["As published", "value"] == 0.93
    assert table.loc["Without copies", "reason"] == (
        "This model was not trained and tested this way; others were."
    )
    assert table.loc["Without the shortcut's help", "reason"] == "Because."
    assert "not tested on coswara-sample; others were" in table.loc["On coswara-sample", "reason"]
    assert table["value"].isna().tolist() == (table["reason"] != "").tolist()
    # A step that was not measured has an unknown number of recordings, not 0.
    assert table["recordings"].isna().tolist() == table["value"].isna().tolist()
    alone = steps.steps("kaggle-trial", evidence[evidence["protocol"] == "published"], "mlp", "roc_auc")
    assert alone["reason"].iloc[-1] == "No model was tested on another dataset."
    assert len(alone) == len(PROTOCOLS)


def test_all_that_are_ill_leave_no_auc():
    row = evidences.row("mlp", "external", "there", positives=100, sensitivity=(0.5, 0.4, 0.6))
    step = steps.steps("here", pd.DataFrame([row]), "mlp", "roc_auc").iloc[-1]
    assert np.isnan(step["value"]) and "one label" in step["reason"]


def test_the_shortcut_is_not_its_own_baseline(evidence):
    table = steps.steps("kaggle-trial", evidence, "shortcut", "roc_auc")
    assert table["value"].notna().any() and table["shortcut"].isna().all()


def test_an_unknown_metric_is_refused(evidence):
    with pytest.raises(ValueError, match="no metric called 'f2'"):
        steps.steps("kaggle-trial", evidence, "mlp", "f2")


def test_people_and_sources_rule_protocols_out():
    features = pd.DataFrame(
        {
            "person": ["a", "b", "c", "c"],
            "label": ["covid", "covid", "not_covid", "not_covid"],
            "source": ["ward", "home", "radio", "radio"],
            "audio": [0, 1, 2, 2],
        }
    )
    found = steps.ruled_out(features, COVID)
    # The two rows of one person are a recording and its copy.
    assert set(found) == {"person-disjoint", "source-balanced"}
    assert "(COVID: ward, home; not COVID: radio)" in found["source-balanced"]
    assert steps.ruled_out(features.assign(source="ward", audio=[0, 1, 2, 3]), COVID) == {}


def test_every_model_has_every_step(evidence):
    table = steps.overview("kaggle-trial", evidence, ["mlp", "cnn2", "shortcut"], "roc_auc")
    assert table["model"].value_counts().to_dict() == {"mlp": 6, "cnn2": 6, "shortcut": 6}
    own = steps.steps("kaggle-trial", evidence, "cnn2", "roc_auc")
    pd.testing.assert_frame_equal(
        table[table["model"] == "cnn2"].drop(columns="model").reset_index(drop=True), own
    )


def test_the_matrix_takes_the_strictest_protocol_inside_and_external_outside(evidence):
    both = {"kaggle-trial": evidence, "covid19-cough": evidences.covid19_cough()}
    table = steps.matrix(both, "mlp", "roc_auc").set_index(["trained_on", "tested_on"])
    assert len(table) == 2 * 3
    inside, outside = (
        table.loc[("kaggle-trial", "kaggle-trial")],
        table.loc[("kaggle-trial", "covid19-cough")],
    )
    assert (inside["protocol"], inside["value"]) == ("person-disjoint", 0.91)
    assert (outside["protocol"], outside["value"]) == ("external", 0.48)
    assert table.loc[("covid19-cough", "covid19-cough"), "protocol"] == "source-balanced"
    healthy = table.loc[("kaggle-trial", "coswara-sample")]
    assert (healthy["metric"], *healthy[["value", "low", "high"]].astype(float).round(9)) == (
        "specificity",
        0.72,
        0.6,
        0.82,
    )
    assert (
        table.loc[("covid19-cough", "coswara-sample"), "reason"] == "No model was tested on coswara-sample."
    )
    without = steps.matrix(both, "cnn2", "roc_auc").set_index(["trained_on", "tested_on"])
    assert "does not have this model" in without.loc[("covid19-cough", "covid19-cough"), "reason"]
