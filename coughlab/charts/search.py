"""Hyperopt's trials: how the search went, what mattered in it, and its best pipelines in words."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

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


def ranking(trials):
    """Trials from best to worst, those of the same words left out but for the best of them.

    Parameters
    ----------
    trials : pandas.DataFrame
        Trials of `coughlab.classifiers.search.run`.

    Returns
    -------
    pandas.DataFrame
        The trials that did not fail, with ``pipeline`` (in words), ``rank`` (equals share the better one) and ``published``
        (whether it is the case study's winner).
    """
    ranked = trials[trials["status"] == "ok"].sort_values(["loss", "trial"])
    rows = ranked.to_dict("records")
    ranked = ranked.assign(
        pipeline=[search.describe(row) for row in rows], published=[search.is_published(row) for row in rows]
    ).drop_duplicates("pipeline")
    return ranked.assign(rank=ranked["loss"].rank(method="min").astype(int)).reset_index(drop=True)


def people(predictions):
    """How many different people each score rests on.

    Parameters
    ----------
    predictions : pandas.DataFrame
        The predictions table; the search was made on the training rows of its first published split.

    Returns
    -------
    dict of str to int
        People for ``accuracy``, ``sensitivity`` and ``specificity``.
    """
    of = (
        (predictions["protocol"] == "published")
        & (predictions["split"] == 0)
        & (predictions["role"] == "train")
    )
    rows = predictions[of]
    return {
        score: scoring.asked(rows, metric.share_of)["person"].nunique() for score, metric in SHARES.items()
    }


def table(ranked, people):
    """Scores of pipelines with their 95% intervals, for reading.

    Parameters
    ----------
    ranked : pandas.DataFrame
        Rows of `ranking`.
    people : dict of str to int
        How many different people each score rests on, as of `people`: the number of trials of its Wilson interval. The Brier
        score has the interval of `coughlab.classifiers.search.cross_validate`.

    Returns
    -------
    pandas.DataFrame
        One row a pipeline.
    """

    def told(score, form, low, high):
        rows = zip(ranked[score], low, high, strict=True)
        return [f"{value:{form}} ({low:{form}} to {high:{form}})" for value, low, high in rows]

    shares = {}
    for score, number in people.items():
        shares[score] = told(score, ".0%", *intervals.wilson(ranked[score], max(number, 1)))
    return pd.DataFrame(
        {
            "rank": ranked["rank"],
            "pipeline": ranked["pipeline"].mask(
                ranked["published"], "Published winner: " + ranked["pipeline"]
            ),
            "Brier score": told("loss", ".3f", ranked["loss_low"], ranked["loss_high"]),
            **shares,
            "trial": ranked["trial"],
        }
    )


def importance(trials):
    """How much of the variation in the Brier score goes with the model family and with the preprocessing.

    The share is eta squared: the sum of squares between groups over the total sum of squares (J. Cohen, "Statistical Power
    Analysis for the Behavioral Sciences", 2nd edition, 1988, chapter 8). The more groups there are, the more comes by chance.

    Parameters
    ----------
    trials : pandas.DataFrame
        Trials.

    Returns
    -------
    pandas.DataFrame
        ``what``, ``share``, and ``chance``: the mean share if the scores were dealt to the trials at random, which is
        (groups - 1) / (trials - 1). What family and preprocessing together leave is the further settings' share.
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
        # Scores that do not vary are explained by nothing.
        share = between / total if varies else 0.0
        rows.append({"what": what, "share": share, "chance": (groups.ngroups - 1) / max(len(tried) - 1, 1)})
    rest = {"share": 1 - rows[-1]["share"] if varies else 0.0, "chance": 1 - rows[-1]["chance"]}
    return pd.DataFrame([*rows, {"what": "Further settings"} | rest])


def history(trials, families):
    """The score of every trial, and the best so far.

    Parameters
    ----------
    trials : pandas.DataFrame
        Trials.
    families : collection of str
        Model families to draw; the best so far and the published winner are drawn whatever is chosen.

    Returns
    -------
    plotly.graph_objects.Figure
        A trace a family, each with its colour and symbol.
    """
    tried = trials[trials["status"] == "ok"]
    rows = tried.to_dict("records")
    words, published = [search.describe(row) for row in rows], [search.is_published(row) for row in rows]
    tried = tried.assign(words=words, kind=tried["model"].astype(object).mask(published, PUBLISHED))
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
            customdata=of[["words", "loss_low", "loss_high"]],
            hovertemplate="Trial %{x}: %{y:.3f} (95% interval %{customdata[1]:.3f} to %{customdata[2]:.3f})"
            "<br>%{customdata[0]}<extra></extra>",
        )
    chart.update_xaxes(title="Trial", range=[-1.5, len(trials) + 0.5])
    chart.update_yaxes(title="Brier score (lower is better)", rangemode="tozero")
    chart.update_layout(
        height=520,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return chart


def shares(trials):
    """Draw `importance`.

    Parameters
    ----------
    trials : pandas.DataFrame
        Trials.

    Returns
    -------
    plotly.graph_objects.Figure
        A bar for the share, and an upright line for what chance alone would give.
    """
    rows = importance(trials)
    told = [f"{what}: {share:.0%}" for what, share in zip(rows["what"], rows["share"], strict=True)]
    chart = go.Figure()
    chart.add_bar(
        y=told,
        x=rows["share"],
        orientation="h",
        name="share of the variation",
        marker={"color": "#0072b2"},
        hoverinfo="skip",
    )
    chart.add_scatter(
        y=told,
        x=rows["chance"],
        mode="markers",
        name="by chance alone",
        marker={"symbol": "line-ns", "size": 26, "line": {"color": "#d55e00", "width": 3}},
        hovertemplate="%{y} (by chance alone %{x:.0%})<extra></extra>",
    )
    chart.update_yaxes(autorange="reversed", fixedrange=True)
    chart.update_xaxes(range=[0, 1], tickformat=".0%", fixedrange=True)
    chart.update_layout(
        height=260,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return chart


def grid(trials):
    """The best score of every model family with every preprocessing, and how many trials it was the best of.

    Parameters
    ----------
    trials : pandas.DataFrame
        Trials.

    Returns
    -------
    plotly.graph_objects.Figure
        Pairs that were not tried stay empty.
    """
    tried = trials[trials["status"] == "ok"]
    best = tried.loc[tried.groupby(["model", "preprocessing"], observed=True)["loss"].idxmin()]
    best = best.assign(words=[search.describe(row) for row in best.to_dict("records")])
    best = best.set_index(["model", "preprocessing"])
    number = tried.groupby(["model", "preprocessing"], observed=True).size()

    def laid_out(values):
        return values.unstack().reindex(index=list(search.FAMILIES), columns=list(PREPROCESSING))

    text = best["loss"].map("{:.3f}".format) + "<br>" + number.map("({})".format)
    chart = go.Figure(
        go.Heatmap(
            x=list(PREPROCESSING.values()),
            y=list(search.FAMILIES.values()),
            z=laid_out(best["loss"]),
            text=laid_out(text).fillna(""),
            texttemplate="%{text}",
            customdata=np.stack(
                [laid_out(best[name]) for name in ("words", "loss_low", "loss_high")], axis=-1
            ),
            hovertemplate="%{customdata[0]}<br>%{z:.3f} (95% interval %{customdata[1]:.3f} to %{customdata[2]:.3f})"
            "<extra></extra>",
            hoverongaps=False,
            # Light throughout, so that the numbers can be read on it.
            colorscale=[[0, "#7cc4ee"], [1, "#f3f6f8"]],
            textfont={"color": "#1f2933"},
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    chart.update_xaxes(side="top", fixedrange=True, showgrid=False)
    chart.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    chart.update_layout(height=420, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return chart
