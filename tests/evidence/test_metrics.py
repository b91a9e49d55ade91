"""Scores and their intervals, held against scikit-learn and against published numbers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from coughlab.datasets import LABELS
from coughlab.evidence import metrics


def table(**columns):
    """A predictions table of one model, protocol and split unless told otherwise."""
    n = len(columns["label"])
    default = {
        "model": "mlp",
        "protocol": "published",
        "tested_on": "here",
        "split": 0,
        "role": "test",
        "recording": [f"r{k}.wav" for k in range(n)],
        "person": [f"p{k}" for k in range(n)],
        "probability": 0.9,
    }
    return pd.DataFrame(default | columns)


def answers(right, n, label="covid"):
    """One recording a person, the first `right` of them answered rightly at a threshold of one half."""
    wrong, correct = (0.1, 0.9) if label == "covid" else (0.9, 0.1)
    return table(label=[label] * n, probability=[correct] * right + [wrong] * (n - right))


def only(predictions, thresholds=None, **options):
    (row,) = metrics.scores(predictions, thresholds or {"mlp": 0.5}, **options).to_dict("records")
    return row


def random_table(seed):
    rng = np.random.default_rng(seed)
    people = np.array([f"p{k}" for k in range(30)])
    parts = []
    for model in ("mlp", "cnn"):
        for protocol in ("published", "grouped"):
            for split in range(4):
                row = np.arange(60)
                parts.append(
                    table(
                        label=np.array(LABELS)[row % 2],
                        model=model,
                        protocol=protocol,
                        split=split,
                        role=rng.choice(["train", "test"], 60, p=[0.6, 0.4]),
                        recording=[f"r{k // 2}.wav" for k in row],
                        person=people[row % 30],
                        probability=np.round(rng.random(60), 2),
                    )
                )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("role", ["test", "train"])
@pytest.mark.parametrize("seed", range(4))
def test_scores_are_the_means_of_confusion_matrices(role, seed):
    predictions = random_table(seed)
    thresholds = {"mlp": 0.5, "cnn": 0.37}
    result = metrics.scores(predictions, thresholds, role=role)
    assert len(result) == 4
    for row in result.to_dict("records"):
        chosen = predictions.query(
            "model == @row['model'] and protocol == @row['protocol'] and role == @role"
        )
        each = []
        for _, rows in chosen.groupby("split"):
            called = np.where(rows["probability"] >= thresholds[row["model"]], "covid", "not_covid")
            tn, fp, fn, tp = confusion_matrix(rows["label"], called, labels=LABELS).ravel()
            each.append(((tp + tn) / len(rows), tp / (tp + fn), tn / (tn + fp)))
        expected = np.mean(each, axis=0)
        assert [row["accuracy"], row["sensitivity"], row["specificity"]] == pytest.approx(expected, rel=1e-12)
        assert row["splits"] == 4 and row["tested_on"] == "here"
        for score, labels in [("accuracy", LABELS), ("sensitivity", LABELS[1:]), ("specificity", LABELS[:1])]:
            of = chosen[chosen["label"].isin(labels)]
            assert row[f"{score}_recordings"] == len(set(of["recording"]))
            assert row[f"{score}_people"] == len(set(of["person"]))
            assert row[f"{score}_low"] < row[score] < row[f"{score}_high"]


# R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I,
# method 3: Wilson's score method without continuity correction.
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
@pytest.mark.parametrize(("label", "score"), [("covid", "sensitivity"), ("not_covid", "specificity")])
def test_intervals_are_those_newcombe_published(right, n, low, high, label, score):
    row = only(answers(right, n, label))
    for name in (score, "accuracy"):
        assert row[name] == pytest.approx(right / n)
        assert row[f"{name}_low"] == pytest.approx(low, abs=5e-5)
        assert row[f"{name}_high"] == pytest.approx(high, abs=5e-5)
        assert row[f"{name}_people"] == n


def test_people_are_counted_not_rows_and_not_splits():
    once = answers(15, 20)
    # Everyone is recorded three times and tested in two splits: nobody new has been asked.
    many = pd.concat(
        [
            once.assign(split=split, recording=f"{take}-" + once["recording"])
            for split in (0, 1)
            for take in range(3)
        ]
    )
    row, rows = only(once), only(many)
    for key in ("sensitivity", "sensitivity_low", "sensitivity_high"):
        assert rows[key] == pytest.approx(row[key])
    assert (rows["sensitivity_people"], rows["sensitivity_recordings"], rows["splits"]) == (20, 60, 2)


def test_a_recording_listed_twice_is_one_recording():
    row = only(table(label=["covid"] * 3, recording=["a", "a", "b"], person=["x", "x", "y"]))
    assert (row["accuracy_recordings"], row["accuracy_people"]) == (2, 2)


def test_a_score_is_the_mean_of_splits_of_any_size():
    big, small = answers(8, 8), answers(0, 2).assign(split=1)
    assert only(pd.concat([big, small]))["accuracy"] == 0.5


@pytest.mark.parametrize(
    ("probability", "sensitivity"), [(0.5, 1.0), (np.nextafter(0.5, 0), 0.0), (np.nextafter(0.5, 1), 1.0)]
)
def test_a_probability_at_the_threshold_is_positive(probability, sensitivity):
    row = only(table(label=["covid", "not_covid"], probability=probability))
    assert row["sensitivity"] == sensitivity
    assert row["specificity"] == 1 - sensitivity


def test_each_model_has_its_own_threshold():
    predictions = pd.concat([answers(3, 3).assign(model=model, probability=0.6) for model in ("mlp", "cnn")])
    result = metrics.scores(predictions, {"mlp": 0.5, "cnn": 0.7}).set_index("model")
    assert result["sensitivity"].to_dict() == {"mlp": 1.0, "cnn": 0.0}


def test_only_rows_of_the_asked_role_count():
    predictions = pd.concat([answers(4, 4), answers(0, 4).assign(role="train")])
    assert only(predictions)["accuracy"] == 1.0
    assert only(predictions, role="train")["accuracy"] == 0.0


def test_datasets_tested_on_are_kept_apart():
    predictions = pd.concat([answers(4, 4), answers(0, 4).assign(tested_on="elsewhere")])
    result = metrics.scores(predictions, {"mlp": 0.5}).set_index("tested_on")
    assert result["accuracy"].to_dict() == {"here": 1.0, "elsewhere": 0.0}


def test_a_class_nobody_has_says_nothing():
    row = only(answers(4, 4, "not_covid"))
    assert np.isnan(row["sensitivity"])
    assert (row["sensitivity_low"], row["sensitivity_high"], row["sensitivity_people"]) == (0.0, 1.0, 0)


@pytest.mark.parametrize(
    "column", ["model", "protocol", "tested_on", "split", "role", "recording", "person", "label"]
)
def test_a_missing_column_is_named(column):
    with pytest.raises(ValueError, match=f"lacks {column}\\."):
        metrics.scores(answers(1, 2).drop(columns=column), {"mlp": 0.5})


def test_all_missing_columns_are_named():
    with pytest.raises(ValueError, match=r"lacks person, probability\."):
        metrics.validate(answers(1, 2).drop(columns=["probability", "person"]))


@pytest.mark.parametrize("label", ["COVID", "healthy", None, 1])
def test_an_unknown_label_is_refused(label):
    with pytest.raises(ValueError, match="Labels must be not_covid or covid"):
        metrics.scores(table(label=["covid", label]), {"mlp": 0.5})


@pytest.mark.parametrize("probability", [-0.01, 1.01, np.nan, np.inf])
def test_an_impossible_probability_is_refused(probability):
    with pytest.raises(ValueError, match="between 0 and 1"):
        metrics.scores(table(label=["covid", "covid"], probability=[0.5, probability]), {"mlp": 0.5})


def test_probabilities_of_exactly_0_and_1_are_possible():
    assert only(table(label=["covid", "not_covid"], probability=[1.0, 0.0]))["accuracy"] == 1.0


def test_a_model_without_a_threshold_is_named():
    with pytest.raises(ValueError, match="No threshold given for mlp"):
        metrics.scores(answers(1, 2), {"cnn": 0.5})
