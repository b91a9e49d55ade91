"""Scores of classifiers, computed from the predictions table.

Conventions: ``covid`` is the positive class; a probability at or above the threshold is called positive; a score is the mean
over splits, as in the case study.

An interval is Wilson's score interval at 95% (E. B. Wilson, "Probable inference, the law of succession, and statistical
inference", JASA 22, 1927) with the number of *different people* tested as the number of trials: one person's recordings, and
one recording in several splits, are not independent.
"""

import pandas as pd

from coughlab.datasets import LABELS

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
    if missing := set(predictions["model"]) - set(thresholds):
        raise ValueError(f"No threshold given for {', '.join(sorted(missing))}.")
    rows = predictions[predictions["role"] == role]
    called = rows["probability"] >= rows["model"].map(thresholds)
    rows = rows.assign(right=called == (rows["label"] == "covid"))
    keys = ["model", "protocol", "tested_on"]
    return pd.DataFrame(
        [dict(zip(keys, key, strict=True)) | _scored(group) for key, group in rows.groupby(keys, sort=False)]
    )


def _scored(rows):
    from statsmodels.stats.proportion import proportion_confint

    row = {"splits": rows["split"].nunique()}
    for score, labels in SCORES.items():
        of = rows[rows["label"].isin(labels)]
        value, people = of.groupby("split")["right"].mean().mean(), of["person"].nunique()
        low, high = proportion_confint(value * people, people, method="wilson") if people else (0.0, 1.0)
        row |= {
            score: float(value),
            # A perfect score is its own limit, which rounding can miss.
            f"{score}_low": float(min(low, value)),
            f"{score}_high": float(max(high, value)),
            f"{score}_recordings": of["recording"].nunique(),
            f"{score}_people": people,
        }
    return row
