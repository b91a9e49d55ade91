"""The card of a study: what it was trained on, what it scored, and what it is not."""

from coughlab import casestudy
from coughlab.evidence import metrics, splits

_NOTES = {
    "kaggle-trial": """\
Dataset: Kaggle `himanshu007121/coughclassifier-trial`, which states no licence; the recordings are not redistributed here.
By their file names, those labelled `not_covid` come from AudioSet, which says nothing of COVID, at 22,050 Hz, and those labelled
`covid` from Coswara, Virufy and an unknown place, at 44,100 or 48,000 Hz. Where a recording comes from therefore tells the two
classes apart without a disease: read every score below with that in mind. A person is taken from the file name as well: the clip
of AudioSet, the participant of Coswara, the patient of Virufy.
""",
}


def write(manifest, table, predictions):
    """Write the card.

    Parameters
    ----------
    manifest : dict
        The study's manifest.
    table : pandas.DataFrame
        Its feature table.
    predictions : pandas.DataFrame
        Its predictions table.

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
        f"The models that answer ({', '.join(answering)}) were fitted on all of them with seed"
        f" {manifest['seed']}. The scores are of models fitted the same way on the training rows only and asked"
        " about the test rows.",
        "",
        *casestudy.markdown(scores, metrics.per_split(predictions, thresholds), titles),
    ]
    lines += [
        "",
        *(f"Protocol `{p}`: {splits.DESCRIPTIONS[p]}." for p in scores["protocol"].unique()),
        "A score is the mean over splits at the model's threshold. Its interval is Wilson's at 95%, with the number of different"
        " people as the number of trials. What was published is of one split.",
        "",
        *(
            f"- **{model['title']}** (`{model['serve'] or name}`): {model['summary']}"
            for name, model in manifest["models"].items()
        ),
    ]
    return "\n".join(lines) + "\n"
