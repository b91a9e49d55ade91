"""The page "Search", run by Streamlit without a browser."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from coughlab.charts import search as chart
from coughlab.classifiers import search
from coughlab.features import acoustic
from coughlab.serving import predictors
from coughlab.studies import store
from coughlab.studies.writer import replacing
from tests.conftest import ROOT

COMMITTED = predictors.default().study


@pytest.fixture(scope="module")
def trials():
    """A short search on the training rows of the committed study's first split."""
    rows = COMMITTED.predictions
    rows = rows[(rows["protocol"] == "published") & (rows["split"] == 0) & (rows["role"] == "train")]
    train = rows["row"].drop_duplicates().sort_values()
    table = COMMITTED.features.loc[train]
    *_, trials = search.run(table[list(acoustic.NAMES)], table["label"] == "covid", seed=1, n_trials=14)
    return trials


def stored(folder, trials=None):
    """A study with the committed predictions and main model, and with these trials."""
    main = COMMITTED.models[COMMITTED.main_model]
    with replacing(folder / predictors.STUDY) as writer:
        writer.write_table(store.FEATURES, COMMITTED.features)
        writer.write_table(store.PREDICTIONS, COMMITTED.predictions)
        if trials is not None:
            writer.write_table(store.TRIALS, trials)
        writer.write(main["serve"], COMMITTED.read(main["serve"]))
        writer.manifest |= {
            "study": predictors.STUDY,
            "definition": COMMITTED.manifest["definition"],
            "models": {COMMITTED.main_model: main},
        }
    return folder


@pytest.fixture
def page():
    return AppTest.from_file(str(ROOT / "pages/search.py"), default_timeout=60)


def text(page):
    return "\n".join(element.value for kind in ("markdown", "info", "error") for element in page.get(kind))


@pytest.fixture
def searched(page, monkeypatch, tmp_path, trials):
    monkeypatch.setattr(predictors, "MODELS", stored(tmp_path, trials))
    page.run()
    assert not page.exception and not page.error
    return page


def test_without_a_search_the_page_says_how_to_make_one(page, monkeypatch, tmp_path):
    monkeypatch.setattr(predictors, "MODELS", stored(tmp_path))
    page.run()
    assert not page.exception and not page.get("plotly_chart")
    assert "coughlab search kaggle-trial --data DIR --trials 60" in page.info[0].value


def test_a_damaged_study_is_reported(page, monkeypatch, tmp_path, trials):
    monkeypatch.setattr(predictors, "MODELS", stored(tmp_path, trials))
    (tmp_path / predictors.STUDY / store.TRIALS).write_bytes(b"?")
    page.run()
    assert not page.exception and len(page.error) == 1 and store.TRIALS in page.error[0].value


def test_the_page_says_what_the_scores_were_measured_on(searched, trials):
    people = chart.people(COMMITTED.predictions)
    assert "not test scores" in text(searched)
    assert (
        f"5-fold cross-validation inside the {trials['recordings'][0]} training rows of the first published split of"
        f" kaggle-trial ({people['accuracy']} people; {trials['positives'][0]} rows with COVID)"
    ) in text(searched)


def test_the_best_and_the_published_winner_are_shown(searched, trials):
    ranked = chart.ranking(trials)
    best, published = ranked.iloc[0], ranked[ranked["published"]].iloc[0]
    for row in (best, published):
        assert row["pipeline"] in text(searched)
        assert f"{row['loss_low']:.3f} to {row['loss_high']:.3f}" in text(searched)
    assert f"is number {published['rank']} of {len(ranked)}" in text(searched)


def test_the_table_lists_ten_and_the_published_winner_at_any_rank(searched, trials, page, tmp_path):
    shown = searched.dataframe[0].value
    ranked = chart.ranking(trials)
    assert shown["trial"].tolist()[:10] == ranked["trial"].tolist()[:10]
    worst = trials.assign(loss=trials["loss"].mask(trials["trial"] == 0, 0.9))
    stored(tmp_path, worst)
    shown = page.run().dataframe[0].value
    assert len(shown) == 11 and shown["trial"].iloc[-1] == 0 and shown["rank"].iloc[-1] == len(ranked)


def drawn(page):
    """Names of the traces in the history."""
    return {trace["name"] for trace in json.loads(page.get("plotly_chart")[0].proto.spec)["data"]}


def test_families_can_be_picked(searched, trials):
    tried = {search.FAMILIES[model] for model in trials["model"]}
    always = {"best so far", chart.PUBLISHED}
    assert len(searched.get("plotly_chart")) == 3
    assert drawn(searched) == tried | always
    searched.pills[0].set_value(["knn"]).run()
    assert drawn(searched) == {search.FAMILIES["knn"]} | always
    searched.pills[0].set_value([]).run()
    assert not searched.exception and drawn(searched) == always


def test_a_link_carries_the_families(page, monkeypatch, tmp_path, trials):
    monkeypatch.setattr(predictors, "MODELS", stored(tmp_path, trials))
    page.query_params["families"] = "knn"
    assert page.run().pills[0].value == ["knn"]


def test_a_link_with_an_unknown_family_shows_all(page, monkeypatch, tmp_path, trials):
    monkeypatch.setattr(predictors, "MODELS", stored(tmp_path, trials))
    page.query_params["families"] = "<script>"
    page.run()
    assert not page.exception and set(page.pills[0].value) == set(trials["model"])
    assert r"families=\<script\>, which is unknown here" in page.warning[0].value


def test_trials_that_failed_are_counted(page, monkeypatch, tmp_path, trials):
    changed = trials.copy()
    changed.loc[[3, 4], "status"] = "failed"
    changed.loc[[3, 4], list(search.SCORES)] = float("nan")
    monkeypatch.setattr(predictors, "MODELS", stored(tmp_path, changed))
    page.run()
    assert not page.exception
    assert f"2 of {len(trials)} trials failed" in text(page)
