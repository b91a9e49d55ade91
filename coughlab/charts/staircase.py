"""The chart of the Reality check: what is left of a model's score, drawn as a staircase."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from coughlab.charts import COLOURS, LEGEND, error_bars
from coughlab.evaluation.metrics import METRICS
from coughlab.evidence import wording
from coughlab.evidence.wording import FALSE_ALARMS
from coughlab.task import Task

#: Colour and hatching of a bar by `coughlab.evidence.wording.compared`; the text beside it says the same.
BARS = {
    "better": ("#3a8fc4", ""),
    "compatible": ("#8c8c8c", "/"),
    "worse": (COLOURS["positive"], "x"),
    "unknown": ("#8c8c8c", "."),
}
VERDICTS = {
    "guessing": {"compatible": "compatible with guessing", "worse": "worse than guessing"},
    "one answer": {
        "compatible": "compatible with always giving the same answer",
        "worse": "worse than always giving the same answer",
    },
}
BASELINE = "#b8860b"
#: Nearly black; Streamlit replaces it by the strong grey of its light or dark theme. Its default text colour is pale on white.
INK = "#000037"
#: Positions inside a row, in pixels from its top.
_NUMBER, _TITLE, _EDGES, _SIZE, _LINE = 19, 15, 38, 34, 17
_BAR, _BAR_HEIGHT, _SHORTCUT, _ROW, _INDENT = 22, 18, 22, 12, 74
_WRAP = 44
#: Metrics for which always giving one answer yields neither 0 nor 1.
_AGAINST = ("roc_auc", "accuracy", "balanced_accuracy")


def staircase(table: pd.DataFrame, *, study: str, title: str, task: Task) -> go.Figure:
    """Draw what is left of a model's score, step by step: the steps go down the page, the bars get shorter.

    A bar reaches from the score of guessing to the score of the model. It is hatched where the interval includes guessing. Steps
    with false alarms, which are for datasets of healthy people only, have a second axis below the others. `table` is what
    `coughlab.evidence.steps.steps` returns; `title` is the model's title.
    """
    alarms = table["metric"] == FALSE_ALARMS
    parts = [part.to_dict("records") for part in (table[~alarms], table[alarms]) if len(part)]
    heights = [sum(_height(row) for row in part) for part in parts]
    gap, total = 96, sum(heights) + 96 * (len(parts) - 1)
    chart = make_subplots(
        rows=len(parts), row_heights=heights, vertical_spacing=gap / total if alarms.any() else 0
    )
    drawing = _Drawing(chart, title)
    for panel, (part, height) in enumerate(zip(parts, heights, strict=True), start=1):
        drawing.begin(panel)
        for row in part:
            drawing.add(row)
        chart.update_yaxes(range=[height, 0], visible=False, fixedrange=True, row=panel, col=1)
        of = part[0]["metric"]
        name = f"share predicted {task.condition}" if of == FALSE_ALARMS else METRICS[of].title
        form = ".0%" if of == FALSE_ALARMS else METRICS[of].axis
        ticks = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": form, "zeroline": False}
        ticks |= {"ticklabeloverflow": "allow", "showgrid": False}
        chart.update_xaxes(title=name, range=[-0.01, 1.01], fixedrange=True, **ticks, row=panel, col=1)
    if alarms.any():
        text = f"<b>False alarms among people without {task.condition}</b> (less is better)"
        above = {"yref": f"{_axis('y', len(parts))} domain", "yanchor": "bottom", "yshift": 10}
        drawing.notes.append(_text(text, 13, 0, 1, len(parts)) | above)
    first = next(
        (row for row in parts[0] if row["protocol"] == "published" and row["value"] == row["value"]), None
    )
    name = METRICS[parts[0][0]["metric"]].in_a_sentence
    article = "an" if name[0] in "aR" else "a"
    left = (
        f"What is left of {article} {name} of {short(first)}"
        if first
        else f"How far the {name} can be believed"
    )
    return inked(chart).update_layout(
        title={
            "text": f"<b>{left}</b>",
            "subtitle": {"text": f"{title}, trained on {study}. Value and 95% interval"},
            "x": 0,
            "xanchor": "left",
            "font": {"size": 18},
        },
        # All at once: for each one added, Plotly rebuilds all earlier ones.
        annotations=drawing.notes,
        height=total + 190,
        margin={"l": 8, "r": 16, "t": 76, "b": 114},
        bargap=0,
        barmode="overlay",
        legend=LEGEND | {"y": 0, "yref": "container", "xanchor": "left"},
    )


def _height(row):
    """Height of a step in pixels."""
    if row["reason"]:
        return _SIZE + _LINE * len(_wrapped(row["reason"])) + _ROW
    more = (_LINE if _verdict(row)[1] else 0) + (_SHORTCUT if row["shortcut"] == row["shortcut"] else 0)
    return _SIZE + 16 + _BAR + more + _ROW


class _Drawing:
    """A staircase that is being drawn, step by step from the top; its texts are collected in `notes`."""

    def __init__(self, chart: go.Figure, title: str):
        self._chart, self._title = chart, title
        self.notes: list[dict] = []
        self._in_legend: set[str] = set()

    def begin(self, panel: int) -> None:
        """Draw the next steps into this panel."""
        self._panel, self._top, self._last = panel, 0, None

    def add(self, row: dict) -> None:
        """Draw a step."""
        self._write(f"<b>{row['title']}</b>", 14, _INDENT, _TITLE)
        if row["reason"]:
            lines = _wrapped(row["reason"])
            self._write("<b>–</b>", 22, 0, _NUMBER)
            self._write("<br>".join(lines), 12, _INDENT, _SIZE + _LINE * (len(lines) - 1) / 2)
        else:
            self._draw(row)
        self._top += _height(row)

    def _draw(self, row):
        size = f"{row['recordings']:,} recordings, {row['people']:,} people, {row['splits']} split"
        self._write(f"<b>{short(row)}</b>", 22, 0, _NUMBER)
        self._write(edges(row), 11, 0, _EDGES)
        self._write(size + ("" if row["splits"] == 1 else "s"), 12, _INDENT, _SIZE)
        verdict, words = _verdict(row)
        if words:
            self._write(f"<i>{words}</i>", 12, _INDENT, _SIZE + _LINE)
        middle = self._top + _SIZE + (_LINE if words else 0) + 16 + _BAR / 2
        base, place = _base(row), {"row": self._panel, "col": 1}
        colour, pattern = BARS[verdict] if row["metric"] != FALSE_ALARMS else (COLOURS["positive"], "\\")
        # The step itself, pale behind everything.
        self._chart.add_shape(
            type="rect",
            x0=base,
            x1=row["value"],
            y0=self._top,
            y1=self._top + _height(row),
            fillcolor=colour,
            opacity=0.13,
            line_width=0,
            layer="below",
            **place,
        )
        self._chart.add_bar(
            x=[row["value"] - base],
            base=[base],
            y=[middle],
            width=_BAR_HEIGHT,
            orientation="h",
            marker={
                "color": colour,
                "line": {"color": colour, "width": 1},
                "pattern": {"shape": pattern, "fillmode": "replace", "size": 7, "solidity": 0.35},
                "opacity": 0.75,
            },
            hoverinfo="skip",
            showlegend=False,
            **place,
        )
        marker = {"size": 13, "color": colour, "line": {"width": 2, "color": "white"}}
        self._point("model", f"{self._title}, with 95% interval", self._title, row, middle, marker, "#777777")
        bottom = middle + _BAR / 2
        if row["shortcut"] == row["shortcut"]:
            self._shortcut(row, bottom + _SHORTCUT / 2)
            bottom += _SHORTCUT
        self._baselines(row, middle - _BAR / 2, middle, bottom)

    def _shortcut(self, row, y):
        value, low, high = row["shortcut"], row["shortcut_low"], row["shortcut_high"]
        measured = {"value": value, "low": low, "high": high, "metric": row["metric"]}
        marker = {"symbol": "diamond-open", "size": 11, "color": BASELINE, "line": {"width": 2}}
        name = "recording chain only"
        self._point("shortcut", name, name, measured, y, marker, BASELINE)
        # On the side with more room.
        left = value > 0.5
        edge = np.nanmin([low, value]) if left else np.nanmax([high, value])
        self._beside(f"recording chain {short(measured)}", edge, y, -12 if left else 12)

    def _baselines(self, row, top, middle, bottom):
        """The score of guessing, and the score of always giving the same answer if that differs."""
        same = row["majority"] == row["chance"]
        name = "guessing" if same else "always the commoner label"
        # Never predicting the condition gives no false alarms; that needs no line.
        if row["metric"] != FALSE_ALARMS:
            self._mark(
                "majority",
                name,
                x=[row["majority"]] * 2,
                y=[top - 3, bottom + 3],
                mode="lines",
                line={"color": "#777777", "width": 2, "dash": "3px,3px"},
                hovertemplate=f"{name}: {wording.write(row['majority'], row['metric'])}<extra></extra>",
            )
        if not same and row["chance"] == row["chance"]:
            self._mark(
                "chance",
                "answers drawn by lot",
                x=[row["chance"]],
                y=[bottom + 4],
                mode="markers",
                marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": "#777777"}},
                hovertemplate=f"answers drawn by lot: {wording.write(row['chance'], row['metric'])}<extra></extra>",
            )
        text = f"{name} {wording.write(row['majority'], row['metric'])}"
        if 0.3 < row["majority"] < 1 and text != self._last and row["low"] > row["majority"] - 0.05:
            self._beside(text, row["majority"], middle, -8)
            self._last = text

    def _point(self, group, legend, name, measured, y, marker, colour):
        """A value with its interval in a colour."""
        value, low, high = (measured[part] for part in ("value", "low", "high"))
        self._mark(
            group,
            legend,
            x=[value],
            y=[y],
            error_x=error_bars(value, low, high, colour),
            cliponaxis=False,
            marker=marker,
            hovertemplate=f"{name}: {short(measured)} ({edges(measured)})<extra></extra>",
        )

    def _mark(self, group, name, **trace):
        """Add a trace; its group is in the legend only once."""
        legend = {"legendgroup": group, "name": name, "showlegend": group not in self._in_legend}
        self._in_legend.add(group)
        self._chart.add_scatter(**trace, **legend, row=self._panel, col=1)

    def _write(self, text, size, x, y):
        """Add a text in the step: `x` in pixels from the left edge, `y` in pixels from its top."""
        self.notes.append(_text(text, size, x, self._top + y, self._panel))

    def _beside(self, text, x, y, shift):
        """Add a text that many pixels to the right of a point of the panel, or to its left if negative."""
        side = {"xshift": shift, "xanchor": "right" if shift < 0 else "left", "showarrow": False}
        place = {"xref": _axis("x", self._panel), "yref": _axis("y", self._panel), "x": x, "y": y}
        self.notes.append({"text": text, "font": {"size": 11}} | place | side)


def _base(row):
    """Where a bar starts: at the score of always giving one answer, or at 0 for metrics where that score is 0 or 1."""
    return row["majority"] if row["metric"] in _AGAINST else 0.0


def _verdict(row):
    """How a step compares to its baseline, and the text for it, if any."""
    if row["metric"] not in _AGAINST:
        return "better", ""
    verdict = wording.compared(row["low"], row["high"], row["majority"])
    words = VERDICTS["one answer" if row["metric"] == "accuracy" else "guessing"]
    return verdict, words.get(verdict, "")


def short(row: Mapping[str, Any]) -> str:
    """A value, written as short as possible."""
    return wording.write(row["value"], row["metric"]).replace("over ", ">").replace("under ", "<")


def edges(row: Mapping[str, Any]) -> str:
    """An interval, written as short as possible."""
    return wording.write_interval(row).replace(" to ", "–")


def _wrapped(text):
    return textwrap.wrap(text, _WRAP)


def _text(text, size, x, y, panel):
    """A text annotation: `x` in pixels from the left edge, `y` in pixels of the panel."""
    place = {"xref": f"{_axis('x', panel)} domain", "yref": _axis("y", panel), "x": 0, "y": y, "xshift": x}
    place |= {"xanchor": "left", "yanchor": "middle", "align": "left", "showarrow": False}
    return {"text": text, "font": {"size": size}} | place


def _axis(letter, panel):
    return letter if panel == 1 else f"{letter}{panel}"


def inked(chart: go.Figure) -> go.Figure:
    """The chart with all its text in `INK`."""
    ink = {"color": INK}
    chart.update_xaxes(tickfont=ink, title_font=ink)
    chart.update_yaxes(tickfont=ink, title_font=ink)
    return chart.update_layout(font=ink)
