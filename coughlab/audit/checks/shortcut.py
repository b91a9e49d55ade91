"""How well properties that have nothing to do with a disease predict the label."""

from dataclasses import dataclass

import pandas as pd

from coughlab.audit.checks import Check, Findings, Inputs, finding
from coughlab.datasets import labels
from coughlab.evaluation.probes import probe
from coughlab.features import recording_chain
from coughlab.system.progress import Progress, silent

#: Lower end of a shortcut's interval. Participant-independent models that detect a disease from sound reach about 0.7 (Han et
#: al., npj Digital Medicine 5, 2022). A shortcut this good can explain all of a model's score: severe.
SEVERE_AUC = 0.7
#: Four shortcuts are tried on every dataset, so an interval above 0.5 alone would be a false alarm too often: a warning from here
#: on.
WARNING_AUC = 0.55
FILE_FACTS = ("container", "codec", "sample_rate", "channels", "bit_depth")


@dataclass(frozen=True)
class Shortcut:
    """One way to predict a label without using the cough."""

    #: Columns of the survey, and ``file_kind``, which is all of `FILE_FACTS` together; and their description.
    columns: tuple[str, ...]
    shown: str
    advice: str
    #: Description of the columns that are meaningful alone.
    named: dict[str, str]


SHORTCUTS = {
    "File facts alone": Shortcut(
        (*FILE_FACTS, "file_kind", "duration_s"),
        "the kind, sample rate, channels, bit depth and length of the files",
        "Find out why the classes were stored differently. Convert all recordings to one format, sample rate, number of channels"
        " and length before training, and show what this shortcut scores beside any model.",
        {
            "container": "format",
            "codec": "coding of the sound",
            "sample_rate": "sample rate in Hz",
            "channels": "number of channels",
            "bit_depth": "number of bits a sample",
            "duration_s": "length in seconds",
        },
    ),
    "Source alone": Shortcut(
        ("source",),
        "which source each recording comes from",
        "Take both classes from the same source, and test inside sources that have both. Where no source has both, no score on"
        " this dataset can tell the disease from the source; only a test on another dataset can.",
        {"source": "source"},
    ),
    "Loudness and bandwidth alone": Shortcut(
        recording_chain.LEVEL,
        "how loud the recordings are and how high their frequencies reach",
        "Find out why the classes were recorded differently. Bring all recordings to the same loudness and highest frequency"
        " before training, and show what this shortcut scores beside any model.",
        {
            "level_rms_db": "average loudness in dB",
            "level_peak_db": "loudest moment in dB",
            "level_crest_db": "distance from average to loudest in dB",
            "level_offset_db": "constant offset in dB",
            "level_clipped": "share of overdriven sound",
            "level_bandwidth_hz": "highest frequency in Hz",
        },
    ),
    "Quietest moments alone": Shortcut(
        recording_chain.QUIET,
        "the quietest tenth of each recording, which is mostly background noise",
        "Collect both classes in the same kind of place and with the same devices, cut the recordings down to the coughs, and"
        " test on recordings that others made.",
        {"quiet_db": "loudness of the background in dB"},
    ),
}
_AUC = (
    " AUC is the chance that, of two recordings with different labels, the guess ranks the right one higher: 0.5 is a coin toss,"
    " 1 is never wrong."
)


def tried(table: pd.DataFrame, *, seed: int = 0, progress: Progress = silent) -> list[dict]:
    """Try every shortcut on the `coughlab.audit.checks.usable` rows of a survey.

    Returns
    -------
    list of dict
        For each of `SHORTCUTS` its ``title``, ``recordings`` and ``people``, and either ``auc``, ``interval`` and ``detail`` (a
        sentence on the single property that predicts best, or ""), or ``why`` it could not be tried. JSON-serializable.
    """
    first, *others = (table[fact].astype(str) for fact in FILE_FACTS)
    table = table.assign(file_kind=first.str.cat(others, sep=" ", na_rep="none"))
    done: list[dict] = []
    for title, shortcut in SHORTCUTS.items():
        progress("Looking for shortcuts", len(done), len(SHORTCUTS))
        done.append({"title": title} | _tried(table, shortcut, seed))
    progress("Looking for shortcuts", len(done), len(SHORTCUTS))
    return done


def _find(inputs: Inputs) -> Findings:
    good = [one for one in inputs.probes if "auc" in one and one["interval"][0] > WARNING_AUC]
    good.sort(key=lambda one: (one["interval"][0] < SEVERE_AUC, -one["auc"]))
    for number, one in enumerate(good):
        message = (
            f"Knowing only {SHORTCUTS[one['title']].shown}, and nothing of the coughs, tells the classes apart with an AUC of"
            f" {one['auc']:.2f} ({_interval(one)}; cross-validated on {_measured_on(one)}, no person on both sides)."
            f"{'' if number else _AUC}{one['detail']}"
        )
        severity = "severe" if one["interval"][0] >= SEVERE_AUC else "warning"
        fields = {name: one[name] for name in CHECK.fields}
        yield finding(severity, one["recordings"], message, SHORTCUTS[one["title"]].advice, **fields)


def in_short(one: dict) -> str:
    """One line on a shortcut that is not a finding, or why it could not be tried."""
    if "why" in one:
        return f"{one['title']}: not tried. {one['why']}"
    low, high = one["interval"]
    verdict = "hardly better than guessing" if low > 0.5 else "worse than guessing"
    if low <= 0.5 <= high:
        verdict = "cannot be told from guessing"
    return f"{one['title']}: AUC {one['auc']:.2f} ({_interval(one)}; {_measured_on(one)}), {verdict}."


def _interval(one: dict) -> str:
    low, high = one["interval"]
    return f"95% interval {low:.2f} to {high:.2f}"


def _measured_on(one: dict) -> str:
    return f"{one['recordings']:,} recordings of {one['people']:,} people"


def _tried(table: pd.DataFrame, shortcut: Shortcut, seed: int) -> dict:
    about = {"recordings": len(table), "people": int(table["person"].nunique())}
    columns = list(shortcut.columns)
    if table.empty:
        return about | {"why": "No recording is left that could be used."}
    if table["label"].nunique() < 2:
        return about | {"why": "There is only one class, so there is nothing to tell apart."}
    if (table[columns].nunique(dropna=False) <= 1).all():
        return about | {"why": "It is the same in every recording, so it tells nothing."}
    result = probe(table[columns], table["label"], table["person"], seed=seed)
    if result is None:
        return about | {"why": "A class has recordings of too few people to be learnt and tested."}
    return {
        "recordings": result.recordings,
        "people": result.people,
        "auc": round(result.auc, 4),
        "interval": [round(result.low, 4), round(result.high, 4)],
        "detail": _detail(table, shortcut.named, seed) if result.low > 0.5 else "",
    }


def _detail(table: pd.DataFrame, named: dict[str, str], seed: int) -> str:
    """A sentence on the property that predicts best alone, and its value in each class; "" if there is none."""
    alone = {
        column: result.auc
        for column in named
        if (result := probe(table[[column]], table["label"], table["person"], seed=seed))
    }
    if not alone or table["label"].nunique() > 2:
        return ""
    best = max(alone, key=alone.__getitem__)
    typical = ", ".join(
        f"{_typical(rows[best])} in {labels.title(name)}" for name, rows in table.groupby("label")
    )
    if len(named) > 1:
        return (
            f" The most telling by itself is the {named[best]} (AUC {alone[best]:.2f}): typically {typical}."
        )
    return f" The {named[best]}: typically {typical}."


def _typical(values: pd.Series) -> str:
    if pd.api.types.is_numeric_dtype(values):
        median = values.median()
        return f"{median:,.0f}" if abs(median) >= 100 else f"{median:.3g}"
    counts = values.value_counts()
    return f"{counts.index[0]} ({counts.iloc[0] / len(values):.0%})"


CHECK = Check(
    "shortcut",
    "Shortcut",
    "What has nothing to do with a disease and predicts the label: file facts, source, loudness and bandwidth, quietest moments.",
    order=4,
    find=_find,
    fields={"title": {"type": "string"}, "auc": {"type": "number"}, "interval": {"$ref": "#/$defs/interval"}},
)
