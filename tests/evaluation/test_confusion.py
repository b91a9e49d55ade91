"""Matrices and their cells, compared with scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score
from statsmodels.stats.proportion import proportion_confint

from coughlab.evaluation import confusion, scoring
from tests.tables import with_positive
from tests.tasks import COVID

LABELS = COVID.labels


def table(seed=0, n=40, splits=3):
    """Test rows of several splits: 40 rows, 30 recordings, 20 people, probabilities with ties."""
    rng = np.random.default_rng(seed)
    row = np.concatenate([np.sort(rng.choice(n, n // 2, replace=False)) for _ in range(splits)])
    return with_positive(
        {
            "model": "mlp",
            "protocol": "published",
            "tested_on": "here",
            "role": "test",
            "split": np.repeat(np.arange(splits), n // 2),
            "row": row,
            "recording": [f"r{k % 30}.wav" for k in row],
            "person": pd.Categorical([f"p{k % 20}" for k in row]),
            "label": pd.Categorical(np.array(LABELS)[row % 30 % 3 // 2]),
            "probability": np.round(rng.random(len(row)), 1),
        }
    )


def shares(result, threshold, matrix):
    rows = result[(result["threshold"] == threshold) & (result["matrix"] == matrix)]
    return rows.set_index("cell")


@pytest.mark.parametrize("seed", range(5))
def test_counts_and_shares_are_those_of_scikit_learn(seed):
    rows = table(seed)
    result = confusion.at(rows, confusion.STEPS)
    assert len(result) == len(confusion.STEPS) * 12
    for threshold in confusion.STEPS:
        predicted = np.where(rows["probability"] >= threshold, "covid", "not_covid")
        for matrix, normalise in (("confusion", "all"), ("precision", "pred"), ("recall", "true")):
            cells = shares(result, threshold, matrix)
            order = ["tn", "fp", "fn", "tp"]
            counts = confusion_matrix(rows["label"], predicted, labels=LABELS).ravel()
            expected = confusion_matrix(rows["label"], predicted, labels=LABELS, normalize=normalise).ravel()
            assert cells.loc[order, "count"].tolist() == counts.tolist()
            # scikit-learn returns 0 where the divisor is 0.
            assert cells.loc[order, "share"].fillna(0).tolist() == pytest.approx(expected.tolist())


def test_columns_of_precision_and_rows_of_recall_add_up_to_one():
    rows = table()
    result = confusion.at(rows, [0.5])
    precision, recall = shares(result, 0.5, "precision")["share"], shares(result, 0.5, "recall")["share"]
    assert precision["tp"] + precision["fp"] == precision["fn"] + precision["tn"] == 1
    assert recall["tp"] + recall["fn"] == recall["fp"] + recall["tn"] == 1
    predicted = rows["probability"] >= 0.5
    assert precision["tp"] == precision_score(rows["label"] == "covid", predicted)
    assert recall["tp"] == recall_score(rows["label"] == "covid", predicted)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_the_trials_of_an_interval_are_the_people_divided_by(threshold):
    rows = table()
    result = confusion.at(rows, [threshold])
    positive, predicted = rows["label"] == "covid", rows["probability"] >= threshold
    for cell, (is_covid, is_predicted) in confusion.CELLS.items():
        for matrix, of in (
            ("confusion", positive | True),
            ("precision", predicted == is_predicted),
            ("recall", positive == is_covid),
        ):
            found = shares(result, threshold, matrix).loc[cell]
            people = rows[of]["person"].nunique()
            assert (found["of"], found["people"]) == (of.sum(), people)
            if not people:
                assert np.isnan([found["share"], found["low"], found["high"]]).all()
                continue
            low, high = proportion_confint(found["share"] * people, people, method="wilson")
            assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_intervals_of_one_split_are_those_of_the_metrics():
    rows = table(splits=1)
    (score,) = scoring.scores(rows, {"mlp": 0.5}).to_dict("records")
    recall = shares(confusion.at(rows, [0.5]), 0.5, "recall")
    for cell, name in (("tp", "sensitivity"), ("tn", "specificity")):
        expected = [score[name], score[f"{name}_low"], score[f"{name}_high"]]
        assert recall.loc[cell, ["share", "low", "high"]].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("threshold", "predicted"), [(0.5, 1), (np.nextafter(0.5, 1), 0), (np.nextafter(0.5, 0), 1)]
)
def test_a_probability_at_the_threshold_is_predicted_positive(threshold, predicted):
    rows = with_positive(table()[:1].assign(label="covid", probability=0.5))
    result = confusion.at(rows, [threshold])
    assert shares(result, threshold, "recall").loc["tp", "count"] == predicted


def test_shares_of_no_rows_are_missing():
    result = confusion.at(table()[:0], [0.5])
    assert result[["share", "low", "high"]].isna().all(axis=None)
    assert not result[["count", "of", "people"]].any(axis=None)
    assert confusion.cell(table()[:0], 0.5, "tp").empty


@pytest.mark.parametrize("name", confusion.CELLS)
@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.0])
def test_a_cell_holds_its_rows(name, threshold):
    rows = table()
    found = confusion.cell(rows, threshold, name)
    positive, predicted = confusion.CELLS[name]
    inside = rows[
        ((rows["label"] == "covid") == positive) & ((rows["probability"] >= threshold) == predicted)
    ]
    assert set(found["row"]) == set(inside["row"]) and found["row"].is_unique
    count = shares(confusion.at(rows, [threshold]), threshold, "confusion").loc[name, "count"]
    assert found["splits"].map(len).sum() == count
    for line in found.itertuples():
        of = inside[inside["row"] == line.row]
        assert {line.recording} == set(of["recording"]) and {line.person} == set(of["person"])
        assert line.splits == tuple(sorted(of["split"]))
        assert line.tested == (rows["row"] == line.row).sum()
        assert line.probability == pytest.approx(of["probability"].mean())
        assert (line.lowest, line.highest) == (of["probability"].min(), of["probability"].max())
    assert (found["probability"] if not predicted else -found["probability"]).is_monotonic_increasing
