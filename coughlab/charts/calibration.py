"""Calibration: predicted probabilities against observed frequencies."""

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from coughlab.charts import COLOURS, add_reference, error_bars, laid_out
from coughlab.evaluation import calibration
from coughlab.task import Task
from coughlab.text import counted

#: Colour, symbol, dash and pattern of each curve: four signals, so that they differ in print as well.
STYLES = (
    ("as answered", COLOURS["positive"], "diamond", "solid", ""),
    ("recalibrated", "#3a8fc4", "circle-open", "dash", "/"),
)
#: Width of a bar of the lower panel.
STEP = 0.05


def reliability(
    before: pd.DataFrame,
    after: pd.DataFrame | None = None,
    *,
    task: Task,
    bins: int = 10,
    strategy: Literal["uniform", "quantile"] = "uniform",
) -> go.Figure:
    """Draw the observed frequency of the condition by predicted probability, above a histogram of the probabilities.

    `before` are rows of the predictions table, `after` the same rows recalibrated. Each bin and curve has a point with its 95%
    interval, from `coughlab.evaluation.calibration.reliability`. The diagonal is perfect calibration. Each bar is a twentieth
    wide.
    """
    chart = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.04)
    add_reference(chart, [0, 1], "if every probability were right", row=1, col=1)
    edges = np.arange(0, 1, STEP)
    for rows, (name, colour, symbol, dash, pattern) in zip((before, after), STYLES, strict=True):
        if rows is None:
            continue
        points = calibration.reliability(rows, bins=bins, strategy=strategy)
        chart.add_scatter(
            x=points["predicted"],
            y=points["observed"],
            mode="lines+markers",
            name=name,
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 10, "color": colour, "line": {"width": 2, "color": colour}},
            error_y=error_bars(points["observed"], points["low"], points["high"], colour, 1.5, 5),
            customdata=[
                f"{point.low:.0%} to {point.high:.0%}, {counted(point.recordings, 'recording')} of"
                f" {point.people} {'person' if point.people == 1 else 'people'}"
                for point in points.itertuples()
            ],
            hovertemplate=f"{name}: %{{x:.0%}} promised, %{{y:.0%}} had {task.condition}<br>"
            "(95% interval %{customdata})<extra></extra>",
            row=1,
            col=1,
        )
        # A probability of 1 belongs to the last bar.
        of = np.minimum((rows["probability"].to_numpy(dtype=float) / STEP).astype(int), len(edges) - 1)
        chart.add_bar(
            x=edges + STEP / 2,
            y=np.bincount(of, minlength=len(edges)) / max(len(rows), 1),
            name=name,
            showlegend=False,
            marker={"color": colour, "pattern": {"shape": pattern, "fillmode": "overlay", "solidity": 0.3}},
            customdata=[f"{edge:.0%} to {edge + STEP:.0%}" for edge in edges],
            hovertemplate=f"{name}: %{{y:.1%}} of the answers are %{{customdata}}<extra></extra>",
            row=2,
            col=1,
        )
    shares = {"range": [-0.03, 1.03], "tickformat": ".0%", "fixedrange": True}
    chart.update_xaxes(**shares)
    chart.update_xaxes(title=f"probability of {task.condition}", row=2, col=1)
    chart.update_yaxes(title=f"share that had {task.condition}", **shares, row=1, col=1)
    chart.update_yaxes(title="answers", tickformat=".0%", rangemode="tozero", fixedrange=True, row=2, col=1)
    return laid_out(chart, 560, barmode="group", bargap=0.1)
