"""What is wrong with a dataset, found without being told what to look for.

Each finding is a dict: ``kind`` (one of `KINDS`), ``severity`` (one of `SEVERITIES`), ``recordings`` (rows concerned), ``groups``
(groups of rows that belong together, 0 where there is no such thing), ``message``, ``advice`` and ``examples``: up to 5 lists of
up to 5 recording names, each a group, or a single name; ``sizes``: how many names each of these groups has; and ``more``: how
many further groups there are. A ``shortcut`` also has ``title``, ``auc`` and ``interval``, and a
``small_sample`` has the ``interval`` that a perfect score would have.

Severe is what can make a good score meaningless; a warning is what has to be said beside a score.
"""

from coughlab.audit.shortcuts import SHORTCUTS, message, tried
from coughlab.datasets import labels
from coughlab.datasets.duplicates import clean, contradictory, people
from coughlab.evaluation import intervals
from coughlab.evaluation.splits import TEST_SHARE
from coughlab.text import counted, percent

SEVERITIES = ("severe", "warning", "note")
#: In the order in which they are told among equals.
KINDS = (
    "missing",
    "undecodable",
    "contradictory_labels",
    "shortcut",
    "identical_audio",
    "near_identical_audio",
    "listed_twice",
    "person_overlap",
    "imbalance",
    "small_sample",
    "skipped",
)

#: Files lost. From a fifth of a class on, what is left is no longer the class that was collected: severe; else a warning.
SEVERE_LOSS = 0.2
#: Share of the tested rows (copies) or people that the published split also trains on. What was learnt by heart can lift a score
#: by as much: severe from 5 points on; else a warning.
SEVERE_LEAK = 0.05
#: Lower end of a shortcut's interval. 0.7 is where participant-independent COVID models from sound land (Han et al., npj Digital
#: Medicine 5, 2022), so that a shortcut this good can stand for the whole of a model: severe.
SEVERE_AUC = 0.7
#: Four shortcuts are tried on every dataset, so that the interval alone would be wrong too often: a warning from here on.
WARNING_AUC = 0.55
#: Recordings of the rarest class for one of the commonest. Below 1 in 4, always giving one answer is right in 80% of the cases: a
#: warning. Below 1 in 20 it is right in 95%: severe, as is a single class.
WARNING_RATIO, SEVERE_RATIO = 1 / 4, 1 / 20
#: What a perfect score on the rarest class would prove. If it could still be a coin toss: severe. If it could still miss the
#: sensitivity of 80% that WHO asks of a rapid test ("Antigen-detection in the diagnosis of SARS-CoV-2", 2021): a warning.
SEVERE_PROOF, WARNING_PROOF = 0.5, 0.8

N_EXAMPLES = 5

_COPIES = {
    "listed_twice": "lines of the list name a file that is listed more than once",
    "identical_audio": "recordings hold the same sound, sample by sample, under different names",
    "near_identical_audio": "recordings sound the same as another and differ only in encoding, loudness or where they were cut",
}


def findings(survey, copies, probes=None):
    """Everything that is wrong with a dataset, as far as its files, list and labels tell.

    Parameters
    ----------
    survey : pandas.DataFrame
        What `coughlab.datasets.survey.run` returned.
    copies : pandas.DataFrame
        What `coughlab.datasets.duplicates.find` returned for it.
    probes : list of dict, optional
        What `shortcuts` returned for them, if it is known already.

    Returns
    -------
    list of dict
        The findings, the severest first; only values that JSON can hold.
    """
    table = joined(survey, copies)
    usable = _usable(table)
    probes = shortcuts(survey, copies) if probes is None else probes
    found = [
        *(_lost(table, kind) for kind in ("missing", "undecodable")),
        _contradictory(table),
        *(_copied(table, kind) for kind in _COPIES),
        _overlap(usable, _names(table)),
        *_shortcuts(probes),
        _imbalance(table, usable),
        _small_sample(usable),
    ]
    return ordered([finding for finding in found if finding])


def ordered(findings):
    """The findings, the severest first, then in the order of `KINDS`, then the better shortcut."""
    return sorted(
        findings,
        key=lambda f: (SEVERITIES.index(f["severity"]), KINDS.index(f["kind"]), -f.get("auc", 0)),
    )


def joined(survey, copies):
    """A survey without its fingerprints, with the copies beside it."""
    return survey.drop(columns="fingerprint", errors="ignore").join(copies[["audio", "copy"]])


def shortcuts(survey, copies, *, seed=0, progress=lambda stage, done, total: None):
    """How well the label is told by what has nothing to do with a disease.

    Each probe is made on the recordings that are left without copies, with the people merged whose audio is the same.

    Parameters
    ----------
    survey, copies
        As in `findings`.
    seed : int
        Seed of the probes.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Returns
    -------
    list of dict
        As of `coughlab.audit.shortcuts.tried`.
    """
    return tried(_usable(joined(survey, copies)), seed=seed, progress=progress)


def _usable(table):
    """The rows that are left without copies and contradictions, people with the same audio merged."""
    table = table[table["status"] == "ok"]
    return table.assign(person=people(table["person"], table["audio"]))[clean(table)]


def _names(table):
    """How many names in the list each person has, by the name that stays when those with the same audio are merged."""
    table = table[table["status"] == "ok"]
    return table["person"].groupby(people(table["person"], table["audio"])).nunique()


def _finding(kind, severity, rows, groups, message, advice, *, examples=(), **more):
    shown = examples[:N_EXAMPLES]
    return {
        "kind": kind,
        "severity": severity,
        "recordings": int(rows),
        "groups": int(groups),
        "message": message,
        "advice": advice,
        "examples": [list(map(str, names[:N_EXAMPLES])) for names in shown],
        "sizes": [len(names) for names in shown],
        "more": len(examples) - len(shown),
        **more,
    }


def _lost(table, kind):
    lost = table[table["status"] == kind]
    if lost.empty:
        return None
    shares = lost["label"].value_counts() / table["label"].value_counts()
    shares = shares.fillna(0).sort_values(ascending=False)
    files = counted(len(lost), "listed recording")
    message = f"{files} {_is(len(lost))} not there." if kind == "missing" else f"{files} cannot be used."
    message += f" That is {_by_label(shares[shares > 0])}."
    if kind == "undecodable":
        reasons = lost["problem"].str.partition(". ")[0].str.rstrip(".").value_counts()
        message += " Why: " + "; ".join(f"{why} ({n})" for why, n in reasons.head(3).items()) + "."
    advice = {
        "missing": "Download the dataset again, or correct its list. If files were taken out on purpose, say which and why.",
        "undecodable": "Get these files again from where they came. If they cannot be had, leave them out and say how many of"
        " each class are left.",
    }[kind]
    severity = "severe" if shares.max() >= SEVERE_LOSS else "warning"
    examples = [[name] for name in lost["recording"].drop_duplicates()]
    return _finding(kind, severity, len(lost), 0, message, advice, examples=examples)


def _contradictory(table):
    rows = table[contradictory(table["label"], table["audio"])]
    if rows.empty:
        return None
    named = rows["recording"] + " (" + rows["label"].map(_label) + ")"
    groups = named.groupby(rows["audio"]).agg(list).tolist()
    message = (
        f"{counted(len(groups), 'sound')} {'stands' if len(groups) == 1 else 'stand'} under more than one label, in"
        f" {len(rows):,} recordings. One of the labels must be wrong, and nobody can tell which from the sound."
    )
    advice = "Ask whoever collected the data which label is right, or leave all of these recordings out."
    return _finding(
        "contradictory_labels", "severe", len(rows), len(groups), message, advice, examples=groups
    )


def _copied(table, kind):
    marked = table[table["copy"] == kind]
    if marked.empty:
        return None
    if kind == "listed_twice":
        rows = table[table["recording"].isin(marked["recording"])]
        groups = rows.groupby("recording", sort=False)["recording"].agg(list)
    else:
        rows = table[table["status"] == "ok"].drop_duplicates("recording")
        if kind == "near_identical_audio":
            # Of those with the same samples one is enough.
            rows = rows.drop_duplicates("audio_hash")
        by = "audio_hash" if kind == "identical_audio" else "audio"
        rows = rows[rows[by].duplicated(keep=False)]
        groups = rows.groupby(by, sort=False)["recording"].agg(list)
    sizes = groups.map(len)
    seen = float((TEST_SHARE * sizes * (1 - TEST_SHARE ** (sizes - 1))).sum() / (TEST_SHARE * len(table)))
    message = (
        f"{len(rows):,} {_COPIES[kind]}; they make {counted(len(groups), 'group')}. If recordings are dealt at random,"
        f" 70% to train and 30% to test, {percent(seen)} of those tested have a copy among those trained on, and the"
        " model only has to remember them."
    )
    advice = "Keep one recording of each group, or keep each group on one side when you deal them into train and test."
    severity = "severe" if seen >= SEVERE_LEAK else "warning"
    return _finding(kind, severity, len(rows), len(groups), message, advice, examples=groups.tolist())


def _overlap(usable, names):
    if usable.empty:
        return None
    sizes = usable["person"].value_counts()
    several = sizes[sizes > 1]
    if several.empty:
        message = (
            "Every recording stands under a person of its own. Either everybody was recorded once, or the dataset does not say"
            " who coughed; then nobody can tell whether a model was tested on people it was trained on."
        )
        advice = "Find out whether people were recorded several times, and if so get their (made-up) names."
        return _finding("person_overlap", "note", 0, 0, message, advice)
    tested = 1 - (1 - TEST_SHARE) ** sizes
    both = tested - TEST_SHARE**sizes
    share = float(both.sum() / tested.sum())
    message = (
        f"{_people(len(several))} {'has' if len(several) == 1 else 'have'} several recordings,"
        f" {several.sum():,} in all.{_merged(several.index, names)} If recordings are dealt at random, 70% to train and 30% to"
        f" test, about {_people(round(both.sum()))} {'stands' if round(both.sum()) == 1 else 'stand'} on both sides:"
        f" {percent(share)} of those tested on. A model can score by recognising them."
    )
    advice = "Deal people, not recordings, into train and test (the person-disjoint protocol)."
    severity = "severe" if share >= SEVERE_LEAK else "warning"
    of = usable[usable["person"].isin(several.index)].groupby("person")["recording"].agg(list)
    groups = of.loc[several.index].tolist()
    return _finding("person_overlap", severity, several.sum(), len(several), message, advice, examples=groups)


def _merged(people, names):
    n = int((names.reindex(people) > 1).sum())
    if not n:
        return ""
    return (
        f" {n:,} of them {'stands' if n == 1 else 'stand'} in the data under several names, which count as one person"
        " because the same sound is there under each."
    )


def _shortcuts(probes):
    told = [one for one in probes if "auc" in one and one["interval"][0] > WARNING_AUC]
    # In the order in which they will be read, so that the first explains what an AUC is.
    told.sort(key=lambda one: (one["interval"][0] < SEVERE_AUC, -one["auc"]))
    for number, one in enumerate(told):
        yield _finding(
            "shortcut",
            "severe" if one["interval"][0] >= SEVERE_AUC else "warning",
            one["recordings"],
            0,
            message(one, explain=number == 0),
            SHORTCUTS[one["title"]].advice,
            title=one["title"],
            auc=one["auc"],
            interval=one["interval"],
        )


def _imbalance(table, usable):
    counts = usable["label"].value_counts().reindex(table["label"].unique(), fill_value=0).sort_values()
    if (counts > 0).sum() < 2:
        message = (
            f"All {len(usable):,} usable recordings have the same label, {_label(counts.index[-1])}. Nothing can be learnt or"
            " tested about telling classes apart; at most one can count false alarms."
            if len(usable)
            else "No recording is left that could be used."
        )
        advice = "Add recordings of another class, made in the same way, or use this dataset to test only."
        return _finding("imbalance", "severe", len(usable), 0, message, advice)
    rare, common = counts.iloc[0], counts.iloc[-1]
    if rare >= WARNING_RATIO * common:
        return None
    message = (
        f"Of {counts.sum():,} usable recordings, {int(rare):,} ({percent(rare / counts.sum())})"
        f" {_is(rare)} labelled {_label(counts.index[0])}. Whoever always answers {_label(counts.index[-1])} is right in"
        f" {percent(common / counts.sum())} of the cases without listening."
    )
    advice = "Do not go by accuracy: look at sensitivity and specificity, or at the AUC, beside always giving one answer."
    severity = "severe" if rare < SEVERE_RATIO * common else "warning"
    return _finding("imbalance", severity, rare, 0, message, advice)


def _small_sample(usable):
    people_of = usable.groupby("label")["person"].nunique().sort_values(kind="stable")
    if len(people_of) < 2:
        return None
    label, n = people_of.index[0], int(people_of.iloc[0])
    tested = max(1, round(TEST_SHARE * n))
    low = float(intervals.wilson(1.0, tested)[0])
    if low >= WARNING_PROOF:
        return None
    message = (
        f"The class {_label(label)} has usable recordings of {_people(n)}; with 30% of them to test on, of {_people(tested)}."
        " Even a model that is right about each of them could in truth recognise as little as"
        f" {percent(low)} of this class (95% Wilson interval {low:.0%} to 100%)."
    )
    advice = "Collect more people of this class. Until then show the interval with every score, and do not compare models by it."
    severity = "severe" if low < SEVERE_PROOF else "warning"
    rows = int((usable["label"] == label).sum())
    return _finding("small_sample", severity, rows, 0, message, advice, interval=[round(low, 4), 1.0])


def _people(n):
    return "1 person" if n == 1 else f"{n:,} people"


def _is(n):
    return "is" if n == 1 else "are"


def _label(label):
    return labels.title(label)


def _by_label(shares):
    told = [
        f"{percent(share)} of {'those' if number else 'the recordings'} labelled {_label(label)}"
        for number, (label, share) in enumerate(shares.items())
    ]
    return ", ".join(told[:4]) + (f" and some of {len(told) - 4:,} other labels" if len(told) > 4 else "")
