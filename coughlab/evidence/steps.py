"""The Reality check: what is left of a model's score when possible shortcuts are removed step by step.

Everything here is a pure function of the evidence table of `coughlab.evaluation.bootstrap` and of the feature table.
"""

from collections.abc import Iterable, Mapping

import pandas as pd

from coughlab.evaluation.metrics import METRICS, SHOWN
from coughlab.evaluation.protocols import EXTERNAL, PROTOCOLS, WITHIN
from coughlab.evidence.wording import FALSE_ALARMS, RANDOM, SHORTCUT
from coughlab.task import Task

_SIZES = ("splits", "recordings", "people", "positives", "negatives")
_VALUE, _SHORTCUT = ("value", "low", "high"), ("shortcut", "shortcut_low", "shortcut_high")
_ONE_LABEL = "Not defined: all recordings tested on have one label."
_NOT_COMPUTED = "Not computed when the study was saved. 'coughlab study convert' adds it."
_MEASURED = (*_VALUE, *_SIZES, "majority", "chance", *_SHORTCUT)


def steps(
    study_name: str,
    evidence: pd.DataFrame,
    model: str,
    metric: str,
    *,
    reasons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What is left of a model's score, step by step.

    Parameters
    ----------
    study_name : str
        Name of the study, which is that of its dataset.
    metric : str
        A key of `SHOWN`; ValueError if it is another.
    reasons : mapping of str to str, optional
        Why a protocol is impossible, as `ruled_out` returns it.

    Returns
    -------
    pandas.DataFrame
        One row per step, in the order of the protocols; the external step is repeated for each test dataset. Datasets with
        healthy people only come last, and their ``metric`` is `FALSE_ALARMS`. Columns: ``step`` (from 1), ``title``,
        ``protocol``, ``tested_on``, ``metric``, ``value``, ``low``, ``high`` (95% interval), ``splits``, ``recordings``,
        ``people``, ``positives``, ``negatives`` (recordings of each label), ``majority`` (the score of always predicting the
        commoner label), ``chance`` (the score of guessing: 0.5, or the value of the model ``random``), ``shortcut``,
        ``shortcut_low`` and ``shortcut_high`` (the shortcut-only baseline under the same protocol), and ``reason``: why there is
        no value, or "".

    >>> study = coughlab.load_study()
    >>> coughlab.check_reality(study.name, study.evidence, "mlp", "roc_auc")["title"].tolist()[:2]
    ['As published', 'Without copies']
    """
    _check(metric)
    reasons, rows = reasons or {}, []
    for protocol, said in PROTOCOLS.items():
        tested = evidence.loc[evidence["protocol"] == protocol, "tested_on"].unique()
        for tested_on in tested if len(tested) else [study_name if protocol != EXTERNAL else ""]:
            row = {"protocol": protocol, "tested_on": tested_on, "metric": metric, "title": said.title}
            if protocol == EXTERNAL and tested_on:
                row["title"] = f"On {tested_on}"
            rows.append(row | _cell(evidence, model, metric, protocol, tested_on, reasons.get(protocol)))
    # A stable sort, so that all others keep their order.
    rows.sort(key=lambda row: row["metric"] == FALSE_ALARMS)
    for number, row in enumerate(rows, start=1):
        row["step"] = number
    return _table(rows)[["step", "title", "protocol", "tested_on", "metric", *_MEASURED, "reason"]]


def overview(
    study_name: str,
    evidence: pd.DataFrame,
    models: Iterable[str],
    metric: str,
    *,
    reasons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """`steps` of several models in one table, with a first column ``model``."""
    tables = {
        model: steps(study_name, evidence, model, metric, reasons=reasons).assign(model=model)
        for model in models
    }
    table = pd.concat(tables.values(), ignore_index=True)
    return table[["model", *table.columns.drop("model")]]


def matrix(evidences: Mapping[str, pd.DataFrame], model: str, metric: str) -> pd.DataFrame:
    """Scores of a model by training dataset and test dataset; takes the evidence table of each study by its name.

    Returns
    -------
    pandas.DataFrame
        One row per study (``trained_on``) and dataset that any of them was tested on (``tested_on``): ``protocol``, ``metric``,
        ``value``, ``low``, ``high``, ``splits``, ``recordings``, ``people``, ``positives``, ``negatives`` and ``reason`` as in
        `steps`. Within a dataset the protocol is the strictest that the model has there, else it is `external`. If no recording
        is positive, the ``metric`` is specificity.
    """
    _check(metric)
    # In order of first occurrence.
    everywhere = dict.fromkeys(
        [*evidences, *(name for table in evidences.values() for name in table["tested_on"])]
    )
    datasets, rows = list(everywhere), []
    for trained_on, evidence in evidences.items():
        own = evidence[evidence["model"] == model]
        for tested_on in datasets:
            protocol = EXTERNAL
            if tested_on == trained_on:
                made = set(own["protocol"])
                protocol = next((name for name in reversed(WITHIN) if name in made), next(iter(WITHIN)))
            row = {"trained_on": trained_on, "tested_on": tested_on, "protocol": protocol, "metric": metric}
            row |= _cell(evidence, model, metric, protocol, tested_on)
            if own.empty:
                row["reason"] = f"The study of {trained_on} does not have this model."
            if row["metric"] == FALSE_ALARMS:
                value, low, high = 1 - row["value"], 1 - row["high"], 1 - row["low"]
                row |= {"metric": "specificity", "value": value, "low": low, "high": high}
            rows.append(row)
    columns = ["trained_on", "tested_on", "protocol", "metric", *_VALUE, *_SIZES, "reason"]
    return _table(rows)[columns]


def ruled_out(features: pd.DataFrame, task: Task) -> dict[str, str]:
    """Impossible protocols of a dataset: by protocol, a sentence that says why its people or sources rule it out."""
    reasons = {name: protocol.ruled_out(features, task) for name, protocol in PROTOCOLS.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _check(metric):
    if metric not in SHOWN:
        raise ValueError(f"There is no metric called {metric!r}. Known: {', '.join(SHOWN)}.")


def _table(rows):
    """A table whose sizes are whole numbers, even if some are missing."""
    return pd.DataFrame(rows).astype(dict.fromkeys(_SIZES, "Int64"))


def _cell(evidence, model, metric, protocol, tested_on, reason=None):
    """One measurement: the measured columns of `steps`, ``metric`` if it differs, and ``reason``."""
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
    cell |= dict(zip(_VALUE, _interval(own, metric, healthy), strict=True))
    if pd.isna(cell["value"]):
        # A metric that is newer than the study has no value anywhere; others are missing where they are not defined.
        is_newer = evidence[metric].isna().all() and own["positives"] and own["negatives"]
        return cell | {"reason": _NOT_COMPUTED if is_newer else _ONE_LABEL}
    cell |= _guesses(own, metric, healthy)
    if RANDOM in here.index and pd.isna(cell["chance"]):
        cell["chance"] = _interval(here.loc[RANDOM], metric, healthy)[0]
    if SHORTCUT in here.index and model != SHORTCUT:
        cell |= dict(zip(_SHORTCUT, _interval(here.loc[SHORTCUT], metric, healthy), strict=True))
    return cell


def _why_empty(here, protocol, tested_on, reason):
    if len(here):
        where = f"tested on {tested_on}" if protocol == EXTERNAL else "trained and tested this way"
        return f"This model was not {where}; others were."
    if reason:
        return reason
    if protocol == EXTERNAL:
        return f"No model was tested on {tested_on or 'another dataset'}."
    return "No model was trained and tested this way."


def _interval(row, metric, healthy):
    if healthy:
        value, low, high = (1 - row[name] for name in ("specificity", "specificity_high", "specificity_low"))
        return float(value), float(low), float(high)
    return tuple(float(row[name]) for name in (metric, f"{metric}_low", f"{metric}_high"))


def _guesses(row, metric, healthy):
    """The scores of always predicting the commoner label, and of guessing if that does not depend on the way of guessing."""
    if healthy:
        return {"majority": 0.0}
    of = METRICS[metric]
    guesses = {} if of.chance is None else {"chance": of.chance}
    if of.majority:
        guesses["majority"] = of.majority(float(row["majority"]), row["positives"] > row["negatives"])
    return guesses
