"""The card of a study: what it was trained on, what it scored, and what it is not."""

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
    scores = metrics.scores(
        predictions, {name: model["threshold"] for name, model in manifest["models"].items()}
    )
    lines = [
        f"# Study `{manifest['study']}`",
        "",
        "Trained for research. **Not a medical device; no answer of these models is a diagnosis.**",
        "",
        _NOTES.get(manifest["study"], ""),
        f"{len(table)} rows ({counts.get('covid', 0)} covid, {counts.get('not_covid', 0)} not_covid),"
        f" {table['recording'].nunique()} different recordings, {table['person'].nunique()} people.",
        f"The models that answer were fitted on all of them with seed {manifest['seed']}. The scores are of models fitted the"
        " same way on the training rows only and asked about the test rows.",
        "",
        "| model | protocol | score | mean, 95% interval | measured on |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in scores.to_dict("records"):
        for score in metrics.SCORES:
            cells = (
                manifest["models"][row["model"]]["title"],
                f"{row['protocol']}, {row['splits']} splits",
                score,
                f"{row[score]:.1%} ({row[f'{score}_low']:.1%} to {row[f'{score}_high']:.1%})",
                f"{row[f'{score}_recordings']} recordings, {row[f'{score}_people']} people",
            )
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        *(f"Protocol `{p}`: {splits.DESCRIPTIONS[p]}." for p in scores["protocol"].unique()),
        "A score is the mean over splits at the model's threshold. Its interval is Wilson's, with the number of different people"
        " as the number of trials.",
        "",
        *(f"- **{m['title']}** (`{m['serve']}`): {m['summary']}" for m in manifest["models"].values()),
    ]
    return "\n".join(lines) + "\n"
