"""Metrics, scores and their intervals, compared with scikit-learn and with published numbers."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from coughlab.evaluation import metrics, scoring
from tests.tables import with_positive
from tests.tasks import COVID, TUBERCULOSIS

LABELS = COVID.labels


def table(**columns):
    """A predictions table, by default with one model, protocol and split."""
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
    rows = pd.DataFrame(default | columns)
    return rows if "positive" in columns else with_positive(rows)


def answers(right, n, label="covid"):
    """One recording per person; the first `right` answers are correct at a threshold of one half."""
    wrong, correct = (0.1, 0.9) if label == "covid" else (0.9, 0.1)
    return table(label=[label] * n, probability=[correct] * right + [wrong] * (n - right))


def only(predictions, thresholds=None, **options):
    (row,) = scoring.scores(predictions, thresholds or {"mlp": 0.5}, **options).to_dict("records")
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
    result = scoring.scores(predictions, thresholds, role=role)
    assert len(result) == 4
    for row in result.to_dict("records"):
        chosen = predictions.query(
            "model == @row['model'] and protocol == @row['protocol'] and role == @role"
        )
        each = []
        for _, rows in chosen.groupby("split"):
            predicted = np.where(rows["probability"] >= thresholds[row["model"]], "covid", "not_covid")
            tn, fp, fn, tp = confusion_matrix(rows["label"], predicted, labels=LABELS).ravel()
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
    # Each person is recorded three times and tested in two splits, so the number of people is unchanged.
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
    result = scoring.scores(predictions, {"mlp": 0.5, "cnn": 0.7}).set_index("model")
    assert result["sensitivity"].to_dict() == {"mlp": 1.0, "cnn": 0.0}


def test_only_rows_of_the_asked_role_count():
    predictions = pd.concat([answers(4, 4), answers(0, 4).assign(role="train")])
    assert only(predictions)["accuracy"] == 1.0
    assert only(predictions, role="train")["accuracy"] == 0.0


def test_datasets_tested_on_are_kept_apart():
    predictions = pd.concat([answers(4, 4), answers(0, 4).assign(tested_on="elsewhere")])
    result = scoring.scores(predictions, {"mlp": 0.5}).set_index("tested_on")
    assert result["accuracy"].to_dict() == {"here": 1.0, "elsewhere": 0.0}


def test_metrics_of_an_absent_class_are_missing():
    row = only(answers(4, 4, "not_covid"))
    assert np.isnan(row["sensitivity"])
    assert (row["sensitivity_low"], row["sensitivity_high"], row["sensitivity_people"]) == (0.0, 1.0, 0)


@pytest.mark.parametrize(
    "column", ["model", "protocol", "tested_on", "split", "role", "recording", "person", "positive"]
)
def test_a_missing_column_is_named(column):
    with pytest.raises(ValueError, match=f"lacks {column}\\."):
        scoring.scores(answers(1, 2).drop(columns=column), {"mlp": 0.5})


def test_all_missing_columns_are_named():
    with pytest.raises(ValueError, match=r"lacks person, probability\."):
        scoring.validate(answers(1, 2).drop(columns=["probability", "person"]))


@pytest.mark.parametrize("positive", ["covid", "True", None, 1, 1.0])
@pytest.mark.parametrize("other", [True, "not_covid", 0])
def test_a_column_positive_that_is_not_boolean_is_refused(positive, other):
    rows = table(label=["covid", "not_covid"], positive=[positive, other])
    with pytest.raises(
        ValueError, match="The column positive of the predictions table must be true or false"
    ):
        scoring.scores(rows, {"mlp": 0.5})


def test_scores_use_the_column_positive_and_not_the_labels():
    rows = random_table(0)
    others = rows.assign(label=[TUBERCULOSIS.label(positive) for positive in rows["positive"]])
    without = rows.drop(columns="label")
    for function in (scoring.scores, scoring.per_split):
        expected = function(rows, {"mlp": 0.5, "cnn": 0.37})
        for table_ in (others, without):
            pd.testing.assert_frame_equal(function(table_, {"mlp": 0.5, "cnn": 0.37}), expected)


@pytest.mark.parametrize("probability", [-0.01, 1.01, np.nan, np.inf])
def test_an_impossible_probability_is_refused(probability):
    with pytest.raises(ValueError, match="between 0 and 1"):
        scoring.scores(table(label=["covid", "covid"], probability=[0.5, probability]), {"mlp": 0.5})


def test_probabilities_of_exactly_0_and_1_are_possible():
    assert only(table(label=["covid", "not_covid"], probability=[1.0, 0.0]))["accuracy"] == 1.0


def test_a_model_without_a_threshold_is_named():
    with pytest.raises(ValueError, match="No threshold given for mlp"):
        scoring.scores(answers(1, 2), {"cnn": 0.5})


# Every metric of every split


def sklearn_s(label, probability, threshold):
    """The expected row of `per_split` for one group, by scikit-learn's functions; NaN where they would only warn."""
    y, p = np.asarray(label) == "covid", np.asarray(probability)
    predicted = p >= threshold
    tn, fp, fn, tp = confusion_matrix(y, predicted, labels=[False, True]).ravel()
    counts = {"recordings": len(y), "positives": y.sum(), "negatives": (~y).sum()}
    scores = {
        "log_loss": sklearn.metrics.log_loss(y, p, labels=[False, True]),
        "accuracy": sklearn.metrics.accuracy_score(y, predicted),
        "sensitivity": sklearn.metrics.recall_score(y, predicted, zero_division=np.nan),
        "specificity": sklearn.metrics.recall_score(y, predicted, pos_label=False, zero_division=np.nan),
        "precision": sklearn.metrics.precision_score(y, predicted, zero_division=np.nan),
        "f1": sklearn.metrics.f1_score(y, predicted, zero_division=np.nan),
        "roc_auc": sklearn.metrics.roc_auc_score(y, p) if 0 < y.sum() < len(y) else np.nan,
        "average_precision": sklearn.metrics.average_precision_score(y, p) if y.any() else np.nan,
        "brier": np.mean((p - y) ** 2),
    }
    if 0 < y.sum() < len(y):
        assert scores["brier"] == pytest.approx(sklearn.metrics.brier_score_loss(y, p))
    assert list(scores) == list(metrics.PER_SPLIT)
    return counts | {"tp": tp, "fp": fp, "fn": fn, "tn": tn} | scores


def assert_equals_sklearn(result, predictions, thresholds):
    groups = dict(list(predictions.groupby(scoring.KEYS, observed=True)))
    assert len(result) == len(groups)
    for row in result.to_dict("records"):
        rows = groups[tuple(row[key] for key in scoring.KEYS)]
        expected = sklearn_s(rows["label"], rows["probability"], thresholds[row["model"]])
        got = {name: row[name] for name in expected}
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
        assert row["people"] == rows["person"].nunique()


# Few different values, so that there are ties, and 0 and 1, which the log loss cannot use without clipping.
PROBABILITIES = st.sampled_from([0.0, 1e-17, 0.25, 0.4, 0.5, 0.75, 1.0]) | st.floats(0, 1)
ROWS = st.tuples(
    st.sampled_from(["mlp", "cnn"]),
    st.integers(0, 2),
    st.sampled_from(["train", "test"]),
    st.sampled_from(LABELS),
    st.sampled_from("abcd"),
    PROBABILITIES,
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(ROWS, min_size=1, max_size=40), st.sampled_from([0.4, 0.5]))
def test_each_metric_of_each_group_is_scikit_learn_s(rows, threshold):
    model, split, role, label, person, probability = map(list, zip(*rows, strict=True))
    predictions = table(
        model=model, split=split, role=role, label=label, person=person, probability=probability
    )
    thresholds = {"mlp": threshold, "cnn": 0.75}
    assert_equals_sklearn(scoring.per_split(predictions, thresholds), predictions, thresholds)


def test_many_groups_at_once_are_scikit_learn_s_each():
    predictions = random_table(0)
    thresholds = {"mlp": 0.5, "cnn": 0.37}
    result = scoring.per_split(predictions, thresholds)
    assert len(result) == 2 * 2 * 4 * 2
    assert_equals_sklearn(result, predictions, thresholds)
    order = predictions[scoring.KEYS].drop_duplicates().reset_index(drop=True)
    pd.testing.assert_frame_equal(result[scoring.KEYS], order)


def test_the_order_of_the_rows_and_their_index_do_not_matter():
    predictions = random_table(1)
    thresholds = {"mlp": 0.5, "cnn": 0.37}
    tables = [
        scoring.per_split(rows, thresholds).sort_values(scoring.KEYS, ignore_index=True)
        for rows in (predictions, predictions.sample(frac=1, random_state=2))
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-12)


def test_text_columns_may_be_categories_with_unused_values():
    predictions = random_table(2)
    thresholds = {"mlp": 0.5, "cnn": 0.37}
    plain = scoring.per_split(predictions, thresholds)
    words = ["model", "protocol", "tested_on", "role", "recording", "person", "label"]
    categories = predictions.astype(dict.fromkeys(words, "category"))
    categories["model"] = categories["model"].cat.add_categories("knn")
    pd.testing.assert_frame_equal(
        scoring.per_split(categories, thresholds), plain, check_dtype=False, check_categorical=False
    )


@pytest.mark.parametrize("dtype", ["str", "category"])
def test_an_empty_table_has_no_rows_and_all_columns(dtype):
    predictions = random_table(0)[:0].astype(dict.fromkeys(["model", "role", "person", "label"], dtype))
    result = scoring.per_split(predictions, {})
    assert len(result) == 0
    assert list(result.columns) == list(scoring.per_split(random_table(0), {"mlp": 0.5, "cnn": 0.5}).columns)
    assert scoring.spread(result).empty


def test_what_is_not_defined_is_missing():
    (row,) = scoring.per_split(answers(2, 4, "not_covid"), {"mlp": 0.5}).to_dict("records")
    assert {name for name in metrics.PER_SPLIT if np.isnan(row[name])} == {
        "sensitivity",
        "roc_auc",
        "average_precision",
    }
    (row,) = scoring.per_split(answers(4, 4, "not_covid"), {"mlp": 0.5}).to_dict("records")
    assert np.isnan(row["precision"]) and np.isnan(row["f1"]) and row["specificity"] == 1.0
    (row,) = scoring.per_split(answers(3, 4), {"mlp": 0.5}).to_dict("records")
    assert {name for name in metrics.PER_SPLIT if np.isnan(row[name])} == {"specificity", "roc_auc"}


def test_a_certain_wrong_answer_has_a_large_but_finite_loss():
    (row,) = scoring.per_split(table(label=["covid"], probability=[0.0]), {"mlp": 0.5}).to_dict("records")
    assert row["log_loss"] == pytest.approx(-np.log(np.finfo(float).eps))


def test_the_means_over_splits_are_the_scores():
    predictions = random_table(3)
    thresholds = {"mlp": 0.5, "cnn": 0.37}
    spread = scoring.spread(scoring.per_split(predictions, thresholds)).xs("test", level="role")
    for row in scoring.scores(predictions, thresholds).to_dict("records"):
        mean = spread.loc[row["model"], row["protocol"], row["tested_on"]]
        for score in metrics.SHARES:
            assert mean[score] == pytest.approx(row[score], rel=1e-12)


@pytest.mark.parametrize(
    "by", [("model", "protocol", "tested_on", "role"), ("model", "role"), ("role", "model")]
)
def test_the_spread_is_that_of_the_splits(by):
    each = scoring.per_split(random_table(4), {"mlp": 0.5, "cnn": 0.37})
    result = scoring.spread(each, by=by)
    assert list(result.index.names) == list(by)
    groups = dict(list(each.groupby(list(by))))
    assert list(result.index) == list(dict.fromkeys(each[list(by)].itertuples(index=False, name=None)))
    for key, row in result.iterrows():
        assert row["splits"] == 4
        for metric in metrics.PER_SPLIT:
            values = groups[key][metric].to_numpy()
            expected = [values.mean(), values.std(ddof=1), values.min(), values.max()]
            got = [row[f"{metric}{end}"] for end in ("", "_sd", "_min", "_max")]
            assert got == pytest.approx(expected, rel=1e-12)


def test_the_spread_of_one_split_is_unknown_and_of_missing_values_that_of_the_others():
    each = scoring.per_split(answers(2, 4), {"mlp": 0.5})
    row = scoring.spread(each).iloc[0]
    assert (row["splits"], row["sensitivity"]) == (1, 0.5) and np.isnan(row["sensitivity_sd"])
    healthy = answers(4, 4, "not_covid").assign(split=1)
    both = scoring.per_split(pd.concat([answers(2, 4), healthy]), {"mlp": 0.5})
    row = scoring.spread(both).iloc[0]
    assert (row["splits"], row["sensitivity"], row["sensitivity_min"]) == (2, 0.5, 0.5)


@pytest.mark.parametrize("function", [scoring.per_split, scoring.scores])
def test_both_refuse_what_cannot_be_scored(function):
    with pytest.raises(ValueError, match="lacks positive"):
        function(answers(1, 2).drop(columns="positive"), {"mlp": 0.5})
    with pytest.raises(ValueError, match="No threshold given for mlp"):
        function(answers(1, 2), {})
    with pytest.raises(ValueError, match="between 0 and 1"):
        function(answers(1, 2).assign(probability=2.0), {"mlp": 0.5})
