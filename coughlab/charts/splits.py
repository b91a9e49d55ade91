"""How scores vary over splits, and how two models differ on the same splits."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from coughlab.charts import COLOURS, label_rows, laid_out
from coughlab.evaluation.comparison import Lucky, Paired
from coughlab.evaluation.metrics import METRICS, PER_SPLIT

#: Metrics on a scale from 0 to 1; others have no upper limit and get a separate axis.
SHARES = [name for name, metric in PER_SPLIT.items() if metric.most == 1]
OTHERS = [name for name in PER_SPLIT if name not in SHARES]
#: How far points of one row are spread across it, so that equal values do not hide each other.
JITTER = 0.28
#: A blue that is visible on white and on the dark theme.
POINT = "#3a8fc4"
MARKS = {"best": "star", "worst": "x"}


def distribution(values: pd.DataFrame, lucky: Lucky, metric: str) -> go.Figure:
    """Draw every metric on every split: a box and one point per split; the best and the worst split of `metric` are marked.

    `values` is what `coughlab.evaluation.comparison.by_split` returns. Metrics without an upper limit have a separate axis below.
    """
    figure = make_subplots(rows=2, row_heights=[len(SHARES), len(OTHERS)], vertical_spacing=0.16)
    for row, metrics in ((1, SHARES), (2, OTHERS)):
        _boxes(figure, row, values, metrics)
        for name, symbol in MARKS.items():
            split = getattr(lucky, name)
            figure.add_scatter(
                x=values.loc[split, metrics],
                y=list(range(len(metrics))),
                mode="markers",
                name=f"split {split + 1}: {name} {METRICS[metric].in_a_sentence}",
                showlegend=row == 1,
                marker={
                    "symbol": symbol,
                    "size": 13 if name == "best" else 11,
                    "color": COLOURS["this" if name == "best" else "positive"],
                    "line": {"color": "white", "width": 1},
                },
                customdata=[METRICS[m].title for m in metrics],
                hovertemplate=f"%{{customdata}}, split {split + 1}: %{{x:.3f}}<extra></extra>",
                row=row,
                col=1,
            )
        label_rows(figure, [METRICS[m].title for m in metrics], row=row, col=1)
    figure.update_xaxes(range=[-0.02, 1.02], fixedrange=True, row=1, col=1)
    figure.update_xaxes(rangemode="tozero", fixedrange=True, row=2, col=1)
    return laid_out(figure, 560)


def _add_points(figure, of, y, name, form, size, **more):
    """One point for each split of `of`, spread around `y`."""
    figure.add_scatter(
        x=of,
        y=y,
        mode="markers",
        name="one split",
        marker={"size": size, "color": POINT, "opacity": 0.6},
        customdata=of.index + 1,
        hovertemplate=f"{name} %{{customdata}}: %{{x:{form}}}<extra></extra>",
        **more,
    )


def _boxes(figure, row, values, metrics):
    rng = np.random.default_rng(0)
    for y, metric in enumerate(metrics):
        of = values[metric].dropna()
        figure.add_box(
            x=of,
            y=np.full(len(of), y),
            orientation="h",
            boxpoints=False,
            width=0.7,
            line={"color": POINT, "width": 1.5},
            fillcolor="rgba(58, 143, 196, 0.12)",
            hoverinfo="skip",
            showlegend=False,
            row=row,
            col=1,
        )
        spread = y + rng.uniform(-JITTER, JITTER, len(of))
        name, place = f"{METRICS[metric].title}, split", {"row": row, "col": 1}
        _add_points(figure, of, spread, name, ".3f", 6, showlegend=metric == SHARES[0], **place)


def difference(result: Paired, title_a: str, title_b: str, metric: str) -> go.Figure:
    """Draw two models on the same splits: every difference, and the mean with both intervals.

    Rows from the top: the splits; the interval that accounts for the overlap of the training sets; the naive interval.
    """
    of, interval = result.differences, result.interval
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": "grey", "width": 1, "dash": "dash"})
    spread = np.random.default_rng(0).uniform(-JITTER, JITTER, len(of))
    _add_points(figure, of, spread, "split", "+.3f", 7)
    rows = [
        ("respecting the overlap", "diamond", COLOURS["this"], interval.low, interval.high),
        ("naive, too narrow", "diamond-open", COLOURS["positive"], interval.naive_low, interval.naive_high),
    ]
    for y, (name, symbol, colour, low, high) in enumerate(rows, start=1):
        if np.isnan(low):
            continue
        figure.add_scatter(
            x=[interval.mean],
            y=[y],
            mode="markers",
            name=f"mean and 95% interval, {name}",
            marker={"symbol": symbol, "size": 12, "color": colour},
            error_x={"array": [high - interval.mean], "thickness": 3, "width": 8, "color": colour},
            hovertemplate=f"{name}: %{{x:+.3f}} ({low:+.3f} to {high:+.3f})<extra></extra>",
        )
    label_rows(figure, ["Splits", "Interval", "Naive interval"], zeroline=False)
    figure.update_xaxes(
        title=f"{METRICS[metric].title}: {title_a} less {title_b}", fixedrange=True, zeroline=False
    )
    return laid_out(figure, 320)
