"""The card of a study: training data, scores, and limits of use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coughlab.evaluation import scoring, splits
from coughlab.evaluation.protocols import PROTOCOLS, WITHIN
from coughlab.studies import case_study
from coughlab.studies.definition import from_dict
from coughlab.text import filled, markdown_table


def reality(evidence: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Every model's ROC AUC under every protocol, or specificity if no test person is positive, as a Markdown table.

    Parameters
    ----------
    evidence : pandas.DataFrame
        The result of `coughlab.evaluation.bootstrap.table`.
    titles : dict of str to str
        Title of each model.
    """
    tests = evidence.groupby(["protocol", "tested_on"], sort=False, observed=True)
    tests = sorted(tests, key=lambda test: list(PROTOCOLS).index(test[0][0]))
    header, sizes = ["model"], ["*tested on up to*"]
    cells = {model: [titles[model]] for model in titles if model in set(evidence["model"])}
    for (protocol, tested_on), rows in tests:
        metric = "specificity" if rows["roc_auc"].isna().all() else "AUC"
        column = WITHIN[protocol].column if protocol in WITHIN else f"on {tested_on}"
        header.append(f"{column}: {metric}")
        sizes.append(f"*{rows['recordings'].max()} recordings, {rows['people'].max()} people*")
        found = {row["model"]: row for row in rows.to_dict("records")}
        for model, row in cells.items():
            row.append(_cell(found[model]) if model in found else "–")
    return markdown_table(header, [sizes, *cells.values()])


def _cell(row: Mapping[str, Any]) -> str:
    name, form = ("specificity", ".0%") if np.isnan(row["roc_auc"]) else ("roc_auc", ".2f")
    value, low, high = (format(row[f"{name}{end}"], form) for end in ("", "_low", "_high"))
    return f"{value} ({low} to {high})"


def write(
    manifest: Mapping[str, Any], table: pd.DataFrame, predictions: pd.DataFrame, evidence: pd.DataFrame
) -> str:
    """Write the card, in Markdown, from the study's manifest, feature table, predictions and `evidence`."""
    defined, models = from_dict(manifest["definition"]), manifest["models"]
    thresholds = {name: model["threshold"] for name, model in models.items()}
    titles = {name: model["title"] for name, model in models.items()}
    scores = scoring.scores(predictions, thresholds)
    return filled(
        Path(__file__).with_name("card.md.jinja"),
        manifest=manifest,
        about=defined.about.lstrip(),
        task=defined.task,
        rows=len(table),
        positives=table["positive"].sum(),
        recordings=table["recording"].nunique(),
        people=table["person"].nunique(),
        clean=len(splits.clean(table)),
        answering=[model["title"] for model in models.values() if model["serve"]],
        published=case_study.markdown(scores, scoring.per_split(predictions, thresholds), titles),
        reality=reality(evidence, titles),
        protocols=[PROTOCOLS[name] for name in scores["protocol"].unique()],
    )
