"""The card of a study: what it was trained on, what it scored, and what it is not."""

import numpy as np

from coughlab.evaluation import scoring, splits
from coughlab.evaluation.protocols import PROTOCOLS, WITHIN
from coughlab.studies import case_study
from coughlab.studies.definition import from_dict


def reality(evidence, titles):
    """Every model's ROC AUC under every protocol, or specificity where nobody tested is positive, as a table for card and README.

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
    order = list(PROTOCOLS)
    tests = sorted(tests, key=lambda test: order.index(test[0]))
    cells = {(row["model"], row["protocol"], row["tested_on"]): row for row in evidence.to_dict("records")}
    heads, sizes = ["model"], ["*tested on up to*"]
    for test in tests:
        rows = evidence[(evidence["protocol"] == test[0]) & (evidence["tested_on"] == test[1])]
        healthy = rows["roc_auc"].isna().all()
        of = WITHIN[test[0]].column if test[0] in WITHIN else f"on {test[1]}"
        heads.append(f"{of}: {'specificity' if healthy else 'AUC'}")
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
    defined = from_dict(manifest["definition"])
    task, positives = defined.task, int(table["positive"].sum())
    thresholds = {name: model["threshold"] for name, model in manifest["models"].items()}
    titles = {name: model["title"] for name, model in manifest["models"].items()}
    scores = scoring.scores(predictions, thresholds)
    answering = [model["title"] for model in manifest["models"].values() if model["serve"]]
    lines = [
        f"# Study `{manifest['study']}`",
        "",
        "Trained for research. **Not a medical device; no answer of these models is a diagnosis.**",
        "",
        defined.about.lstrip(),
        f"{len(table)} rows ({positives} {task.positive}, {len(table) - positives} {task.negative}),"
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
        *case_study.markdown(scores, scoring.per_split(predictions, thresholds), titles),
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
        f"AUC: how often the model ranks a recording with {task.condition} above one without; 0.5 is guessing. Means over splits,"
        " with 95% intervals by resampling people.",
        "",
        *(f"- Protocol `{p}`: {PROTOCOLS[p].description}." for p in scores["protocol"].unique()),
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
