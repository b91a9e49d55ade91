"""A component of the page "Matrices": the slider, and the matrices and the marks on the curves that follow it in the browser.

All numbers, for every position of the slider, are computed here and sent at once; the browser only looks them up.
"""

from pathlib import Path

import numpy as np
import streamlit as st

from coughlab.evaluation import confusion
from coughlab.evaluation import roc as curves
from pages.components.code import SHARED, joined

HERE = Path(__file__).parent
#: Sensitivities that a user can select to find a threshold.
SENSITIVITIES = (0.8, 0.9, 0.95, 1.0)
#: Shares and points of curves are rounded to this many digits: enough for display, and short to send.
DIGITS = 7
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_component = st.components.v2.component(
    "coughlab_threshold",
    html=(HERE / "threshold.html").read_text(),
    css=joined(SHARED / "controls.css", SHARED / "drawing.css", HERE / "threshold.css"),
    js=joined(SHARED / "panel.js", HERE / "threshold.js", SHARED / "drawing.js"),
)


def show(rows, each_split, *, condition, at, cell, name, about, measured, key, on_change):
    """Show the component.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of the predictions table, of one model and one role.
    each_split : pandas.DataFrame
        Rows of `coughlab.evaluation.scoring.per_split` for that model and role.
    condition : str
        Name of the positive class.
    at : float
        The initial threshold.
    cell : str or None
        The initial cell, a key of `coughlab.evaluation.confusion.CELLS`.
    name : str
        Identifies these rows, and is part of the names of downloaded files.
    about, measured : str
        Source of the rows: a short text above the curves, and a sentence.
    key : str
        Key of the component. ``st.session_state[key]["chosen"]`` holds the ``threshold`` and ``cell`` chosen since.
    on_change : callable
        Called when another threshold or cell is chosen.
    """
    labels, probabilities = rows["positive"], rows["probability"]
    youden = curves.youden(labels, probabilities)
    kept = {least: curves.keeping_sensitivity(labels, probabilities, least) for least in SENSITIVITIES}
    thresholds = np.union1d(
        confusion.STEPS, [other for other in (at, youden, *kept.values()) if other is not None]
    )
    roc, precision_recall = curves.roc(labels, probabilities), curves.precision_recall(labels, probabilities)
    prevalence = float(labels.mean())
    size = f"{rows['recording'].nunique()} recordings of {rows['person'].nunique()} people"
    data = {
        "name": name,
        "condition": condition,
        "measured": measured,
        "threshold": at,
        "cell": cell,
        "thresholds": thresholds.tolist(),
        "labels": [label(threshold) for threshold in thresholds],
        "half": 0.5,
        "youden": youden,
        "kept": [{"sensitivity": least, "threshold": threshold} for least, threshold in kept.items()],
        "cells": _cells(confusion.at(rows, thresholds)),
        "curves": {
            "roc": {
                "lines": ["ROC curve", about, size, _area(roc, each_split["roc_auc"])],
                **_points(roc),
                "reference": [0, 1],
                "note": "chance",
            },
            "pr": {
                "lines": [
                    "Precision-recall curve",
                    about,
                    size,
                    _area(precision_recall, each_split["average_precision"]),
                ],
                **_points(precision_recall),
                "reference": [prevalence, prevalence],
                "note": f"if all are predicted {condition}: {prevalence:.1%}",
            },
        },
    }
    _component(data=data, key=key, on_chosen_change=on_change)


def label(threshold):
    """A formatted threshold: short, but "0" or "1" only if it is exactly that."""
    digits = 4
    while float(shown := f"{threshold:.{digits}g}") in (0, 1) and float(shown) != threshold:
        digits += 1
    number, _, exponent = shown.partition("e")
    return f"{number} × 10{str(int(exponent)).translate(SUPERSCRIPT)}" if exponent else number


def _cells(table):
    """The columns of `coughlab.evaluation.confusion.at` as lists; missing values become None, for JSON."""
    table = table.round(DIGITS).astype(object).where(table.notna(), None)
    names = ["matrix", "cell"]
    # Every threshold has the same cells in the same order.
    return table.drop(columns=["threshold", *names]).to_dict("list") | table[names].head(12).to_dict("list")


def _points(curve):
    points = np.round(np.column_stack(curve), DIGITS)
    new = np.diff(points, axis=0, prepend=-1).any(axis=1)
    return {"x": points[new, 0].tolist(), "y": points[new, 1].tolist()}


def _area(curve, each_split):
    """A line on the area under a curve, and on the areas of the splits."""
    if not len(curve[0]):
        return "No curve: all rows are of one class"
    line = f"Area {np.trapezoid(curve[1], curve[0]):.3f}"
    if len(each_split) == 1:
        return f"{line}, one split"
    return f"{line}; of each of the {len(each_split)} splits {each_split.min():.3f} to {each_split.max():.3f}"
