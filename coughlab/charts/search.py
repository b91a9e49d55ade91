"""Hyperopt's trials: progress of the search, importance of the settings, and the best pipelines in words."""

from collections.abc import Collection

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coughlab.charts import LEGEND, MARGIN, laid_out
from coughlab.classifiers import search
from coughlab.evaluation import intervals, scoring
from coughlab.evaluation.metrics import SHARES

#: A colour (Okabe and Ito's, and a grey) and a symbol for each model family.
MARKS = {
    "logistic_regression": ("#0072b2", "circle"),
    "naive_bayes": ("#e69f00", "square"),
    "knn": ("#d55e00", "diamond"),
    "linear_svm": ("#009e73", "triangle-up"),
    "rbf_svm": ("#56b4e9", "triangle-down"),
    "tree": ("#cc79a7", "cross"),
    "forest": ("#8c8c8c", "pentagon"),
    "gradient_boosting": ("#b8a800", "hexagram"),
}
PREPROCESSING = {"none": "as it is", "l1": "L1", "l2": "L2", "standard": "standard", "minmax": "min-max"}
PUBLISHED = "published winner"
_LEGEND = LEGEND | {"y": 1.02}


def _finished(trials):
    """The trials that did not fail, with their pipelines in ``pipeline``."""
    trials = trials[trials["status"] == "ok"]
    return trials.assign(pipeline=[search.describe(row) for row in trials.to_dict("records")])


def _is_published(trials):
    return [search.is_published(row) for row in trials.to_dict("records")]


def ranking(trials: pd.DataFrame) -> pd.DataFrame:
    """Trials from best to worst; of trials with the same description only the best is kept.

    Added columns: ``pipeline`` (in words), ``rank`` (ties share the better rank) and ``published`` (whether it is the case
    study's winner). Failed trials are left out.
    """
    ranked = _finished(trials).sort_values(["loss", "trial"])
    ranked = ranked.assign(published=_is_published(ranked)).drop_duplicates("pipeline")
    return ranked.assign(rank=ranked["loss"].rank(method="min").astype(int)).reset_index(drop=True)


def people(predictions: pd.DataFrame) -> dict[str, int]:
    """Number of different people behind each score: the search used the training rows of the first published split."""
    rows = predictions.query("protocol == 'published' and split == 0 and role == 'train'")
    return {
        score: scoring.asked(rows, metric.share_of)["person"].nunique()
        for score, metric in SHARES.items()
        if metric.share_of
    }


def table(ranked: pd.DataFrame, people: dict[str, int]) -> pd.DataFrame:
    """Scores of the rows of `ranking` with their 95% intervals, for reading.

    Shares have Wilson intervals, with the number of `people` as the number of trials; the Brier score has the interval of
    `coughlab.classifiers.search.cross_validate`.
    """

    def written(score, form, low, high):
        rows = zip(ranked[score], low, high, strict=True)
        return [f"{value:{form}} ({low:{form}} to {high:{form}})" for value, low, high in rows]

    shares = {}
    for score, number in people.items():
        shares[score] = written(score, ".0%", *intervals.wilson(ranked[score], max(number, 1)))
    return pd.DataFrame(
        {
            "rank": ranked["rank"],
            "pipeline": ranked["pipeline"].mask(
                ranked["published"], "Published winner: " + ranked["pipeline"]
            ),
            "Brier score": written("loss", ".3f", ranked["loss_low"], ranked["loss_high"]),
            **shares,
            "trial": ranked["trial"],
        }
    )


def importance(trials: pd.DataFrame) -> pd.DataFrame:
    """How much of the variation in the Brier score is explained by the model family and by the preprocessing.

    The share is eta squared: the sum of squares between groups over the total sum of squares (J. Cohen, "Statistical Power
    Analysis for the Behavioral Sciences", 2nd edition, 1988, chapter 8). The more groups there are, the larger the share by
    chance.

    Returns
    -------
    pandas.DataFrame
        ``what``, ``share``, and ``chance``: the mean share if the scores were assigned to the trials at random, which is (groups
        - 1) / (trials - 1). The rest, after family and preprocessing, is the share of the other settings.
    """
    tried = trials[trials["status"] == "ok"]
    loss = tried["loss"]
    total, varies = ((loss - loss.mean()) ** 2).sum(), loss.nunique() > 1
    rows = []
    for what, columns in {
        "Model family": ["model"],
        "Preprocessing": ["preprocessing"],
        "Both together": ["model", "preprocessing"],
    }.items():
        groups = tried.groupby(columns, observed=True)["loss"]
        between = ((groups.transform("mean") - loss.mean()) ** 2).sum()
        # Scores that do not vary leave nothing to explain: all shares are 0.
        share = between / total if varies else 0.0
        rows.append({"what": what, "share": share, "chance": (groups.ngroups - 1) / max(len(tried) - 1, 1)})
    rest = {"share": 1 - rows[-1]["share"] if varies else 0.0, "chance": 1 - rows[-1]["chance"]}
    return pd.DataFrame([*rows, {"what": "Further settings"} | rest])


def history(trials: pd.DataFrame, families: Collection[str]) -> go.Figure:
    """Draw the score of every trial of some families; the best so far and the published winner are always drawn."""
    tried = _finished(trials)
    tried = tried.assign(kind=tried["model"].astype(object).mask(_is_published(tried), PUBLISHED))
    chart = go.Figure()
    chart.add_scatter(
        x=tried["trial"],
        y=tried["loss"].cummin(),
        mode="lines",
        name="best so far",
        line={"shape": "hv", "color": "#8c8c8c", "dash": "dash"},
        hoverinfo="skip",
    )
    marks = {family: MARKS[family] for family in MARKS if family in families}
    for kind, (colour, symbol) in (marks | {PUBLISHED: (MARKS["knn"][0], "star")}).items():
        of = tried[tried["kind"] == kind]
        chart.add_scatter(
            x=of["trial"],
            y=of["loss"],
            mode="markers",
            name=search.FAMILIES.get(kind, PUBLISHED),
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 16 if kind == PUBLISHED else 9,
                "line": {"color": "white", "width": 0.5},
            },
            customdata=of[["pipeline", "loss_low", "loss_high"]],
            hovertemplate="Trial %{x}: %{y:.3f} (95% interval %{customdata[1]:.3f} to %{customdata[2]:.3f})"
            "<br>%{customdata[0]}<extra></extra>",
        )
    chart.update_xaxes(title="Trial", range=[-1.5, len(trials) + 0.5])
    chart.update_yaxes(title="Brier score (lower is better)", rangemode="tozero")
    return laid_out(chart, 520, legend=_LEGEND)


def shares(trials: pd.DataFrame) -> go.Figure:
    """Draw `importance`: a bar for each share, and a vertical line for the share expected by chance."""
    rows = importance(trials)
    labels = [f"{what}: {share:.0%}" for what, share in zip(rows["what"], rows["share"], strict=True)]
    chart = go.Figure()
    chart.add_bar(
        y=labels,
        x=rows["share"],
        orientation="h",
        name="share of the variation",
        marker={"color": "#0072b2"},
        hoverinfo="skip",
    )
    chart.add_scatter(
        y=labels,
        x=rows["chance"],
        mode="markers",
        name="by chance alone",
        marker={"symbol": "line-ns", "size": 26, "line": {"color": "#d55e00", "width": 3}},
        hovertemplate="%{y} (by chance alone %{x:.0%})<extra></extra>",
    )
    chart.update_yaxes(autorange="reversed", fixedrange=True)
    chart.update_xaxes(range=[0, 1], tickformat=".0%", fixedrange=True)
    return laid_out(chart, 260, legend=_LEGEND)


def grid(trials: pd.DataFrame) -> go.Figure:
    """Draw the best score of every model family with every preprocessing, and the number of trials; pairs not tried are empty."""
    tried, pair = _finished(trials), ["model", "preprocessing"]
    groups = tried.groupby(pair, observed=True)["loss"]
    best, number = tried.loc[groups.idxmin()].set_index(pair), groups.size()

    def in_cells(values):
        return values.unstack().reindex(index=list(search.FAMILIES), columns=list(PREPROCESSING))

    text = best["loss"].map("{:.3f}".format) + "<br>" + number.map("({})".format)
    chart = go.Figure(
        go.Heatmap(
            x=list(PREPROCESSING.values()),
            y=list(search.FAMILIES.values()),
            z=in_cells(best["loss"]),
            text=in_cells(text).fillna(""),
            texttemplate="%{text}",
            customdata=np.stack(
                [in_cells(best[name]) for name in ("pipeline", "loss_low", "loss_high")], axis=-1
            ),
            hovertemplate="%{customdata[0]}<br>%{z:.3f} (95% interval %{customdata[1]:.3f} to %{customdata[2]:.3f})"
            "<extra></extra>",
            hoverongaps=False,
            # Light colours only, so that the numbers can be read on them.
            colorscale=[[0, "#7cc4ee"], [1, "#f3f6f8"]],
            textfont={"color": "#1f2933"},
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    chart.update_xaxes(side="top", fixedrange=True, showgrid=False)
    chart.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    return chart.update_layout(height=420, margin=MARGIN)
