"""Charts of a dataset: counts, features, and one recording's frames."""

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.colors import diverging
from plotly.subplots import make_subplots

from coughlab.audio import Recording
from coughlab.charts import COLOURS, MARGIN, hatched, laid_out, text
from coughlab.charts.recording import MAGMA, columns
from coughlab.evaluation.description import CLASSES
from coughlab.features import acoustic, spectrum
from coughlab.task import Task

#: A symbol for each class, so that colour is not needed to distinguish them.
SYMBOLS = {"negative": "circle-open", "positive": "diamond"}
#: Colours and symbols of groups other than the classes, the largest group's first.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
SHAPES = ("circle-open", "diamond", "square", "triangle-up", "cross", "star")
PITCHES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


def bars(counts: pd.DataFrame, task: Task) -> go.Figure:
    """Draw the rows of each class for every value of a column, zeros included: `coughlab.evaluation.description.counts`."""
    values = [f"{value:,}" if isinstance(value, int) else text(value) for value in counts.index.tolist()]
    chart = go.Figure()
    for kind, label in zip(SYMBOLS, task.labels, strict=True):
        chart.add_bar(
            x=counts[f"{kind}s"],
            y=values,
            orientation="h",
            name=task.title(label),
            text=counts[f"{kind}s"],
            textposition="outside",
            cliponaxis=False,
            marker=hatched(kind),
            hovertemplate=f"%{{y}}: %{{x}} rows<extra>{text(task.title(label))}</extra>",
        )
    chart.update_xaxes(title="Rows", range=[0, 1.12 * counts[CLASSES].max(axis=None)], fixedrange=True)
    title = str(counts.index.name).replace("_", " ").capitalize()
    chart.update_yaxes(title=title, type="category", autorange="reversed", fixedrange=True)
    return laid_out(chart, 340, bargap=0.25)


def distribution(table: pd.DataFrame, column: str, title: str, task: Task) -> go.Figure:
    """Draw every row's value, one lane per class, with a box from the lower to the upper quartile."""
    chart = go.Figure()
    for kind, label in zip(SYMBOLS, task.labels, strict=True):
        rows = table[table["positive"] == (kind == "positive")]
        chart.add_box(
            x=rows[column],
            name=task.title(label),
            boxpoints="all",
            pointpos=0,
            jitter=0.7,
            fillcolor="rgba(0, 0, 0, 0)",
            line={"color": COLOURS[kind], "width": 1.5},
            marker={"color": COLOURS[kind], "symbol": SYMBOLS[kind], "size": 7},
            customdata=rows[["recording", "person"]].map(text),
            hoveron="points",
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{x:.4g}<extra>"
            + text(task.title(label))
            + "</extra>",
        )
    chart.update_xaxes(title=title, fixedrange=True)
    chart.update_yaxes(autorange="reversed", fixedrange=True)
    return chart.update_layout(height=360, showlegend=False, margin=MARGIN)


def scatter(
    table: pd.DataFrame,
    x: ArrayLike,
    y: ArrayLike,
    *,
    titles: tuple[str, str],
    task: Task,
    by: Literal["label", "source"] = "label",
    chosen: str | None = None,
) -> go.Figure:
    """Draw one point per row of a feature table; the first item of its ``customdata`` is the recording.

    Each group of `by` is a trace with its own colour and symbol, the largest first. The recording `chosen` gets a ring.
    """
    x, y, groups = np.asarray(x), np.asarray(y), table[by].to_numpy()
    named = table[["recording", "person", "source"]].map(text)
    named = np.column_stack([table["recording"], named, table["label"].map(task.title).map(text)])
    chart = go.Figure()
    ring = (table["recording"] == chosen).to_numpy()
    if ring.any():
        chart.add_scatter(
            x=x[ring],
            y=y[ring],
            mode="markers",
            name="the chosen recording",
            marker={
                "symbol": "circle-open",
                "size": 20,
                "color": COLOURS["this"],
                "line": {"width": 3, "color": COLOURS["this"]},
            },
            hoverinfo="skip",
        )
    for k, (group, size) in enumerate(table[by].value_counts().items()):
        here = groups == group
        k %= len(PALETTE)
        kind = {task.negative: "negative", task.positive: "positive"}.get(group) if by == "label" else None
        colour, symbol = (COLOURS[kind], SYMBOLS[kind]) if kind else (PALETTE[k], SHAPES[k])
        chart.add_scatter(
            x=x[here],
            y=y[here],
            mode="markers",
            name=f"{text(task.title(group) if by == 'label' else group)} ({size} {'row' if size == 1 else 'rows'})",
            marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 1.5, "color": colour}},
            # A click chooses a recording; the others must not become pale.
            unselected={"marker": {"opacity": 1}},
            customdata=named[here],
            hovertemplate=(
                "%{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}, %{customdata[4]}"
                "<br>%{x:.4g}, %{y:.4g}<extra></extra>"
            ),
        )
    chart.update_xaxes(title=titles[0], zeroline=False)
    chart.update_yaxes(title=titles[1], zeroline=False)
    return laid_out(chart, 480, showlegend=True, hovermode="closest")


def frames(recording: Recording) -> go.Figure:
    """Draw MFCC and chroma of a recording, frame by frame: two heatmaps above each other on one axis in seconds."""
    y = spectrum.waveform(recording)
    mfcc, chroma = acoustic.mfcc(y), acoustic.chroma(y)
    # The first coefficient follows the loudness and is ten times the others, so the colour range is that of the others.
    reach = max(1.0, float(np.percentile(np.abs(mfcc[:, 1:]), 96)))
    chart = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.06)
    coefficients = list(range(1, acoustic.N_MFCC + 1))
    heatmap = _heatmap(mfcc, coefficients, (-reach, reach), diverging.RdBu_r, "MFCC", (0.42, 0.58))
    chart.add_trace(heatmap, row=1, col=1)
    chart.add_trace(_heatmap(chroma, PITCHES, (0, 1), MAGMA, "Chroma", (0, 0.36)), row=2, col=1)
    chart.update_xaxes(range=[0, recording.duration], showgrid=False)
    chart.update_xaxes(title="Time in seconds", row=2, col=1)
    chart.update_yaxes(title="MFCC", tickvals=[1, 5, 10, 15, 20], fixedrange=True, row=1, col=1)
    chart.update_yaxes(title="Pitch class", dtick=2, fixedrange=True, row=2, col=1)
    return chart.update_layout(height=520, margin=MARGIN)


def _heatmap(values, rows, limits, colours, name, place):
    """The mean of every column of frames; `place` is where the colour bar starts and how long it is, as shares of the height."""
    starts = columns(len(values))
    sizes = np.diff([*starts, len(values)])
    means = np.add.reduceat(values, starts, axis=0) / sizes[:, None]
    seconds = (starts + (sizes - 1) / 2) * spectrum.HOP / spectrum.RATE
    return go.Heatmap(
        x=seconds.astype(np.float32),
        y=rows,
        z=means.T.astype(np.float32),
        zmin=limits[0],
        zmax=limits[1],
        colorscale=colours,
        colorbar={"thickness": 8, "y": place[0], "yanchor": "bottom", "len": place[1]},
        hovertemplate=name + " %{y}: %{z:.3g} at %{x:.2f} s<extra></extra>",
    )
