"""All models side by side: true positives, false negatives, and mean curves over many splits."""

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coughlab.charts import COLOURS, LEGEND, MARGIN, add_reference, laid_out
from coughlab.evaluation import roc
from coughlab.task import Task

#: Colour, dash and marker of each curve: three signals, so that curves can be distinguished in print.
STYLES = (
    ("#0072b2", "solid"),
    ("#d55e00", "dash"),
    ("#009e73", "dot"),
    ("#cc79a7", "dashdot"),
    ("#e69f00", "longdash"),
    ("#56b4e9", "longdashdot"),
)
_GRID = np.linspace(0, 1, 101)


def found_and_missed(counts: pd.DataFrame, titles: dict[str, str], task: Task) -> go.Figure:
    """Draw true positives and false negatives of every model, as the case study's plot does.

    `counts` has one row per model and the columns ``tp`` and ``fn``: sums over the splits shown.
    """
    counts = counts.assign(tested=counts["tp"] + counts["fn"])
    chart = go.Figure()
    for column, name, colour, pattern in (
        ("tp", "found (true positives)", COLOURS["negative"], ""),
        ("fn", "missed (false negatives)", COLOURS["positive"], "/"),
    ):
        chart.add_bar(
            y=[titles[model] for model in counts.index],
            x=counts[column] / counts["tested"],
            name=name,
            orientation="h",
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "fillmode": "overlay", "fgopacity": 0.5, "solidity": 0.12},
            },
            text=[
                f"{n} of {of}" if n else "" for n, of in zip(counts[column], counts["tested"], strict=True)
            ],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertemplate=f"%{{y}}: %{{text}} {name}<extra></extra>",
        )
    chart.update_xaxes(
        title=f"share of the {task.condition} recordings tested",
        tickformat=".0%",
        range=[0, 1],
        fixedrange=True,
    )
    chart.update_yaxes(autorange="reversed", fixedrange=True, automargin=True)
    return laid_out(chart, 90 + 30 * len(counts), barmode="stack", margin=MARGIN | {"r": 30})


def curve(
    kind: Literal["roc", "precision_recall"], predictions: pd.DataFrame, titles: dict[str, str]
) -> go.Figure:
    """Draw the mean curve of at most 6 models, and the band of their splits, from test rows of the predictions table."""
    of, x, y = {
        "roc": (roc.roc, "false positive rate (1 - specificity)", "sensitivity"),
        "precision_recall": (roc.precision_recall, "recall (sensitivity)", "precision"),
    }[kind]
    chart = go.Figure()
    for (model, title), (colour, dash) in zip(titles.items(), STYLES, strict=False):
        rows = predictions[predictions["model"] == model]
        drawn = [of(split["positive"], split["probability"]) for _, split in rows.groupby("split")]
        mean, low, high = roc.band(drawn, _GRID)
        if kind == "roc":
            # Every curve starts at the origin, and a rise at x = 0 is vertical.
            grid, mean, low, high = (np.insert(v, 0, 0.0) for v in (_GRID, mean, low, high))
        else:
            grid = _GRID
        chart.add_scatter(
            x=np.concatenate([grid, grid[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            fill="toself",
            mode="none",
            fillcolor=f"rgba({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))}, 0.15)",
            hoverinfo="skip",
            showlegend=False,
        )
        chart.add_scatter(
            x=grid,
            y=mean,
            mode="lines",
            name=f"{title}, {len(drawn)} {'split' if len(drawn) == 1 else 'splits'}",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate=f"{title}: {y} %{{y:.2f}} at %{{x:.2f}}<extra></extra>",
        )
    share = predictions["positive"].mean()
    add_reference(chart, [0, 1] if kind == "roc" else [share, share], "knowing nothing")
    chart.update_xaxes(title=x, range=[-0.02, 1.02], fixedrange=True, constrain="domain")
    chart.update_yaxes(title=y, range=[-0.02, 1.02], fixedrange=True)
    return laid_out(chart, 440, legend=LEGEND | {"y": -0.2, "yanchor": "top"})
