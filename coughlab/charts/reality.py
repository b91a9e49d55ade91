"""The Reality check of all models at every step, and the matrix of training and test datasets."""

import textwrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coughlab.charts import error_bars, label_rows
from coughlab.charts.staircase import edges, inked, short
from coughlab.evaluation.metrics import METRICS
from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.evidence.wording import FALSE_ALARMS

#: Orange below guessing, white at it, blue above; pale, because dark numbers are written on it.
CELLS = [[0, "#e69f00"], [0.5, "#f7f7f7"], [1, "#56b4e9"]]


def overview(table: pd.DataFrame, titles: dict[str, str], metric: str) -> go.Figure:
    """Draw every model at every step: one block per model with one line per step, from top to bottom.

    `table` is what `coughlab.evidence.steps.overview` returns; its false alarms are not drawn.
    """
    table = table[(table["metric"] != FALSE_ALARMS) & table["value"].notna()]
    models = [model for model in titles if model in set(table["model"])]
    lines = list(dict.fromkeys(zip(table["protocol"], table["title"], strict=True)))
    lines.sort(key=lambda line: list(PROTOCOLS).index(line[0]))
    block = len(lines) + 1
    chart = go.Figure()
    for k in range(0, len(models), 2):
        chart.add_hrect(
            k * block - 0.5, (k + 1) * block - 0.5, fillcolor="#808080", opacity=0.1, line_width=0
        )
    for number, (protocol, title) in enumerate(lines):
        rows = table[table["title"] == title]
        symbol, colour = PROTOCOLS[protocol].marker
        size = rows[["recordings", "people", "splits"]].agg(
            lambda row: "{:,} recordings, {:,} people, splits: {}".format(*row), axis=1
        )
        chart.add_scatter(
            x=rows["value"],
            y=[models.index(model) * block + number + 0.5 for model in rows["model"]],
            error_x=error_bars(rows["value"], rows["low"], rows["high"], colour, 1.5, 0),
            mode="markers",
            name=title,
            cliponaxis=False,
            marker={"symbol": symbol, "size": 9, "color": colour, "line": {"width": 1.5, "color": colour}},
            customdata=np.column_stack(
                [rows["model"].map(titles), [edges(row) for row in rows.to_dict("records")], size]
            ),
            hovertemplate=f"%{{customdata[0]}}, {title}: %{{x:.2f}} (%{{customdata[1]}})<br>%{{customdata[2]}}<extra></extra>",
        )
    if METRICS[metric].chance is not None:
        chart.add_vline(METRICS[metric].chance, line={"color": "#777777", "width": 1.5, "dash": "dash"})
    chart.update_xaxes(
        title=METRICS[metric].title,
        range=[-0.01, 1.01],
        fixedrange=True,
        zeroline=False,
        tickformat=METRICS[metric].axis,
    )
    label_rows(
        chart,
        ["<br>".join(textwrap.wrap(titles[model], 16)) for model in models],
        tickvals=[k * block + block / 2 - 0.5 for k in range(len(models))],
        range=[len(models) * block - 0.5, -0.5],
        zeroline=False,
        automargin=True,
    )
    return inked(chart).update_layout(
        height=150 + 11 * block * len(models),
        margin={"l": 8, "r": 16, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )


def matrix(table: pd.DataFrame, metric: str) -> go.Figure:
    """Draw the scores of models trained on one dataset and tested on another, with numbers in the cells.

    `table` is what `coughlab.evidence.steps.matrix` returns. Only cells of `metric` are coloured: those with specificity are not
    comparable.
    """
    rows, columns = (list(table[name].unique()) for name in ("trained_on", "tested_on"))
    values = table["value"].where(table["metric"] == metric).to_numpy(dtype=float)
    chart = go.Figure(
        go.Heatmap(
            z=values.reshape(len(rows), len(columns)),
            zmin=0,
            zmax=1,
            colorscale=CELLS,
            showscale=False,
            xgap=4,
            ygap=4,
            hoverinfo="skip",
        )
    )
    for number, cell in enumerate(table.to_dict("records")):
        y, x = divmod(number, len(columns))
        coloured = cell["metric"] == metric and not cell["reason"]
        chart.add_annotation(
            text=_in_words(cell, metric),
            x=x,
            y=y,
            showarrow=False,
            font={"size": 12} | ({"color": "#10191f"} if coloured else {}),
        )
        if not coloured:
            chart.add_shape(
                type="rect",
                x0=x - 0.48,
                x1=x + 0.48,
                y0=y - 0.48,
                y1=y + 0.48,
                line={"color": "#8c8c8c", "width": 1, "dash": "dot"},
            )
    axis = {"fixedrange": True, "showgrid": False, "zeroline": False, "ticks": ""}
    chart.update_xaxes(
        title="tested on", side="top", tickvals=list(range(len(columns))), ticktext=columns, **axis
    )
    label_rows(chart, rows, title="trained on", tickangle=-90, **axis)
    return inked(chart).update_layout(height=70 + 160 * len(rows), margin={"l": 8, "r": 8, "t": 8, "b": 8})


def _in_words(cell, metric):
    if cell["reason"]:
        return "–<br>" + "<br>".join(textwrap.wrap(cell["reason"], 16))
    lines = [f"<b>{short(cell)}</b>", edges(cell)]
    if cell["metric"] != metric:
        lines[0] = f"specificity <b>{short(cell)}</b>"
    within = cell["trained_on"] == cell["tested_on"]
    lines += textwrap.wrap(PROTOCOLS[cell["protocol"]].title.lower(), 16) if within else []
    return "<br>".join([*lines, f"{cell['recordings']:,} recordings", f"{cell['people']:,} people"])
