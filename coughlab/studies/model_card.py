"""The card of a study: what it was trained on, what it scored, and what it is not."""

import numpy as np

from coughlab.evaluation import metrics, splits
from coughlab.studies import case_study

_NOTES = {
    "kaggle-trial": """\
Dataset: Kaggle `himanshu007121/coughclassifier-trial`, which states no licence; the recordings are not redistributed here.
By their file names, those labelled `not_covid` come from AudioSet, which says nothing of COVID, at 22,050 Hz, and those labelled
`covid` from Coswara, Virufy and an unknown place, at 44,100 or 48,000 Hz. Where a recording comes from therefore tells the two
classes apart without a disease: read every score below with that in mind. A person is taken from the file name as well: the clip
of AudioSet, the participant of Coswara, the patient of Virufy.
""",
    "covid19-cough": """\
Dataset: `covid19-cough/dataset` (CC0 1.0), coughs recorded on request by telephone and by a chat bot. It does not say who
coughed, so that each recording counts as a person of its own. Telephone and bot differ in sample rate and bandwidth, and in how
many of their recordings are labelled COVID: read the score with balanced sources for what is left without that. More than a
hundred recordings are there twice, once with either label; only the protocol `published` has them.
""",
}
#: Protocols in a few words, as columns.
_COLUMNS = {
    "published": "as published",
    "deduplicated": "without copies",
    "person-disjoint": "nobody on both sides",
    "source-balanced": "sources balanced",
}


def reality(evidence, titles):
    """Every model's ROC AUC under every protocol, or specificity where nobody tested has COVID, as a table for card and README.

    Parameters
    ----------
    evidence : pandas.DataFrame
        Of `coughlab.evaluation.bootstrap.table`.
    titles : dict of str to str
        Title of each model.

    Returns
    -------
    list of str
        Lines of Markdown, one a model.
    """
    tests = evidence[["protocol", "tested_on"]].drop_duplicates().itertuples(index=False, name=None)
    order = list(reversed(splits.STRICTEST))
    tests = sorted(tests, key=lambda test: order.index(test[0]))
    cells = {(row["model"], row["protocol"], row["tested_on"]): row for row in evidence.to_dict("records")}
    heads, sizes = ["model"], ["*tested on up to*"]
    for test in tests:
        rows = evidence[(evidence["protocol"] == test[0]) & (evidence["tested_on"] == test[1])]
        healthy = rows["roc_auc"].isna().all()
        told = _COLUMNS.get(test[0], f"on {test[1]}")
        heads.append(f"{told}: {'share of the healthy left alone' if healthy else 'AUC'}")
        sizes.append(f"*{rows['recordings'].max()} recordings, {rows['people'].max()} people*")
    lines = [_line(heads), _line(["---"] * len(heads)), _line(sizes)]
    return lines + [
        _line([titles[model], *(_cell(cells.get((model, *test))) for test in tests)])
        for model in titles
        if model in set(evidence["model"])
    ]


def _cell(row):
    if row is None:
        return "–"
    name, form = ("specificity", ".0%") if np.isnan(row["roc_auc"]) else ("roc_auc", ".2f")
    value, low, high = (format(row[f"{name}{end}"], form) for end in ("", "_low", "_high"))
    return f"{value} ({low} to {high})"


def _line(cells):
    return f"| {' | '.join(cells)} |"


def write(manifest, table, predictions, evidence):
    """Write the card.

    Parameters
    ----------
    manifest : dict
        The study's manifest.
    table : pandas.DataFrame
        Its feature table.
    predictions : pandas.DataFrame
        Its predictions table.
    evidence : pandas.DataFrame
        What `coughlab.evaluation.bootstrap.table` makes of that.

    Returns
    -------
    str
        Markdown.
    """
    counts = table["label"].value_counts()
    thresholds = {name: model["threshold"] for name, model in manifest["models"].items()}
    titles = {name: model["title"] for name, model in manifest["models"].items()}
    scores = metrics.scores(predictions, thresholds)
    answering = [model["title"] for model in manifest["models"].values() if model["serve"]]
    lines = [
        f"# Study `{manifest['study']}`",
        "",
        "Trained for research. **Not a medical device; no answer of these models is a diagnosis.**",
        "",
        _NOTES.get(manifest["study"], ""),
        f"{len(table)} rows ({counts.get('covid', 0)} covid, {counts.get('not_covid', 0)} not_covid),"
        f" {table['recording'].nunique()} different recordings, {table['person'].nunique()} people.",
        _left_out(manifest["left_out"]),
        *(
            [
                f"The models that answer ({', '.join(answering)}) were fitted with seed {manifest['seed']} on the"
                f" {len(splits.clean(table))} rows that are left without copies.",
            ]
            if answering
            else []
        ),
        "Every score is of models fitted the same way on the training rows only and asked about the test rows.",
        "",
        "## Random rows, as published",
        "",
        *case_study.markdown(scores, metrics.per_split(predictions, thresholds), titles),
    ]
    lines += [
        "",
        "A score is the mean over splits at the model's threshold. Its interval is Wilson's at 95%, with the number of different"
        " people as the number of trials. What was published is of one split.",
        "",
        "## What is left of it",
        "",
        *reality(evidence, titles),
        "",
        "AUC: how often the model ranks a recording with COVID above one without; 0.5 is guessing. Means over splits, with 95%"
        " intervals by resampling people.",
        "",
        *(f"- Protocol `{p}`: {splits.DESCRIPTIONS[p]}." for p in scores["protocol"].unique()),
        "",
        *(
            f"- **{model['title']}** (`{model['serve'] or name}`): {model['summary']}"
            for name, model in manifest["models"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _left_out(rows):
    if not rows:
        return ""
    have = "row has" if rows == 1 else "rows have"
    return f"{rows} listed {have} no recording that can be decoded and count nowhere."
