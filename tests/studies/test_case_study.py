"""The published figures next to ours: complete, as printed, and computed from the tables."""

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation.metrics import PER_SPLIT, SHARES
from coughlab.studies import case_study
from coughlab.studies.store import MODELS, StoredStudy
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def study():
    return StoredStudy(MODELS / "kaggle-trial")


@pytest.fixture(scope="module")
def table(study):
    return case_study.table(study)


#: Numbers of true positives, false negatives, false positives and true negatives printed in the case study, on its test rows.
COUNTS = {
    "cnn1": {"tp": 5, "fn": 3, "fp": 0, "tn": 43},
    "cnn2": {"tp": 2, "fn": 1, "fp": 1, "tn": 47},
    "knn": {"tp": 6, "fn": 0, "fp": 1, "tn": 44},
}


@pytest.mark.parametrize("model", COUNTS)
def test_the_published_rates_are_those_of_the_published_counts(model):
    counts, published = COUNTS[model], case_study.PUBLISHED[model]["test"]
    tp, fn, fp, tn = (counts[name] for name in ("tp", "fn", "fp", "tn"))
    assert tp + fn + fp + tn == 51
    assert published["sensitivity"] == pytest.approx(tp / (tp + fn))
    assert published["specificity"] == pytest.approx(tn / (tn + fp))
    assert published["precision"] == pytest.approx(tp / (tp + fp))
    assert published["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    # Printed to two or four decimals.
    assert published["accuracy"] == pytest.approx((tp + tn) / 51, abs=0.005)


def test_every_model_of_the_study_is_a_row(study, table):
    assert list(table.index) == list(study.models)
    assert table["Model", ""].tolist() == [model["title"] for model in study.models.values()]
    for name, metric in PER_SPLIT.items():
        assert (metric.title, "mean") in table or name == "log_loss"


def test_a_cell_is_the_mean_over_splits(study, table):
    rows = study.metrics.query("model == 'knn' and role == 'test' and protocol == 'published'")
    assert table.loc["knn", ("Splits", "")] == len(rows)
    for what, value in (
        ("mean", rows["roc_auc"].mean()),
        ("SD", rows["roc_auc"].std()),
        ("lowest", rows["roc_auc"].min()),
        ("highest", rows["roc_auc"].max()),
    ):
        assert table.loc["knn", ("ROC AUC", what)] == pytest.approx(value)
    train = study.metrics.query("model == 'knn' and role == 'train' and protocol == 'published'")
    assert table.loc["knn", ("Log loss, train", "mean")] == pytest.approx(train["log_loss"].mean())
    seconds = study.fits.query("model == 'knn' and protocol == 'published'")["seconds"]
    assert table.loc["knn", ("Seconds to train", "mean")] == pytest.approx(seconds.mean())


def test_published_figures_are_shown_only_where_they_exist(table):
    published = table["Accuracy", "published"]
    assert published.dtype == float
    assert set(published.dropna().index) == set(case_study.PUBLISHED) & set(table.index)
    assert published["knn"] == 0.98
    assert ("Brier score", "published") not in table


def test_only_the_first_splits_if_asked(study):
    table = case_study.table(study, n_splits=2)
    assert table["Splits", ""].max() == 2
    rows = study.metrics.query("model == 'mlp' and role == 'test' and split < 2 and protocol == 'published'")
    assert table.loc["mlp", ("Accuracy", "mean")] == pytest.approx(rows["accuracy"].mean())


def test_how_many_splits_reach_the_published_figure(study):
    rows = study.metrics.query("model == 'knn' and role == 'test' and protocol == 'published'")
    right = (rows["tp"] + rows["tn"]).to_numpy()
    # 98 % of 51 rows are 50 rows.
    assert case_study.reached(study, "knn") == (int((right >= 50).sum()), len(rows))


def test_every_published_model_has_an_explanation(study):
    assert set(case_study.WHY) == set(case_study.PUBLISHED)
    assert set(case_study.PUBLISHED) <= set(study.models)


def test_the_markdown_says_what_each_score_was_measured_on(study):
    titles = {name: model["title"] for name, model in study.models.items()}
    head, _, *lines = case_study.markdown(study.scores, study.metrics, titles).splitlines()
    scores = study.scores[study.scores["protocol"] == "published"]
    assert len(lines) == len(scores) == len(study.models)
    for line, row in zip(lines, scores.to_dict("records"), strict=True):
        assert line.startswith(f"| {titles[row['model']]} | {row['protocol']}, {row['splits']} split")
        for score in SHARES:
            assert f"{row[score]:.1%} ({row[f'{score}_low']:.1%} to {row[f'{score}_high']:.1%})" in line
        assert f"{row['accuracy_recordings']} recordings, {row['accuracy_people']} people" in line
        assert line.count("|") == head.count("|")


def test_the_readme_and_the_card_have_that_table(study):
    titles = {name: model["title"] for name, model in study.models.items()}
    table = case_study.markdown(study.scores, study.metrics, titles)
    for text in ((ROOT / "README.md").read_text(), study.read("README.md").decode()):
        assert table in text


def test_a_model_without_published_figures_is_marked(study):
    one = study.scores[study.scores["model"] == "cnn"]
    (line,) = case_study.markdown(one, study.metrics, {"cnn": "CNN"}).splitlines()[2:]
    assert line.endswith("| none |")
    assert isinstance(one, pd.DataFrame) and np.isfinite(one["accuracy"]).all()
