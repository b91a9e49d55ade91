"""How well labels can be predicted without hearing a cough."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import plotly.graph_objects as go

from coughlab.charts import COLOURS, MARGIN, error_bars, label_rows, laid_out

#: Name, colour and symbol by severity of a shortcut; colour is never the only signal.
MARKS = {
    "severe": ("severe", COLOURS["positive"], "diamond"),
    "warning": ("warning", "#e69f00", "square"),
    "none": ("no finding", COLOURS["this"], "circle"),
}
_TICKS = {
    0.5: "0.5<br>no better<br>than guessing",
    0.6: "0.6",
    0.7: "0.7",
    0.8: "0.8",
    0.9: "0.9",
    1.0: "1<br>tells the classes<br>apart perfectly",
}


def shortcuts(probes: Iterable[Mapping[str, Any]], *, severe: float, warning: float) -> go.Figure:
    """Draw how well each shortcut predicts the label: one row per shortcut, the strongest first.

    The probes are those of `coughlab.audit.checks.shortcut.tried` that could be tried. `severe` and `warning` are the AUC that
    the lower end of an interval has to reach.
    """
    probes = sorted(probes, key=lambda probe: -probe["auc"])
    chart = go.Figure()
    chart.add_vrect(x0=severe, x1=1, fillcolor="rgba(213, 94, 0, 0.12)", line_width=0, layer="below")
    chart.add_vline(x=0.5, line={"color": "#888888", "width": 1.5, "dash": "dash"}, layer="below")
    # Text of traces, because the app's light theme makes annotations pale.
    chart.add_scatter(
        x=[(severe + 1) / 2],
        y=[-0.8],
        mode="text",
        text="severe, if all of the<br>interval lies in here",
        hoverinfo="skip",
        showlegend=False,
    )
    lows = [probe["interval"][0] for probe in probes]
    for kind, (name, colour, symbol) in MARKS.items():
        rows = [y for y, low in enumerate(lows) if _kind(low, severe, warning) == kind]
        if rows:
            _draw(chart, rows, [probes[y] for y in rows], name, {"color": colour, "symbol": symbol})
    chart.update_xaxes(
        title="AUC, with 95% interval",
        range=[min([0.42, *(low - 0.02 for low in lows)]), 1.03],
        tickvals=list(_TICKS),
        ticktext=list(_TICKS.values()),
        tickangle=0,
        fixedrange=True,
        zeroline=False,
    )
    titles = ["<br>".join(textwrap.wrap(probe["title"], 16)) for probe in probes]
    label_rows(chart, titles, range=[len(probes) - 0.5, -1.2], zeroline=False, automargin=True)
    return laid_out(chart, 190 + 62 * len(probes), margin=MARGIN | {"r": 45}, showlegend=True)


def _kind(low, severe, warning):
    if low >= severe:
        return "severe"
    return "warning" if low > warning else "none"


def _draw(chart, rows, probes, name, marker):
    auc = [probe["auc"] for probe in probes]
    low, high = zip(*(probe["interval"] for probe in probes), strict=True)
    chart.add_scatter(
        x=auc,
        y=rows,
        mode="markers+text",
        name=name,
        text=[
            f"{x:.2f} ({below:.2f} to {above:.2f})" for x, below, above in zip(auc, low, high, strict=True)
        ],
        # Towards the middle, where there is room.
        textposition=["top left" if x > 0.75 else "top right" for x in auc],
        cliponaxis=False,
        marker=marker | {"size": 13},
        error_x=error_bars(auc, low, high, marker["color"], 3, 7),
        hoverinfo="skip",
    )
