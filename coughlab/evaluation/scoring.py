"""Scores of classifiers, computed from the predictions table.

An interval of `scores` is Wilson's at 95% (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
JASA 22, 1927) with the number of *different people* tested as the number of trials: one person's recordings, and one recording
in several splits, are not independent.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from coughlab.evaluation import intervals
from coughlab.evaluation.metrics import PER_SPLIT, SHARES

#: Columns that identify a test.
TEST_KEYS = ["model", "protocol", "tested_on"]
#: Columns that identify a row of `per_split`.
KEYS = [*TEST_KEYS, "split", "role"]
#: Columns of the predictions table that scores need.
NEEDED = {*KEYS, "recording", "person", "positive", "probability"}


def validate(predictions: pd.DataFrame, thresholds: Mapping[str, float] | None = None) -> None:
    """ValueError if a column or threshold is missing, ``positive`` is not Boolean, or a probability is not between 0 and 1."""
    if missing := NEEDED - set(predictions.columns):
        raise ValueError(f"The predictions table lacks {', '.join(sorted(missing))}.")
    if len(predictions) and predictions["positive"].dtype != bool:
        raise ValueError("The column positive of the predictions table must be true or false in each row.")
    if not predictions["probability"].between(0, 1).all():
        raise ValueError("Probabilities must lie between 0 and 1.")
    if thresholds is not None and (missing := set(predictions["model"]) - set(thresholds)):
        raise ValueError(f"No threshold given for {', '.join(sorted(missing))}.")


def per_split(predictions: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """Every metric of every model on every split, on training rows and on test rows.

    All are computed together, because a page needs thousands of splits at once.

    Returns
    -------
    pandas.DataFrame
        One row for each value of `KEYS`, in the table's order: ``recordings``, ``people``, ``positives``, ``negatives``, the
        counts ``tp``, ``fp``, ``fn``, ``tn``, and each metric of `PER_SPLIT`, missing (NaN) if it is not defined.

    >>> study = coughlab.load_study()
    >>> rows = study.predictions.query("model == 'knn' and split == 0 and protocol == 'published'")
    >>> coughlab.score_predictions(rows, study.thresholds)["role"].tolist()
    ['train', 'test']
    """
    validate(predictions, thresholds)
    keys = [predictions[key].astype("category") if key != "split" else predictions[key] for key in KEYS]
    positive = predictions["positive"].to_numpy(dtype=bool)
    probability = predictions["probability"].to_numpy(dtype=float)
    predicted = probability >= predictions["model"].map(thresholds).to_numpy(dtype=float)
    group = pd.MultiIndex.from_arrays(keys).factorize()[0] if len(predictions) else np.empty(0, int)
    p = pd.Series(probability)
    rows = pd.DataFrame(
        {
            "positive": positive,
            "probability": probability,
            "at_or_above": p.groupby(group).rank(method="max", ascending=False),
            "positives_at_or_above": p[positive].groupby(group[positive]).rank(method="max", ascending=False),
        }
    )
    counted = {
        "n": 1,
        "positives": positive,
        "tp": predicted & positive,
        "fp": predicted & ~positive,
        "fn": ~predicted & positive,
        "tn": ~predicted & ~positive,
        "ranks": p.groupby(group).rank().where(positive, 0.0),
    }
    terms = {name: term(rows) for metric in PER_SPLIT.values() for name, term in metric.terms.items()}
    sums = pd.DataFrame(counted | terms, index=rows.index).groupby(group).sum()
    n_positive = sums["positives"]
    sums["negatives"] = sums["n"] - n_positive
    # The rank sum of the positive rows, minus its lowest possible value (Mann and Whitney's U).
    sums["concordant"] = sums["ranks"] - n_positive * (n_positive + 1) / 2
    first = pd.Series(np.arange(len(rows))).groupby(group).first().to_numpy()
    people = predictions["person"].astype("category").cat.codes.reset_index(drop=True)
    computed = {
        "recordings": sums["n"],
        "people": people.groupby(group).nunique(),
        **{name: sums[name] for name in ("positives", "negatives", "tp", "fp", "fn", "tn")},
        **{name: metric.of(sums) for name, metric in PER_SPLIT.items()},
    }
    about = predictions[KEYS].iloc[first].reset_index(drop=True)
    return pd.concat([about, pd.DataFrame(computed)], axis=1)


def spread(
    table: pd.DataFrame, *, by: Sequence[str] = ("model", "protocol", "tested_on", "role")
) -> pd.DataFrame:
    """How the metrics of `per_split` vary over splits, indexed by `by` in the table's order.

    Columns are ``splits`` and for each metric its mean, ``_sd`` (missing for one split), ``_min`` and ``_max``.
    """
    groups = table.groupby(list(by), sort=False, observed=True)
    ends = {"": "mean", "_sd": "std", "_min": "min", "_max": "max"}
    columns = {f"{metric}{end}": groups[metric].agg(how) for metric in PER_SPLIT for end, how in ends.items()}
    return pd.DataFrame({"splits": groups["split"].nunique()} | columns)


def scores(predictions: pd.DataFrame, thresholds: Mapping[str, float], *, role: str = "test") -> pd.DataFrame:
    """Accuracy, sensitivity and specificity of every model under every protocol.

    Returns
    -------
    pandas.DataFrame
        One row per model, protocol and test dataset: ``splits``, and for each score its value (mean over splits), ``_low`` and
        ``_high`` (95% interval), ``_recordings`` and ``_people`` (numbers of different ones behind it).
    """
    validate(predictions, thresholds)
    rows = predictions[predictions["role"] == role]
    predicted = rows["probability"] >= rows["model"].map(thresholds).astype(float)
    rows = rows.assign(right=predicted == rows["positive"])
    groups = rows.groupby(TEST_KEYS, sort=False, observed=True)
    return pd.DataFrame([dict(zip(TEST_KEYS, key, strict=True)) | _scored(group) for key, group in groups])


def asked(rows: pd.DataFrame, share_of: str) -> pd.DataFrame:
    """The rows of a share's denominator: "all", the "positives" or the "negatives"."""
    return rows if share_of == "all" else rows[rows["positive"] == (share_of == "positives")]


def _scored(rows):
    row = {"splits": rows["split"].nunique()}
    for score, metric in SHARES.items():
        of = asked(rows, metric.share_of)
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
