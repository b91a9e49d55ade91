"""Scores of classifiers, computed from the predictions table.

Conventions: ``covid`` is the positive class; a probability at or above the threshold is called positive; a score is the mean
over splits, as in the case study.

An interval is Wilson's score interval at 95% (E. B. Wilson, "Probable inference, the law of succession, and statistical
inference", JASA 22, 1927) with the number of *different people* tested as the number of trials: one person's recordings, and
one recording in several splits, are not independent.
"""

import numpy as np
import pandas as pd

from coughlab.datasets import LABELS
from coughlab.evaluation import intervals

#: What one row of `per_split` is about.
KEYS = ["model", "protocol", "tested_on", "split", "role"]
#: Every metric of `per_split` in words, as it is shown; all but the log loss lie between 0 and 1.
METRICS = {
    "log_loss": "Log loss",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "brier": "Brier score",
}
#: Metrics of which less is better.
LOSSES = ("log_loss", "brier")

#: The rows each score is about: all, or those of one class.
SCORES = {"accuracy": LABELS, "sensitivity": ("covid",), "specificity": ("not_covid",)}


def validate(predictions):
    """Check that a predictions table can be scored.

    Raises
    ------
    ValueError
        If a column is missing, a label is unknown, or a probability is not between 0 and 1.
    """
    needed = {
        "model",
        "protocol",
        "tested_on",
        "split",
        "role",
        "recording",
        "person",
        "label",
        "probability",
    }
    if missing := needed - set(predictions.columns):
        raise ValueError(f"The predictions table lacks {', '.join(sorted(missing))}.")
    if not predictions["label"].isin(LABELS).all():
        raise ValueError(f"Labels must be {' or '.join(LABELS)}.")
    if not predictions["probability"].between(0, 1).all():
        raise ValueError("Probabilities must lie between 0 and 1.")


def per_split(predictions, thresholds):
    """Every metric of every model on every split, on the rows trained on and on those tested on.

    All are as scikit-learn's functions of the same names define them; they are computed together because a page asks for
    thousands of splits at once. The ROC AUC is the share of pairs of one covid and one other recording that the model ranks
    rightly, a tie counting half (D. Bamber, J. Math. Psychol. 12, 1975). The average precision is the mean over covid
    recordings of the precision at their own probability.

    Parameters
    ----------
    predictions : pandas.DataFrame
        The predictions table.
    thresholds : dict of str to float
        Threshold of each model.

    Returns
    -------
    pandas.DataFrame
        One row for each value of `KEYS`, in the table's order: ``recordings``, ``people``, ``positives``, ``negatives``, the
        counts ``tp``, ``fp``, ``fn``, ``tn``, and the columns of `METRICS`. A metric that is not defined, as sensitivity where
        nobody has COVID, is missing (NaN).

    Raises
    ------
    ValueError
        If the table cannot be scored, or a model has no threshold.
    """
    validate(predictions)
    _check_thresholds(predictions, thresholds)
    keys = [predictions[key].astype("category") if key != "split" else predictions[key] for key in KEYS]
    positive = (predictions["label"] == "covid").to_numpy()
    probability = predictions["probability"].to_numpy(dtype=float)
    threshold = predictions["model"].map(thresholds).to_numpy(dtype=float)
    called = probability >= threshold
    # A probability of 0 or 1 that is wrong would cost infinitely much; scikit-learn stops short of them as well.
    sure = np.clip(probability, np.finfo(float).eps, 1 - np.finfo(float).eps)
    rows = pd.DataFrame(
        {
            "recordings": 1,
            "positives": positive,
            "tp": called & positive,
            "fp": called & ~positive,
            "fn": ~called & positive,
            "tn": ~called & ~positive,
            "log_loss": -np.log(np.where(positive, sure, 1 - sure)),
            "brier": (probability - positive) ** 2,
            "rank": 0.0,
            "precision_there": 0.0,
        }
    )
    group = pd.MultiIndex.from_arrays(keys).factorize()[0] if len(rows) else np.empty(0, int)
    p = pd.Series(probability)
    at_or_above = p.groupby(group).rank(method="max", ascending=False)
    above_and_covid = p[positive].groupby(group[positive]).rank(method="max", ascending=False)
    rows["rank"] = p.groupby(group).rank().where(positive, 0.0)
    rows["precision_there"] = (above_and_covid / at_or_above[positive]).reindex(rows.index, fill_value=0.0)
    sums = rows.groupby(group).sum()
    first = pd.Series(np.arange(len(rows))).groupby(group).first().to_numpy()
    n, n_covid = sums["recordings"], sums["positives"]
    tp, fp, fn, tn = (sums[name] for name in ("tp", "fp", "fn", "tn"))
    computed = {
        "recordings": n,
        "people": predictions["person"]
        .astype("category")
        .cat.codes.reset_index(drop=True)
        .groupby(group)
        .nunique(),
        "positives": n_covid,
        "negatives": n - n_covid,
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "log_loss": sums["log_loss"] / n,
        "accuracy": (tp + tn) / n,
        "sensitivity": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
        "precision": _ratio(tp, tp + fp),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "roc_auc": _ratio(sums["rank"] - n_covid * (n_covid + 1) / 2, n_covid * (n - n_covid)),
        "average_precision": _ratio(sums["precision_there"], n_covid),
        "brier": sums["brier"] / n,
    }
    return pd.concat([predictions[KEYS].iloc[first].reset_index(drop=True), pd.DataFrame(computed)], axis=1)


def _ratio(part, whole):
    return part / whole.where(whole > 0)


def spread(table, *, by=("model", "protocol", "tested_on", "role")):
    """How the metrics of `per_split` scatter over splits.

    Parameters
    ----------
    table : pandas.DataFrame
        What `per_split` returns.
    by : sequence of str
        What one row of the result is about.

    Returns
    -------
    pandas.DataFrame
        Indexed by `by`, in the table's order: ``splits``, and for each metric its mean, and as ``<metric>_sd``, ``<metric>_min``
        and ``<metric>_max`` the standard deviation (missing for one split) and the extremes over splits.
    """
    groups = table.groupby(list(by), sort=False, observed=True)
    columns = {"splits": groups["split"].nunique()}
    for metric in METRICS:
        values = groups[metric]
        columns |= {
            metric: values.mean(),
            f"{metric}_sd": values.std(),
            f"{metric}_min": values.min(),
            f"{metric}_max": values.max(),
        }
    return pd.DataFrame(columns)


def _check_thresholds(predictions, thresholds):
    if missing := set(predictions["model"]) - set(thresholds):
        raise ValueError(f"No threshold given for {', '.join(sorted(missing))}.")


def scores(predictions, thresholds, *, role="test"):
    """Accuracy, sensitivity and specificity of every model under every protocol.

    Parameters
    ----------
    predictions : pandas.DataFrame
        The predictions table.
    thresholds : dict of str to float
        Threshold of each model.
    role : {"test", "train"}
        Which rows to score.

    Returns
    -------
    pandas.DataFrame
        One row a model, protocol and dataset tested on: ``splits``, and for each score its value (mean over splits), ``_low``
        and ``_high`` (95% interval), ``_recordings`` and ``_people`` (how many different ones it rests on).

    Raises
    ------
    ValueError
        If the table cannot be scored, or a model has no threshold.
    """
    validate(predictions)
    _check_thresholds(predictions, thresholds)
    rows = predictions[predictions["role"] == role]
    called = rows["probability"] >= rows["model"].map(thresholds).astype(float)
    rows = rows.assign(right=called == (rows["label"] == "covid"))
    keys = ["model", "protocol", "tested_on"]
    return pd.DataFrame(
        [
            dict(zip(keys, key, strict=True)) | _scored(group)
            for key, group in rows.groupby(keys, sort=False, observed=True)
        ]
    )


def _scored(rows):
    row = {"splits": rows["split"].nunique()}
    for score, labels in SCORES.items():
        of = rows[rows["label"].isin(labels)]
        value, people = of.groupby("split")["right"].mean().mean(), of["person"].nunique()
        low, high = intervals.wilson(value, people) if people else (0.0, 1.0)
        row |= {
            score: float(value),
            f"{score}_low": float(low),
            f"{score}_high": float(high),
            f"{score}_recordings": of["recording"].nunique(),
            f"{score}_people": people,
        }
    return row
