"""A component of the page "For clinicians": two sliders, and everything that depends on them in the browser.

Values that do not depend on the prevalence are computed here for every threshold and sent at once. The browser looks them up, and
applies the formulas of `coughlab.evaluation.decision` that need a prevalence.
"""

from pathlib import Path

import numpy as np
import streamlit as st

from coughlab.charts import COLOURS
from coughlab.evaluation import confusion, decision
from pages.components.code import SHARED, joined
from pages.components.threshold import label

HERE = Path(__file__).parent
#: Stops of the prevalence slider, closer together for low prevalence.
PREVALENCES = np.round(
    np.concatenate([np.arange(1, 10) / 1000, np.arange(10, 100, 5) / 1000, np.arange(10, 91) / 100]), 3
)
#: Points of the decision curve for the model's own probabilities: even steps of log odds.
STEPS = 1 / (1 + np.exp(-np.arange(-8, 8.01, 0.1)))
#: Numbers are rounded to this many significant digits: enough for display, and short to send.
DIGITS = 8

#: Tests for comparison: sensitivity and specificity in percent, and their source.
OTHERS = {
    "symptoms": {
        "title": "Symptom check",
        "sensitivity": 65.0,
        "specificity": 78.3,
        "source": "Loss of smell and taste, as users of an app told it who were tested by PCR in spring 2020: 4,668 of 7,178 with"
        " a positive and 2,436 of 11,223 with a negative test (C. Menni et al., Nature Medicine 26, 2020).",
    },
    "test": {
        "title": "Rapid antigen test",
        "sensitivity": 73.0,
        "specificity": 99.1,
        "source": "Averages of studies of people with symptoms (J. Dinnes et al., Cochrane Database of Systematic Reviews 2022,"
        " CD013705.pub3).",
    },
}

#: Explanation of the numbers, and references for the methods.
METHODS = """Sensitivity and specificity are means over the splits; their intervals (Wilson, 95%) take the number of different
people of each class as the number of trials, since recordings of one person are not independent. Likelihood ratios rest
on the same numbers of people, their intervals on the logarithm (Simel, Samsa and Matchar 1991). A ratio of 1 changes nothing, one
above 10 or below 0.1 changes a probability much. Predictive values follow from the ratios and the prevalence by Bayes' theorem,
with the intervals of Mercaldo, Lau and Zhou (2007). They hold where the people tested are like those measured on.

The nomogram is T. J. Fagan's (1975). Net benefit is that of Vickers and Elkin (2006), from sensitivity and specificity at the
prevalence set above: that of the dataset plays no part (Rousson and Zumbrunn 2011). The model's own probabilities are moved from
the prevalence it was trained at to that above by Bayes' theorem (Saerens, Latinne and Decaestecker 2002).

The test and the symptom check were measured on other people at another time. Beside the model they show an order of size; this is
no trial of one against the other."""

_component = st.components.v2.component(
    "coughlab_clinical",
    html=(HERE / "clinical.html").read_text(),
    css=(
        f"section, .paper {{ --positive: {COLOURS['positive']}; --negative: {COLOURS['negative']}; }}\n"
        + joined(SHARED / "controls.css", SHARED / "drawing.css", HERE / "clinical.css")
    ),
    js=joined(
        SHARED / "panel.js",
        HERE / "clinical.js",
        HERE / "figures.js",
        HERE / "formulas.js",
        SHARED / "drawing.js",
    ),
)


def show(rows, *, at, prevalence, others, trained, condition, name, title, about, measured, key, on_change):
    """Show the component.

    Parameters
    ----------
    rows : pandas.DataFrame
        Test rows of the predictions table, of one model, protocol and test dataset, with both classes.
    at, prevalence : float
        The initial threshold and prevalence.
    others : dict of str to (float, float)
        Initial sensitivity and specificity in percent, for each of `OTHERS`.
    trained : float or None
        Share of positive recordings in the training data; without it the model's own curve is left out.
    condition : str
        Name of the positive class.
    name : str
        Identifies these rows, and is part of the names of downloaded files.
    title : str
        The model in words.
    about : list of str
        Two short lines for the figures: where the rows come from, and how many there are.
    measured : str
        The same in a sentence.
    key : str
        Key of the component. ``st.session_state[key]["chosen"]`` holds the ``threshold``, ``prevalence`` and ``others`` chosen.
    on_change : callable
        Called when a choice changes.
    """
    thresholds = np.union1d(confusion.STEPS, at)
    table = decision.at(rows, thresholds)
    sensitivity, specificity = decision.shares(rows, STEPS)
    positive = rows["positive"]
    data = {
        "name": name,
        "condition": condition,
        "title": title,
        "about": about,
        "measured": measured,
        "threshold": at,
        "prevalence": prevalence,
        "thresholds": thresholds.tolist(),
        "labels": [label(threshold) for threshold in thresholds],
        "prevalences": PREVALENCES.tolist(),
        "at": {
            column: _listed(table[column]) for column in table if column not in ("threshold", "corrected")
        },
        "corrected": table["corrected"].tolist(),
        "ill": rows.loc[positive, "person"].nunique(),
        "healthy": rows.loc[~positive, "person"].nunique(),
        "curve": {
            "probability": _listed(STEPS),
            "sensitivity": _listed(sensitivity),
            "specificity": _listed(specificity),
        },
        "trained": trained,
        "others": OTHERS,
        "chosen": others,
    }
    _component(data=data, key=key, on_chosen_change=on_change)


def _listed(numbers):
    """Numbers as a list; missing ones become None, for JSON."""
    return [None if np.isnan(number) else float(f"{number:.{DIGITS}g}") for number in numbers]
