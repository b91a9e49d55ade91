"""The card of the detector: what it was trained on, what it was measured on, and what it is not."""

from functools import lru_cache

from coughlab.detector.events import BESIDE, BESIDE_S
from coughlab.detector.frames import N_MELS
from coughlab.detector.training import measures
from coughlab.studies import store

SUMMARY = (
    f"A convolutional network on {N_MELS} mel bands up to 8,000 Hz that says of every 40 ms whether it is a cough, a voice, a"
    " breath, another sound or quiet."
)
_PROTOCOLS = {
    "person-disjoint": "People it has not heard: two models, each without a fifth of the people and clips, tested on these",
    "external": "A collection it has not heard: a model without the collection, tested on it",
}


@lru_cache(maxsize=1)
def line(stored):
    """What the detector is worth, in a sentence for under its answers.

    Parameters
    ----------
    stored : coughlab.studies.store.StoredStudy
        The detector, as of `coughlab.detector.stored`.

    Returns
    -------
    str
    """
    table = measures.summary(stored.table(store.PREDICTIONS), stored.thresholds[store.DETECTOR])
    rows = table[(table["protocol"] == "person-disjoint") & (table["chain"] == "as recorded")]
    coughs, others = (
        rows[(rows["kind"] == "all") & (rows["label"] == label)].iloc[0] for label in ("cough", "other")
    )
    return (
        f"Measured on people and clips it had not heard ({_named(rows)}): it finds a cough in {_share(coughs)} of"
        f" recordings of coughs ({_size(coughs)}), and takes {_share(others)} of recordings of breathing, speech, vowels and"
        f" environmental sounds for one ({_size(others)})."
    )


def _named(rows):
    names = [name for name in rows["tested_on"].unique() if name != "all"]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _share(row):
    return f"{row['found']:.1%} (95% interval {row['low']:.1%} to {row['high']:.1%})"


def _size(row):
    return f"{row['recordings']:,} recordings of {row['people']:,} people or clips"


def write(manifest, listed, asked, events):
    """Write the card.

    Parameters
    ----------
    manifest : dict
        The detector's manifest.
    listed : pandas.DataFrame
        What it was trained on, as of `coughlab.detector.training.corpus.table`.
    asked, events : pandas.DataFrame
        The predictions table and the table of moments.

    Returns
    -------
    str
        Markdown.
    """
    # Not at the top: who answers reads `line`, and needs nothing of what training needs.
    from coughlab.detector.training.scenes import COUGH_SPEED, OTHER_SPEED

    entry = manifest["models"][store.DETECTOR]
    at = entry["threshold"]
    lines = [
        "# The cough detector",
        "",
        "It hears where the coughs are in a recording or a stream. For research. **Not a medical device: it says whether"
        " there is a cough, nothing of a disease.**",
        "",
        f"{SUMMARY} {entry['parameters']:,} parameters. A sound is a cough from a probability of {at:g} on, and within"
        f" {BESIDE_S:g} s of such a one from {BESIDE * at:.2f} on.",
        "",
        "## What it was trained on",
        "",
        f"{manifest['scenes']:,} scenes of 5 seconds, {manifest['epochs']} times each (seed {manifest['seed']}), made of"
        f" {len(listed):,} recordings of {listed['person'].nunique():,} people and clips, each audio once, and of sounds made by"
        " formula (speech-like, music-like, noise, knocks, silence, and synthetic coughs):",
        "",
        "| collection | kind | recordings | people or clips |",
        "| --- | --- | --- | --- |",
        *_corpus(listed),
        "",
        "Licences: kaggle-trial states none; covid19-cough CC0 1.0; coswara-sample CC BY 4.0 (Coswara, Indian Institute of"
        " Science); esc10 CC BY (K. J. Piczak, ESC: Dataset for Environmental Sound Classification). No recording is part of"
        " this.",
        "",
        "Which moments of a recording are coughs is not published. In recordings of coughs the loud bursts were taken for"
        " them. In the clips of AudioSet, which hold other sounds beside coughs, each model was left to find them: half way"
        " through its training, what it was at least 80% sure of.",
        "",
        "All sounds, coughs or not, are resampled to 16,000 Hz and go through recording chains drawn at random from the same:"
        " level, room, equaliser, noise, clipping, MP3, Opus, Vorbis, GSM, mu-law and ADPCM, and bandwidths from 3,400 to"
        " 8,000 Hz. Coughs are put into recordings of the other collections. So the way a sound was recorded says little of"
        " what it is; the tables below show what is left. There are many people who cough and few of the other sounds, so these"
        f" are cut to pieces, put under other scenes, and played up to {OTHER_SPEED:g} times faster or slower, coughs up to"
        f" {COUGH_SPEED:g} times; sneezes and babies' cries, hardest to tell from coughs, are drawn more often.",
        "",
        "## What it is worth",
        "",
        "Share of recordings in which a cough is found, with Wilson's 95% interval on the number of people or clips. The"
        " threshold was set on the people it had not heard, so that at most 2% of their recordings without coughs are taken for"
        " one.",
    ]
    table = measures.summary(asked, at)
    for protocol, told in _PROTOCOLS.items():
        rows = table[table["protocol"] == protocol]
        lines += [
            "",
            f"### {told}",
            "",
            "| recording chain | sound | cough found | tested on |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {row['chain']} | {_sound(row)} | {_share(row)} | {_size(row)} |"
            for row in rows.to_dict("records")
        ]
    lines += [
        "",
        "*Background alone*: of each recording what is within 6 dB of its quietest tenth, put together and made loud. The"
        " microphone, the room and the codec are in it, and hardly any cough. A detector that had learnt the recording chain"
        " would hear coughs in the backgrounds of recordings of coughs and none in the others.",
        "",
        "### Single coughs at known places",
        "",
        f"Coughs of people that the model has not heard, put into other sounds at least 6 dB quieter, also close together:"
        f" {events['scene'].nunique():,} scenes. Timed: neither split nor joined with another, start and end right to"
        f" {measures.TOLERANCE_S} s.",
        "",
        "| between them | coughs | found | timed, of those found | coughs found where there is none, for each cough |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {row['ground']} | {row['coughs']} | {row['found']:.1%} | {row['timed']:.1%} | {row['extra']:.3f} |"
            for row in measures.coughs(events, at).to_dict("records")
        ),
        "",
        "## What it is not",
        "",
        "It has heard spontaneous coughs only in the clips of AudioSet; all else are coughs made on request. Of environmental"
        " sounds it knows ten kinds, twenty clips of each, and what is made by formula. To rebuild it:"
        " `coughlab detector train --data DIR`, where DIR holds the four collections.",
    ]
    return "\n".join(lines) + "\n"


def _corpus(listed):
    counts = listed.groupby(["collection", "kind"], sort=False).agg(
        recordings=("recording", "size"), people=("person", "nunique")
    )
    return [
        f"| {collection} | {kind} | {row.recordings:,} | {row.people:,} |"
        for (collection, kind), row in counts.iterrows()
    ]


def _sound(row):
    if row["kind"] == "all":
        return "**all coughs**" if row["label"] == "cough" else "**all else**"
    return f"{measures.KINDS.get(row['kind'], row['kind'])}, {row['tested_on']}"
