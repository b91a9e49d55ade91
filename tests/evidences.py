"""Synthetic evidence tables for the tests."""

import pandas as pd

METRICS = ("roc_auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "brier")


def row(
    model, protocol, tested_on, auc=None, *, splits=50, recordings=100, people=90, positives=20, **values
):
    """One row in the format of `coughlab.evaluation.bootstrap.table`.

    `auc` and each of `values` is (value, low, high); what is not given is missing.
    """
    values = {"roc_auc": auc} | values
    columns = {"model": model, "protocol": protocol, "tested_on": tested_on, "splits": splits}
    columns |= {"recordings": recordings, "people": people, "positives": positives}
    negatives = recordings - positives
    columns |= {"negatives": negatives, "majority": max(positives, negatives) / recordings}
    for metric in METRICS:
        value = values.get(metric) or (float("nan"),) * 3
        columns |= dict(zip((metric, f"{metric}_low", f"{metric}_high"), value, strict=True))
    return columns


def kaggle_trial():
    """Evidence of four models, one of them only tested as published; the numbers are made up."""
    name, other, healthy = "kaggle-trial", "covid19-cough", "coswara-sample"
    size = {"recordings": 166, "people": 157, "positives": 19}
    there = {"splits": 1, "recordings": 1322, "people": 1320, "positives": 682}
    well = {"splits": 1, "recordings": 250, "people": 51, "positives": 0}
    return pd.DataFrame(
        [
            row("mlp", "published", name, (0.97, 0.91, 0.99), accuracy=(0.96, 0.92, 0.98), **size),
            row("shortcut", "published", name, (0.99, 0.95, 1.0), accuracy=(0.98, 0.95, 0.99), **size),
            row("random", "published", name, (0.5, 0.38, 0.62), accuracy=(0.8, 0.72, 0.86), **size),
            row(
                "cnn2", "published", name, (0.93, 0.7, 0.99), splits=1, recordings=51, people=49, positives=6
            ),
            row("mlp", "deduplicated", name, (0.94, 0.86, 0.98), **size),
            row("shortcut", "deduplicated", name, (0.98, 0.93, 0.99), **size),
            row("mlp", "person-disjoint", name, (0.91, 0.8, 0.97), **size),
            row("shortcut", "person-disjoint", name, (0.97, 0.9, 0.99), **size),
            row("mlp", "external", other, (0.48, 0.45, 0.52), **there),
            row("shortcut", "external", other, (0.5, 0.47, 0.53), **there),
            row("mlp", "external", healthy, specificity=(0.72, 0.6, 0.82), **well),
            row("shortcut", "external", healthy, specificity=(0.9, 0.8, 0.96), **well),
        ]
    )


def covid19_cough():
    """Evidence of the same model in a study that was tested on the first one's dataset; the numbers are made up."""
    name = "covid19-cough"
    size = {"recordings": 1322, "people": 1322, "positives": 682}
    return pd.DataFrame(
        [
            row("mlp", "published", name, (0.72, 0.69, 0.75), **size),
            row("mlp", "deduplicated", name, (0.71, 0.68, 0.74), **size),
            row("mlp", "source-balanced", name, (0.58, 0.53, 0.63), **size),
            row("mlp", "external", "kaggle-trial", (0.4, 0.3, 0.5), splits=1, recordings=160, positives=15),
        ]
    )
