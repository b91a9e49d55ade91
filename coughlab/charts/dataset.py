"""What a dataset looks like: its counts, its features, and one recording's frames."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import diverging, sequential
from plotly.subplots import make_subplots

from coughlab.charts import COLOURS, text
from coughlab.charts.recording import COLUMNS
from coughlab.evaluation.description import CLASSES
from coughlab.features import acoustic, spectrum
from coughlab.task import Task

#: A symbol for each class, so that colour is not needed to tell them apart.
SYMBOLS = {"negative": "circle-open", "positive": "diamond"}
#: Colours and symbols of groups other than the classes, the largest group's first.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
SHAPES = ("circle-open", "diamond", "square", "triangle-up", "cross", "star")
PITCHES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}
LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}


def bars(counts: pd.DataFrame, task: Task) -> go.Figure:
    """Rows of each class for every value of a column.

    Parameters
    ----------
    counts : pandas.DataFrame
        As `coughlab.evaluation.description.counts` returns it.
    task : coughlab.task.Task
        What the classes are called.

    Returns
    -------
    plotly.graph_objects.Figure
        Two bars a value, with their numbers, zeros included.
    """
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
            marker={
                "color": COLOURS[kind],
                "pattern": {"shape": "/" if kind == "positive" else "", "fillmode": "overlay"},
            },
            hovertemplate=f"%{{y}}: %{{x}} rows<extra>{text(task.title(label))}</extra>",
        )
    chart.update_xaxes(title="Rows", range=[0, 1.12 * counts[CLASSES].max(axis=None)], fixedrange=True)
    title = str(counts.index.name).replace("_", " ").capitalize()
    chart.update_yaxes(title=title, type="category", autorange="reversed", fixedrange=True)
    chart.update_layout(height=340, bargap=0.25, margin=MARGIN, legend=LEGEND)
    return chart


def distribution(table: pd.DataFrame, column: str, title: str, task: Task) -> go.Figure:
    """Every row's value in one lane a class, with a box from the lower to the upper quartile.

    Parameters
    ----------
    table : pandas.DataFrame
        Feature table.
    column : str
        A column of numbers.
    title : str
        What it is.
    task : coughlab.task.Task
        What the classes are called.

    Returns
    -------
    plotly.graph_objects.Figure
        One box and one point a row.
    """
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
    chart.update_layout(height=360, showlegend=False, margin=MARGIN)
    return chart


def scatter(
    table: pd.DataFrame,
    x: np.ndarray,
    y: np.ndarray,
    *,
    titles: tuple[str, str],
    task: Task,
    by: str = "label",
    chosen: str | None = None,
) -> go.Figure:
    """One point a row.

    Parameters
    ----------
    table : pandas.DataFrame
        Feature table.
    x, y : array-like, shape (n,)
        Coordinates of the rows.
    titles : (str, str)
        What the coordinates are.
    task : coughlab.task.Task
        What the classes are called.
    by : {"label", "source"}
        What colour and symbol tell.
    chosen : str, optional
        Recording that gets a ring.

    Returns
    -------
    plotly.graph_objects.Figure
        A trace a group, the largest first; the first item of every point's ``customdata`` is its recording.
    """
    x, y, groups = np.asarray(x), np.asarray(y), table[by].to_numpy()
    told = (
        table[["recording", "person", "source"]]
        .map(text)
        .assign(label=table["label"].map(task.title).map(text))
    )
    told = np.column_stack([table["recording"], told])
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
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 9,
                "line": {"width": 1.5, "color": colour},
            },
            # A click chooses a recording; it does not make the others pale.
            unselected={"marker": {"opacity": 1}},
            customdata=told[here],
            hovertemplate=(
                "%{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}, %{customdata[4]}"
                "<br>%{x:.4g}, %{y:.4g}<extra></extra>"
            ),
        )
    chart.update_xaxes(title=titles[0], zeroline=False)
    chart.update_yaxes(title=titles[1], zeroline=False)
    chart.update_layout(height=480, showlegend=True, margin=MARGIN, legend=LEGEND, hovermode="closest")
    return chart


def frames(recording):
    """MFCC and chroma of a recording, frame by frame.

    Parameters
    ----------
    recording : coughlab.audio.Recording
        What was recorded.

    Returns
    -------
    plotly.graph_objects.Figure
        Two heatmaps above each other on one axis in seconds.
    """
    y = spectrum.waveform(recording)
    mfcc, chroma = acoustic.mfcc(y), acoustic.chroma(y)
    # The first coefficient follows the loudness and is ten times the others; their range shows more.
    reach = max(1.0, float(np.percentile(np.abs(mfcc[:, 1:]), 96)))
    chart = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.06)
    chart.add_trace(
        _heatmap(
            mfcc, list(range(1, acoustic.N_MFCC + 1)), (-reach, reach), diverging.RdBu_r, "MFCC", (0.42, 0.58)
        ),
        row=1,
        col=1,
    )
    chart.add_trace(
        # Streamlit takes Magma's first colour, #000004, for a place to put a colour of the theme.
        _heatmap(chroma, PITCHES, (0, 1), ["#01010a", *sequential.Magma[1:]], "Chroma", (0, 0.36)),
        row=2,
        col=1,
    )
    chart.update_xaxes(range=[0, recording.duration], showgrid=False)
    chart.update_xaxes(title="Time in seconds", row=2, col=1)
    chart.update_yaxes(title="MFCC", tickvals=[1, 5, 10, 15, 20], fixedrange=True, row=1, col=1)
    chart.update_yaxes(title="Pitch class", dtick=2, fixedrange=True, row=2, col=1)
    chart.update_layout(height=520, margin=MARGIN)
    return chart


def _heatmap(values, rows, limits, colours, name, place):
    """The mean of every column of frames; `place` is where the colour bar starts and how long it is, as shares of the height."""
    starts = np.unique(np.linspace(0, len(values), COLUMNS, endpoint=False).astype(int))
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
