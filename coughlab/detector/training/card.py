"""The card of the detector: training data, measurements, and limits of use."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from coughlab.detector.events import BESIDE, BESIDE_S
from coughlab.detector.frames import N_MELS
from coughlab.detector.training import measures
from coughlab.detector.training.loaders import COLLECTIONS
from coughlab.studies import store
from coughlab.text import filled, markdown_table

SUMMARY = (
    f"A convolutional network on {N_MELS} mel bands up to 8,000 Hz that says of every 40 ms whether it is a cough, a voice, a"
    " breath, another sound or quiet."
)
_PROTOCOLS = {
    "person-disjoint": "People it has not heard: two models, each without a fifth of the people and clips, tested on these",
    "external": "A collection it has not heard: a model without the collection, tested on it",
}


@lru_cache(maxsize=1)
def line(stored: store.StoredStudy) -> str:
    """The measured accuracy of the stored detector, in one sentence for pages."""
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


def write(manifest: dict, listed: pd.DataFrame, asked: pd.DataFrame, events: pd.DataFrame) -> str:
    """Write the card, in Markdown.

    Parameters
    ----------
    manifest : dict
        The detector's manifest.
    listed : pandas.DataFrame
        The training recordings, as `coughlab.detector.training.corpus.table` lists them.
    asked, events : pandas.DataFrame
        The predictions table and the table of moments.
    """
    # Not at the top: pages import `line`, and need no training code.
    from coughlab.detector.training.scenes import COUGH_SPEED, OTHER_SPEED

    entry = manifest["models"][store.DETECTOR]
    at = entry["threshold"]
    table = measures.summary(asked, at)
    return filled(
        Path(__file__).with_name("card.md.jinja"),
        licences="; ".join(f"{one.name} {one.licence}" for one in COLLECTIONS),
        manifest=manifest,
        entry=entry,
        at=at,
        beside=BESIDE,
        beside_s=BESIDE_S,
        cough_speed=COUGH_SPEED,
        other_speed=OTHER_SPEED,
        tolerance_s=measures.TOLERANCE_S,
        scenes=events["scene"].nunique(),
        corpus=_corpus(listed),
        measured={title: _measured(table[table["protocol"] == name]) for name, title in _PROTOCOLS.items()},
        coughs=_coughs(measures.coughs(events, at)),
    )


def _corpus(listed):
    counts = listed.groupby(["collection", "kind"], sort=False).agg(
        recordings=("recording", "size"), people=("person", "nunique")
    )
    return markdown_table(
        ["collection", "kind", "recordings", "people or clips"],
        ([*kind, f"{row.recordings:,}", f"{row.people:,}"] for kind, row in counts.iterrows()),
    )


def _measured(table):
    return markdown_table(
        ["recording chain", "sound", "cough found", "tested on"],
        ([row["chain"], _sound(row), _share(row), _size(row)] for row in table.to_dict("records")),
    )


def _coughs(table):
    return markdown_table(
        [
            "between them",
            "coughs",
            "found",
            "timed, of those found",
            "coughs found where there is none, for each cough",
        ],
        (
            [
                row["ground"],
                row["coughs"],
                f"{row['found']:.1%}",
                f"{row['timed']:.1%}",
                f"{row['extra']:.3f}",
            ]
            for row in table.to_dict("records")
        ),
    )


def _sound(row):
    if row["kind"] == "all":
        return "**all coughs**" if row["label"] == "cough" else "**all else**"
    return f"{measures.KINDS.get(row['kind'], row['kind'])}, {row['tested_on']}"
