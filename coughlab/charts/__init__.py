"""Plotly figures made from tables and arrays; pure functions."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from numpy.typing import ArrayLike

#: Okabe and Ito's colours, which can be distinguished with any common colour vision. Colour is never the only signal.
COLOURS = {"negative": "#0072b2", "positive": "#d55e00", "this": "#009e73"}
#: In pixels.
MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}
#: Above the chart.
LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}


def text(name: object) -> str:
    """A name escaped for Plotly, which reads HTML, so that it is shown unchanged."""
    return html.escape(str(name), quote=False)


def laid_out(chart: go.Figure, height: int, **layout: Any) -> go.Figure:
    """Give a chart its height in pixels, and `MARGIN` and `LEGEND` unless `layout` has others."""
    return chart.update_layout({"height": height, "margin": MARGIN, "legend": LEGEND} | layout)


def hatched(kind: str) -> dict[str, Any]:
    """Fill pattern of the bars of the class `kind`, "negative" or "positive"."""
    shape = "/" if kind == "positive" else ""
    return {"color": COLOURS[kind], "pattern": {"shape": shape, "fillmode": "overlay"}}


def label_rows(chart: go.Figure, labels: list[str], **axis: Any) -> None:
    """Label the rows of a chart, from top to bottom."""
    rows = {"tickvals": list(range(len(labels))), "ticktext": labels, "range": [len(labels) - 0.5, -0.5]}
    chart.update_yaxes(**(rows | {"fixedrange": True, "showgrid": False} | axis))


def error_bars(
    value: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, thickness: float = 2.5, width: float = 6
) -> dict[str, Any]:
    """Error bars of one or several points."""
    reach = {"array": np.subtract(high, value), "arrayminus": np.subtract(value, low)}
    looks = {"color": colour, "thickness": thickness, "width": width}
    return (
        {"type": "data", "symmetric": False} | {side: np.atleast_1d(of) for side, of in reach.items()} | looks
    )


def add_reference(chart: go.Figure, y: list[float], name: str, **place: int) -> None:
    """Add a grey dotted reference line, `y` being its values at 0 and at 1."""
    line = {"color": "#888888", "dash": "1px,3px", "width": 1.5}
    chart.add_scatter(x=[0, 1], y=y, mode="lines", name=name, line=line, hoverinfo="skip", **place)
