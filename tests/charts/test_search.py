"""The charts of a search, checked by the data they contain."""

import json

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.proportion import proportion_confint

from coughlab.charts import search as chart
from coughlab.classifiers import search
from tests.tables import with_positive

MODELS = list(search.SPACE)
PEOPLE = {"accuracy": 100, "sensitivity": 12, "specificity": 88}


def made_up(n=80, seed=0):
    """Trials with a score that depends on family and preprocessing, plus noise; the first is the published winner."""
    rng = np.random.default_rng(seed)
    model = rng.integers(len(MODELS), size=n)
    preprocessing = rng.integers(len(search.PREPROCESSING), size=n)
    loss = 0.05 + 0.02 * model + 0.01 * preprocessing + rng.uniform(0, 0.02, n)
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "model": np.array(MODELS)[model],
            "preprocessing": np.array(list(search.PREPROCESSING))[preprocessing],
            "parameters": [json.dumps({"C": float(c)}) for c in np.arange(n) + 1.0],
            "vals": "{}",
            "status": "ok",
            "loss": loss,
            "loss_low": loss - 0.03,
            "loss_high": loss + 0.04,
            "accuracy": 0.9,
            "sensitivity": 1.0,
            "specificity": 0.85,
        }
    )
    first = {
        "model": "knn",
        "preprocessing": "l1",
        "parameters": '{"metric": "euclidean", "n_neighbors": 1}',
        "vals": json.dumps(search.PUBLISHED),
    }
    table.loc[0, list(first)] = first
    table.loc[5, ["status", "loss", "loss_low", "loss_high"]] = "failed", np.nan, np.nan, np.nan
    return table


TRIALS = made_up()
OK = TRIALS[TRIALS["status"] == "ok"]


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_pipelines_are_ranked_from_the_lowest_score():
    ranked = chart.ranking(TRIALS)
    assert ranked["loss"].tolist() == sorted(OK["loss"])
    assert ranked["rank"].tolist() == list(range(1, len(OK) + 1))
    (published,) = ranked[ranked["published"]].to_dict("records")
    assert published["trial"] == 0
    assert (
        published["pipeline"]
        == "K nearest neighbours, K = 1, Euclidean distance, on rows scaled to unit L1 norm"
    )


def test_equal_descriptions_are_listed_once_and_equal_scores_share_a_rank():
    table = TRIALS.head(5).copy()
    same = ["model", "preprocessing", "parameters", "vals"]
    table.loc[3, same] = table.loc[0, same].to_numpy()
    table["loss"] = [0.2, 0.1, 0.1, 0.2, 0.3]
    ranked = chart.ranking(table)
    assert ranked["trial"].tolist() == [1, 2, 0, 4]
    assert ranked["rank"].tolist() == [1, 1, 3, 4]


def test_the_table_has_every_score_with_its_interval():
    table = chart.table(chart.ranking(TRIALS), PEOPLE)
    best = OK.sort_values("loss").iloc[0]
    low, high = best["loss"] - 0.03, best["loss"] + 0.04
    assert table.loc[0, "Brier score"] == f"{best['loss']:.3f} ({low:.3f} to {high:.3f})"
    assert table.loc[0, "trial"] == best["trial"]
    for score, value in {"accuracy": 0.9, "sensitivity": 1.0, "specificity": 0.85}.items():
        low, high = proportion_confint(value * PEOPLE[score], PEOPLE[score], method="wilson")
        assert table.loc[0, score] == f"{value:.0%} ({low:.0%} to {high:.0%})"
    assert table["pipeline"].str.startswith("Published winner: ").sum() == 1


def test_people_are_those_of_the_training_rows_of_the_first_split():
    predictions = pd.DataFrame(
        [
            ("published", 0, "train", "a", "covid"),
            ("published", 0, "train", "a", "covid"),
            ("published", 0, "train", "b", "not_covid"),
            ("published", 0, "train", "c", "not_covid"),
            ("published", 0, "test", "d", "covid"),
            ("published", 1, "train", "e", "covid"),
            ("deduplicated", 0, "train", "f", "covid"),
        ],
        columns=["protocol", "split", "role", "person", "label"],
    )
    assert chart.people(with_positive(predictions)) == {"accuracy": 3, "sensitivity": 1, "specificity": 2}


def test_shares_are_those_of_an_analysis_of_variance():
    found = chart.importance(TRIALS).set_index("what")["share"]
    for what, formula in {
        "Model family": "loss ~ C(model)",
        "Preprocessing": "loss ~ C(preprocessing)",
        "Both together": "loss ~ C(model + preprocessing)",
    }.items():
        assert found[what] == pytest.approx(ols(formula, OK).fit().rsquared)
    assert found["Further settings"] == pytest.approx(1 - found["Both together"])
    assert found["Model family"] > found["Preprocessing"] > 0


def test_chance_is_what_shuffled_scores_give():
    rng = np.random.default_rng(1)
    shuffled = [chart.importance(OK.assign(loss=rng.permutation(OK["loss"])))["share"] for _ in range(200)]
    expected = chart.importance(TRIALS)["chance"]
    np.testing.assert_allclose(np.mean(shuffled, axis=0), expected, atol=0.015)


def test_scores_that_do_not_vary_are_explained_by_nothing():
    for table in (TRIALS.assign(loss=0.1), TRIALS.head(1)):
        assert chart.importance(table)["share"].tolist() == [0, 0, 0, 0]


def test_the_history_draws_every_trial_once():
    figure = chart.history(TRIALS, MODELS)
    drawn = {
        x: y
        for trace in figure.data
        if trace.mode == "markers"
        for x, y in zip(trace.x, trace.y, strict=True)
    }
    assert drawn == dict(zip(OK["trial"], OK["loss"], strict=True))
    assert sum(len(trace.x) for trace in figure.data if trace.mode == "markers") == len(OK)
    assert list(traces(figure)[chart.PUBLISHED].x) == [0]
    for family in MODELS:
        trace = traces(figure)[search.FAMILIES[family]]
        assert set(TRIALS.loc[list(trace.x), "model"]) == {family}


def test_families_differ_in_colour_and_symbol():
    markers = [trace.marker for trace in chart.history(TRIALS, MODELS).data if trace.mode == "markers"]
    assert len({marker.symbol for marker in markers}) == len(MODELS) + 1
    assert len({marker.color for marker in markers}) == len(MODELS)
    assert set(chart.MARKS) == set(MODELS)


def test_the_best_so_far_never_rises_for_any_selection():
    for families in (MODELS, ["tree"], []):
        shown = traces(chart.history(TRIALS, families))
        line = shown["best so far"]
        assert list(line.y) == np.minimum.accumulate(OK["loss"]).tolist()
        assert set(shown) == {"best so far", chart.PUBLISHED, *(search.FAMILIES[name] for name in families)}


def test_the_hover_text_has_the_pipeline_and_the_interval():
    trace = traces(chart.history(TRIALS, MODELS))[chart.PUBLISHED]
    ((words, low, high),) = trace.customdata
    assert words.startswith("K nearest neighbours, K = 1")
    assert (low, high) == pytest.approx((TRIALS.loc[0, "loss_low"], TRIALS.loc[0, "loss_high"]))


def test_the_bars_are_the_shares():
    bar, marks = chart.shares(TRIALS).data
    rows = chart.importance(TRIALS)
    assert list(bar.x) == rows["share"].tolist() and list(marks.x) == rows["chance"].tolist()
    assert list(bar.y) == list(marks.y)
    assert bar.y[0] == f"Model family: {rows['share'][0]:.0%}"


def test_the_grid_holds_the_best_of_every_pair_and_how_many_there_were():
    sparse = OK[~((OK["model"] == "tree") & (OK["preprocessing"] == "l2"))]
    (cells,) = chart.grid(sparse).data
    for i, model in enumerate(search.FAMILIES):
        for j, preprocessing in enumerate(search.PREPROCESSING):
            of = sparse.loc[(sparse["model"] == model) & (sparse["preprocessing"] == preprocessing), "loss"]
            if of.empty:
                assert np.isnan(cells.z[i][j]) and cells.text[i][j] == ""
            else:
                assert cells.z[i][j] == of.min()
                assert cells.text[i][j] == f"{of.min():.3f}<br>({len(of)})"
                assert cells.customdata[i][j][0].startswith(search.FAMILIES[model])
    assert np.isnan(cells.z[list(search.FAMILIES).index("tree")][list(search.PREPROCESSING).index("l2")])
    assert list(cells.y) == list(search.FAMILIES.values())
    assert list(chart.PREPROCESSING) == list(search.PREPROCESSING)
