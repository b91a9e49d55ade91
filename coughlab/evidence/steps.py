"""The Reality check: what is left of a model's score when, step by step, what could have helped it is taken away.

Everything here is a pure function of stored tables: the evidence table of `coughlab.evaluation.bootstrap`, whose values are means
over splits with 95% intervals by a bootstrap over people, and the feature table.
"""

from coughlab.text import LABELS_IN_WORDS

#: Steps by protocol, from the one that proves least.
STEPS = {
    "published": "As published",
    "deduplicated": "Without copies",
    "person-disjoint": "Without shared people",
    "source-balanced": "Without the shortcut's help",
    "external": "On another dataset",
}
#: What each step takes away, for people who read no protocol.
EXPLAINED = {
    "published": "Rows dealt at random, as in the case study. Copies of a recording, and the same person, can be on both sides.",
    "deduplicated": "Every recording counts once, so that no model is tested on what it was trained on.",
    "person-disjoint": "Besides, nobody who is tested on was trained on.",
    "source-balanced": "As many recordings with COVID as without from each source, so that where a recording comes from does not"
    " tell its label; nobody, as far as the dataset tells people apart, is on both sides.",
    "external": "Trained on everything here, tested on recordings that somebody else collected.",
}
#: Metrics to choose from.
METRICS = {
    "roc_auc": "ROC AUC",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
#: Each metric in a sentence.
METRICS_EXPLAINED = {
    "roc_auc": "Take one recording with COVID and one without: the ROC AUC says how often the model gives the one with COVID the"
    " higher probability. Guessing gives 0.5.",
    "accuracy": "The share of recordings that are called rightly. Where one label is much commoner than the other, always"
    " answering that label has a high accuracy too.",
    "balanced_accuracy": "The mean of sensitivity and specificity, so that either label counts the same. Guessing gives 50%.",
    "sensitivity": "The share of the recordings with COVID that are called COVID. Always answering COVID would give 100%.",
    "specificity": "The share of the recordings without COVID that are called so. Always answering not COVID would give 100%.",
}
#: The metric of a step where nobody has COVID: the share of recordings that are called COVID, 1 - specificity.
FALSE_ALARMS = "false_alarms"
#: The baseline that hears no cough: trained on the recording chain.
SHORTCUT = "shortcut"
#: The baseline that draws its answers by lot.
RANDOM = "random"
#: Protocols of the matrix' diagonal, the first that a model has.
_WITHIN = tuple(protocol for protocol in reversed(STEPS) if protocol != "external")
_SIZES = ("splits", "recordings", "people", "positives", "negatives")
_MEASURED = (
    "value",
    "low",
    "high",
    *_SIZES,
    "majority",
    "chance",
    "shortcut",
    "shortcut_low",
    "shortcut_high",
)


def steps(study_name, evidence, model, metric, *, reasons=None):
    """What is left of a model's score, step by step.

    Parameters
    ----------
    study_name : str
        Name of the study, which is that of its dataset.
    evidence : pandas.DataFrame
        The study's evidence table.
    model : str
        Name of the model.
    metric : str
        A key of `METRICS`.
    reasons : dict of str to str, optional
        Why a protocol cannot be made, as `ruled_out` finds it.

    Returns
    -------
    pandas.DataFrame
        One row a step, in the order of `STEPS`, that on another dataset once for each dataset tested on; those with healthy
        people only come last, and their ``metric`` is `FALSE_ALARMS`. Columns: ``step`` (from 1), ``title``, ``protocol``,
        ``tested_on``, ``metric``, ``value``, ``low``, ``high`` (95% interval), ``splits``, ``recordings``, ``people``,
        ``positives``, ``negatives`` (recordings of each label), ``majority`` (what always answering the commoner label
        reaches), ``chance`` (what guessing reaches: 0.5, or the value of the model ``random``), ``shortcut``, ``shortcut_low``
        and ``shortcut_high`` (the shortcut-only baseline under the same protocol), and ``reason``: why there is no value, or "".

    Raises
    ------
    ValueError
        If the metric is unknown.
    """
    if metric not in METRICS:
        raise ValueError(f"There is no metric called {metric!r}. Known: {', '.join(METRICS)}.")
    reasons, rows = reasons or {}, []
    for protocol, title in STEPS.items():
        tested = evidence.loc[evidence["protocol"] == protocol, "tested_on"].unique()
        for tested_on in tested if len(tested) else [study_name if protocol != "external" else ""]:
            row = {"protocol": protocol, "tested_on": tested_on, "metric": metric, "title": title}
            if protocol == "external" and tested_on:
                row["title"] = f"On {tested_on}"
            rows.append(row | _cell(evidence, model, metric, protocol, tested_on, reasons.get(protocol)))
    # Stable, so that all others stay in their order.
    rows.sort(key=lambda row: row["metric"] == FALSE_ALARMS)
    for number, row in enumerate(rows, start=1):
        row["step"] = number
    return _table(rows)[["step", "title", "protocol", "tested_on", "metric", *_MEASURED, "reason"]]


def overview(study_name, evidence, models, metric, *, reasons=None):
    """`steps` of several models below each other, with a column ``model`` before them.

    Parameters
    ----------
    study_name, evidence, metric, reasons
        As in `steps`.
    models : iterable of str
        Names of the models.

    Returns
    -------
    pandas.DataFrame
        All their steps.
    """
    import pandas as pd

    tables = {
        model: steps(study_name, evidence, model, metric, reasons=reasons).assign(model=model)
        for model in models
    }
    table = pd.concat(tables.values(), ignore_index=True)
    return table[["model", *table.columns.drop("model")]]


def matrix(evidences, model, metric):
    """How a model trained on one dataset does on another.

    Parameters
    ----------
    evidences : dict of str to pandas.DataFrame
        Evidence table of each study by its name.
    model, metric
        As in `steps`.

    Returns
    -------
    pandas.DataFrame
        One row for each study (``trained_on``) and each dataset that any of them was tested on (``tested_on``), row by row:
        ``protocol``, ``metric``, ``value``, ``low``, ``high``, ``splits``, ``recordings``, ``people``, ``positives``,
        ``negatives`` and ``reason`` as in `steps`. Within a dataset the protocol is the strictest the model has there, else it
        is `external`. Where nobody has COVID the ``metric`` is specificity.

    Raises
    ------
    ValueError
        If the metric is unknown.
    """
    if metric not in METRICS:
        raise ValueError(f"There is no metric called {metric!r}. Known: {', '.join(METRICS)}.")
    # In the order in which they are met.
    everywhere = dict.fromkeys(
        [*evidences, *(name for table in evidences.values() for name in table["tested_on"])]
    )
    datasets, rows = list(everywhere), []
    for trained_on, evidence in evidences.items():
        own = evidence[evidence["model"] == model]
        for tested_on in datasets:
            protocol = "external"
            if tested_on == trained_on:
                made = set(own["protocol"])
                protocol = next((name for name in _WITHIN if name in made), "published")
            row = {"trained_on": trained_on, "tested_on": tested_on, "protocol": protocol, "metric": metric}
            row |= _cell(evidence, model, metric, protocol, tested_on)
            if own.empty:
                row["reason"] = f"The study of {trained_on} does not have this model."
            if row["metric"] == FALSE_ALARMS:
                value, low, high = 1 - row["value"], 1 - row["high"], 1 - row["low"]
                row |= {"metric": "specificity", "value": value, "low": low, "high": high}
            rows.append(row)
    columns = ["trained_on", "tested_on", "protocol", "metric", "value", "low", "high", *_SIZES, "reason"]
    return _table(rows)[columns]


def ruled_out(features):
    """Why protocols cannot be made of a dataset.

    Parameters
    ----------
    features : pandas.DataFrame
        The study's feature table: ``person``, ``label``, ``source`` and, where copies were looked for, ``audio``.

    Returns
    -------
    dict of str to str
        A sentence for each protocol of `STEPS` that its people and sources rule out.
    """
    found = {}
    once = features.drop_duplicates("audio") if "audio" in features else features
    if not once["person"].duplicated().any():
        found["person-disjoint"] = (
            "Cannot be made: the dataset tells of nobody who coughed twice, so each recording counts as a person of its own."
        )
    labels = features.groupby("source")["label"].nunique()
    if labels.max() < 2:
        sources = features.groupby("label", sort=False)["source"].unique()
        told = "; ".join(
            f"{LABELS_IN_WORDS.get(label, label)}: {_listed(names)}" for label, names in sources.items()
        )
        found["source-balanced"] = (
            f"Cannot be made: no source has recordings of both labels ({told}), so the source alone gives the label away."
        )
    return found


def _table(rows):
    """A table whose sizes are whole numbers also where some are missing."""
    import pandas as pd

    return pd.DataFrame(rows).astype(dict.fromkeys(_SIZES, "Int64"))


def _listed(names, most=4):
    names = [str(name) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _cell(evidence, model, metric, protocol, tested_on, reason=None):
    """What was measured in one place: the measured columns of `steps`, ``metric`` if another one is told, and ``reason``."""
    import pandas as pd

    here = evidence[(evidence["protocol"] == protocol) & (evidence["tested_on"] == tested_on)]
    here = here.set_index("model")
    healthy = len(here) and (here["positives"] == 0).all()
    cell = dict.fromkeys(_MEASURED, float("nan")) | dict.fromkeys(_SIZES, pd.NA) | {"reason": ""}
    if healthy:
        cell["metric"] = FALSE_ALARMS
    if model not in here.index:
        return cell | {"reason": _why_empty(here, protocol, tested_on, reason)}
    own = here.loc[model]
    cell |= {size: int(own[size]) for size in _SIZES}
    cell |= dict(zip(("value", "low", "high"), _interval(own, metric, healthy), strict=True))
    if pd.isna(cell["value"]):
        return cell | {"reason": "Cannot be told: all recordings tested on have one label."}
    cell |= _guesses(own, metric, healthy)
    if RANDOM in here.index and pd.isna(cell["chance"]):
        cell["chance"] = _interval(here.loc[RANDOM], metric, healthy)[0]
    if SHORTCUT in here.index and model != SHORTCUT:
        names = ("shortcut", "shortcut_low", "shortcut_high")
        cell |= dict(zip(names, _interval(here.loc[SHORTCUT], metric, healthy), strict=True))
    return cell


def _why_empty(here, protocol, tested_on, reason):
    if len(here):
        where = f"tested on {tested_on}" if protocol == "external" else "trained and tested this way"
        return f"This model was not {where}; others were."
    if reason:
        return reason
    if protocol == "external":
        return f"No model was tested on {tested_on or 'another dataset'}."
    return "No model was trained and tested this way."


def _interval(row, metric, healthy):
    if healthy:
        value, low, high = (1 - row[name] for name in ("specificity", "specificity_high", "specificity_low"))
        return float(value), float(low), float(high)
    return tuple(float(row[name]) for name in (metric, f"{metric}_low", f"{metric}_high"))


def _guesses(row, metric, healthy):
    """What always answering the commoner label reaches, and what guessing, where that does not depend on how one guesses."""
    if healthy:
        return {"majority": 0.0}
    covid_commoner = row["positives"] > row["negatives"]
    return {
        "roc_auc": {"majority": 0.5, "chance": 0.5},
        "accuracy": {"majority": float(row["majority"])},
        "balanced_accuracy": {"majority": 0.5, "chance": 0.5},
        "sensitivity": {"majority": float(covid_commoner)},
        "specificity": {"majority": float(not covid_commoner)},
    }[metric]
