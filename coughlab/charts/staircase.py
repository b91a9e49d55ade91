"""What is left of a model's score, drawn as a staircase: the picture of the Reality check."""

import textwrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from coughlab.charts import COLOURS
from coughlab.evaluation.metrics import METRICS
from coughlab.evidence import wording
from coughlab.evidence.wording import FALSE_ALARMS
from coughlab.task import Task

#: Colour and hatching of a bar by `coughlab.evidence.wording.compared`; the words beside it say the same.
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
#: Nearly black; Streamlit puts the strong grey of its light or dark theme in its place. Its usual one is pale on white.
INK = "#000037"
#: Pixels: where things are inside a row, measured from its top.
_NUMBER, _TITLE, _EDGES, _SIZE, _LINE = 19, 15, 38, 34, 17
_BAR, _BAR_HEIGHT, _SHORTCUT, _ROW, _INDENT = 22, 18, 22, 12, 74
_WRAP = 44
#: Metrics of which one answer alone gives neither all nor nothing.
_AGAINST = ("roc_auc", "accuracy", "balanced_accuracy")


def staircase(table: pd.DataFrame, *, study: str, title: str, task: Task) -> go.Figure:
    """Draw what is left of a model's score, step by step: the steps go down the page, the bars get shorter.

    A bar reaches from what guessing would give to the score. It is hatched where the interval includes guessing.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `coughlab.evidence.steps.steps`.
    study : str
        Name of the study.
    title : str
        Title of the model.
    task : coughlab.task.Task
        What the classes are called.

    Returns
    -------
    plotly.graph_objects.Figure
        An axis from 0 to 1, and below it, where there are healthy people only, a second one for false alarms.
    """
    alarms = table["metric"] == FALSE_ALARMS
    parts = [part.to_dict("records") for part in (table[~alarms], table[alarms]) if len(part)]
    heights = [sum(_height(row) for row in part) for part in parts]
    gap, total = 96, sum(heights) + 96 * (len(parts) - 1)
    chart = make_subplots(
        rows=len(parts), row_heights=heights, vertical_spacing=gap / total if alarms.any() else 0
    )
    shown, notes = set(), []
    for panel, (part, height) in enumerate(zip(parts, heights, strict=True), start=1):
        top, last = 0, None
        for row in part:
            last = _step(chart, notes, panel, row, top, last, shown, title)
            top += _height(row)
        chart.update_yaxes(range=[height, 0], visible=False, fixedrange=True, row=panel, col=1)
        of = part[0]["metric"]
        name = f"share predicted {task.condition}" if of == FALSE_ALARMS else METRICS[of].title
        form = ".2~f" if of == "roc_auc" else ".0%"
        ticks = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": form, "zeroline": False}
        ticks |= {"ticklabeloverflow": "allow", "showgrid": False}
        chart.update_xaxes(title=name, range=[-0.01, 1.01], fixedrange=True, **ticks, row=panel, col=1)
    if alarms.any():
        place = _at(0, 1, len(parts)) | {
            "yref": f"{_axis('y', len(parts))} domain",
            "yanchor": "bottom",
            "yshift": 10,
        }
        text = f"<b>False alarms among people without {task.condition}</b> (less is better)"
        notes.append({"text": text, "font": {"size": 13}} | place)
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
        # All at once: for each that is added, Plotly makes those before it anew.
        annotations=notes,
        height=total + 190,
        margin={"l": 8, "r": 16, "t": 76, "b": 114},
        bargap=0,
        barmode="overlay",
        legend={
            "orientation": "h",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
        },
    )


def _height(row):
    """How many pixels a step takes."""
    if row["reason"]:
        return _SIZE + _LINE * len(_wrapped(row["reason"])) + _ROW
    more = (_LINE if _verdict(row)[1] else 0) + (_SHORTCUT if row["shortcut"] == row["shortcut"] else 0)
    return _SIZE + 16 + _BAR + more + _ROW


def _step(chart, notes, panel, row, top, last, shown, title):
    """Draw one step, its texts into `notes`; `last` is the baseline that was labelled last, which the step returns in turn."""
    notes.append(_text(f"<b>{row['title']}</b>", 14, _INDENT, top + _TITLE, panel))
    if row["reason"]:
        notes.append(_text("<b>–</b>", 22, 0, top + _NUMBER, panel))
        text = "<br>".join(_wrapped(row["reason"]))
        middle = top + _SIZE + _LINE * (text.count("<br>")) / 2
        notes.append(_text(text, 12, _INDENT, middle, panel))
        return last
    start = top
    size = f"{row['recordings']:,} recordings, {row['people']:,} people, {row['splits']} split"
    notes.append(_text(f"<b>{short(row)}</b>", 22, 0, top + _NUMBER, panel))
    notes.append(_text(edges(row), 11, 0, top + _EDGES, panel))
    text = size + ("" if row["splits"] == 1 else "s")
    notes.append(_text(text, 12, _INDENT, top + _SIZE, panel))
    verdict, words = _verdict(row)
    if words:
        notes.append(_text(f"<i>{words}</i>", 12, _INDENT, top + _SIZE + _LINE, panel))
        top += _LINE
    middle = top + _SIZE + 16 + _BAR / 2
    base = _base(row)
    colour, pattern = BARS[verdict] if row["metric"] != FALSE_ALARMS else (COLOURS["positive"], "\\")
    # The step itself, pale behind everything.
    chart.add_shape(
        type="rect",
        x0=base,
        x1=row["value"],
        y0=start,
        y1=start + _height(row),
        fillcolor=colour,
        opacity=0.13,
        line_width=0,
        layer="below",
        row=panel,
        col=1,
    )
    chart.add_bar(
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
        row=panel,
        col=1,
    )
    chart.add_scatter(
        x=[row["value"]],
        y=[middle],
        error_x=error_bars(row["value"], row["low"], row["high"], "#777777"),
        cliponaxis=False,
        marker={"size": 13, "color": colour, "line": {"width": 2, "color": "white"}},
        **_legend(shown, "model", f"{title}, with 95% interval"),
        hovertemplate=f"{title}: {short(row)} ({edges(row)})<extra></extra>",
        row=panel,
        col=1,
    )
    bottom = middle + _BAR / 2
    if row["shortcut"] == row["shortcut"]:
        _shortcut(chart, notes, panel, row, bottom + _SHORTCUT / 2, shown)
        bottom += _SHORTCUT
    return _baselines(chart, notes, panel, row, (middle - _BAR / 2, middle, bottom), last, shown)


def _shortcut(chart, notes, panel, row, y, shown):
    value, low, high = row["shortcut"], row["shortcut_low"], row["shortcut_high"]
    baseline = {"value": value, "low": low, "high": high, "metric": row["metric"]}
    chart.add_scatter(
        x=[value],
        y=[y],
        error_x=error_bars(value, low, high, BASELINE),
        cliponaxis=False,
        marker={"symbol": "diamond-open", "size": 11, "color": BASELINE, "line": {"width": 2}},
        **_legend(shown, "shortcut", "recording chain only"),
        hovertemplate=f"recording chain only: {short(baseline)} ({edges(baseline)})<extra></extra>",
        row=panel,
        col=1,
    )
    # On the side where there is more room.
    left = value > 0.5
    edge = np.nanmin([low, value]) if left else np.nanmax([high, value])
    notes.append(_beside(f"recording chain {short(baseline)}", edge, y, -12 if left else 12, panel))


def _baselines(chart, notes, panel, row, lane, last, shown):
    """What guessing gives, and what always giving the same answer gives where that is something else."""
    top, middle, bottom = lane
    same = row["majority"] == row["chance"]
    name = "guessing" if same else "always the commoner label"
    # Never predicting the condition gives no false alarm, which needs no line.
    if row["metric"] != FALSE_ALARMS:
        chart.add_scatter(
            x=[row["majority"]] * 2,
            y=[top - 3, bottom + 3],
            mode="lines",
            line={"color": "#777777", "width": 2, "dash": "3px,3px"},
            **_legend(shown, "majority", name),
            hovertemplate=f"{name}: {wording.write(row['majority'], row['metric'])}<extra></extra>",
            row=panel,
            col=1,
        )
    if not same and row["chance"] == row["chance"]:
        chart.add_scatter(
            x=[row["chance"]],
            y=[bottom + 4],
            mode="markers",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": "#777777"}},
            **_legend(shown, "chance", "answers drawn by lot"),
            hovertemplate=f"answers drawn by lot: {wording.write(row['chance'], row['metric'])}<extra></extra>",
            row=panel,
            col=1,
        )
    text = f"{name} {wording.write(row['majority'], row['metric'])}"
    if not 0.3 < row["majority"] < 1 or text == last or not row["low"] > row["majority"] - 0.05:
        return last
    notes.append(_beside(text, row["majority"], middle, -8, panel))
    return text


def _base(row):
    """Where a bar starts: at what guessing gives, or at 0 where one answer alone gives all or nothing."""
    return row["majority"] if row["metric"] in _AGAINST else 0.0


def _verdict(row):
    """How a step stands to its baseline, and the words for it, if any are needed."""
    if row["metric"] not in _AGAINST:
        return "better", ""
    verdict = wording.compared(row["low"], row["high"], row["majority"])
    words = VERDICTS["one answer" if row["metric"] == "accuracy" else "guessing"]
    return verdict, words.get(verdict, "")


def short(row):
    """A value as short as can be."""
    return wording.write(row["value"], row["metric"]).replace("over ", ">").replace("under ", "<")


def edges(row):
    """An interval as short as can be."""
    return wording.write_interval(row).replace(" to ", "–")


def _wrapped(text):
    return textwrap.wrap(text, _WRAP)


def _text(text, size, x, y, panel):
    """A text at a place of `_at`."""
    return {"text": text, "font": {"size": size}} | _at(x, y, panel)


def _beside(text, x, y, shift, panel):
    """A text so many pixels to the right of a point of a panel, or to its left where they are negative."""
    return {
        "text": text,
        "font": {"size": 11},
        "xref": _axis("x", panel),
        "yref": _axis("y", panel),
        "x": x,
        "y": y,
        "xshift": shift,
        "xanchor": "right" if shift < 0 else "left",
        "showarrow": False,
    }


def _at(x, y, panel):
    """Place of a text: `x` in pixels from the left edge, `y` in those of the panel."""
    place = {"xref": f"{_axis('x', panel)} domain", "yref": _axis("y", panel), "x": 0, "y": y, "xshift": x}
    return place | {"xanchor": "left", "yanchor": "middle", "align": "left", "showarrow": False}


def _axis(letter, panel):
    return letter if panel == 1 else f"{letter}{panel}"


def error_bars(value, low, high, colour):
    """Error bars of one or several points."""
    reach = {"array": np.atleast_1d(high - value), "arrayminus": np.atleast_1d(value - low)}
    return {"type": "data", "symmetric": False, "color": colour, "thickness": 2.5, "width": 6} | reach


def inked(chart):
    """The chart with all its text in `INK`."""
    ink = {"color": INK}
    chart.update_xaxes(tickfont=ink, title_font=ink)
    chart.update_yaxes(tickfont=ink, title_font=ink)
    return chart.update_layout(font=ink)


def _legend(shown, name, title):
    """Each mark is in the legend once."""
    first = name not in shown
    shown.add(name)
    return {"legendgroup": name, "name": title, "showlegend": first}
