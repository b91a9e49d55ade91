"""An audit: a dataset listened to, searched for copies and shortcuts, and what was found written down.

Reports that are kept lie in ``models/audits/<dataset>.json``, beside the studies.
"""

import json
import re
from pathlib import Path

from coughlab.audit import findings as evidence
from coughlab.datasets import duplicates, survey
from coughlab.studies import store
from coughlab.system import files
from coughlab.text import percent, to_csv

FOLDER = "audits"
#: Names of datasets that can be names of files everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: From this share of a list on, what the loader left out is a warning.
WARNING_SKIPPED = 0.1
#: What a report, and each of its findings, has to hold, and of what type.
_REPORT = {
    "dataset": str,
    "read_as": str,
    "recordings": int,
    "people": int,
    "labels": dict,
    "sources": dict,
    "sound": bool,
    "findings": list,
    "probes": list,
    "skipped": list,
}
_FINDING = {
    "recordings": int,
    "groups": int,
    "message": str,
    "advice": str,
    "examples": list,
    "sizes": list,
    "more": int,
}


def audit(dataset, progress=lambda stage, done, total: None, **options):
    """Find out what is wrong with a dataset: the report of `examine` alone."""
    return examine(dataset, progress, **options)[0]


def examine(dataset, progress=lambda stage, done, total: None, **options):
    """Find out what is wrong with a dataset, and with which of its rows.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The dataset.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.
    **options
        Of `coughlab.datasets.survey.run`: ``engine``, where recordings are listened to, and ``folder`` and ``again``, where to
        keep what is measured. The report does not depend on them.

    Returns
    -------
    report : dict
        Only values that JSON can hold: ``dataset``, ``read_as`` (how its folder was read), ``recordings`` and ``people`` (rows
        of the list, and names of people in it), ``labels`` and ``sources`` (rows of each), ``sound`` (no severe finding),
        ``findings`` (as of `coughlab.audit.findings.findings`), ``probes`` (as of `coughlab.audit.findings.shortcuts`, those that
        found nothing too) and ``skipped`` (``recording`` and ``reason`` of each line or file that the loader left out).
    rows : pandas.DataFrame
        For each row of the dataset ``recording``, ``person`` (those with the same audio merged), ``label``, ``source``,
        ``status`` and ``problem`` (as of `coughlab.datasets.survey.run`), ``audio`` and ``copy`` (as of
        `coughlab.datasets.duplicates.find`).
    """
    surveyed = survey.run(dataset, progress, **options)
    progress("Looking for copies", 0, 1)
    same = duplicates.find(surveyed)
    progress("Looking for copies", 1, 1)
    probes = evidence.shortcuts(surveyed, same, progress=progress)
    skipped = dataset.skipped[["recording", "reason"]].astype(str)
    found = evidence.findings(surveyed, same, probes) + _skipped(skipped, len(surveyed))
    report = {
        "dataset": str(dataset.name),
        "read_as": dataset.read_as,
        "recordings": len(surveyed),
        "people": int(surveyed["person"].nunique()),
        "labels": _counts(surveyed["label"]),
        "sources": _counts(surveyed["source"]),
        "sound": all(finding["severity"] != "severe" for finding in found),
        "findings": evidence.ordered(found),
        "probes": probes,
        "skipped": skipped.to_dict("records"),
    }
    rows = surveyed[["recording", "person", "label", "source", "status", "problem"]].join(
        same[["audio", "copy"]]
    )
    return report, rows.assign(person=duplicates.people(rows["person"], rows["audio"]))


def write_rows(rows, path):
    """Write what `examine` says of each row as CSV, for people to act on.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `examine`.
    path : path-like
        The file, written whole or not at all. Text that a spreadsheet would run as a formula gets an apostrophe before it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    files.write(path, to_csv(rows).encode())


def save(report, folder=None):
    """Keep a report.

    Parameters
    ----------
    report : dict
        What `audit` returned.
    folder : path-like, optional
        Folder of the studies; ``models/`` unless told.

    Returns
    -------
    pathlib.Path
        The file, written whole or not at all.

    Raises
    ------
    ValueError
        If the dataset's name cannot be the name of a file.
    OSError
        If it cannot be written.
    """
    path = _path(report["dataset"], folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, json.dumps(report, indent=1, allow_nan=False).encode() + b"\n")
    return path


def load(name, folder=None):
    """A report that was kept.

    Parameters
    ----------
    name : str
        Name of the dataset.
    folder : path-like, optional
        As in `save`.

    Returns
    -------
    dict

    Raises
    ------
    coughlab.studies.store.StoreError
        If there is none, or it cannot be read.
    """
    remedy = "Make it with 'coughlab audit DATASET --data DIR --save'."
    try:
        report = json.loads(_path(name, folder).read_bytes())
    except (OSError, ValueError) as error:
        raise store.StoreError(f"There is no audit of {name!r} that can be read. {remedy}") from error
    if not _is_whole(report):
        raise store.StoreError(f"The audit of {name!r} is damaged or of another version. {remedy}")
    return report


def stored(folder=None):
    """Names of the datasets whose audits were kept, in order.

    Parameters
    ----------
    folder : path-like, optional
        As in `save`.

    Returns
    -------
    list of str
    """
    return sorted(path.stem for path in Path(folder or store.MODELS, FOLDER).glob("[!.]*.json"))


def _path(name, folder):
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be the name of a file: use up to 100 letters, digits, dots, dashes and underscores."
        )
    return Path(folder or store.MODELS) / FOLDER / f"{name}.json"


def _is_whole(report):
    """Whether a report has all that this version reads of one."""
    return (
        _holds(report, _REPORT)
        and all(
            isinstance(n, int) for counts in (report["labels"], report["sources"]) for n in counts.values()
        )
        and all(map(_is_finding, report["findings"]))
        and all(map(_is_probe, report["probes"]))
        and all(_holds(line, {"recording": str, "reason": str}) for line in report["skipped"])
    )


def _is_finding(finding):
    return (
        _holds(finding, _FINDING)
        and finding.get("kind") in evidence.KINDS
        and finding.get("severity") in evidence.SEVERITIES
        and len(finding["examples"]) == len(finding["sizes"])
        and all(isinstance(size, int) for size in finding["sizes"])
        and all(
            isinstance(names, list) and all(isinstance(n, str) for n in names)
            for names in finding["examples"]
        )
        and (finding["kind"] != "shortcut" or (_holds(finding, {"title": str}) and _is_score(finding)))
    )


def _is_probe(probe):
    about = {"title": str, "recordings": int, "people": int}
    return _holds(probe, about) and (_holds(probe, {"why": str}) or _is_score(probe))


def _is_score(one):
    return (
        _holds(one, {"auc": int | float, "interval": list})
        and len(one["interval"]) == 2
        and all(isinstance(end, int | float) for end in one["interval"])
    )


def _holds(value, kinds):
    return isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in kinds.items())


def _counts(column):
    return {str(value): int(n) for value, n in column.value_counts(sort=True, dropna=False).items()}


def _skipped(skipped, n_listed):
    if skipped.empty:
        return []
    n, reasons = len(skipped), skipped["reason"].value_counts()
    told = "; ".join(f"{reason.rstrip('.')} ({count:,})" for reason, count in reasons.head(3).items())
    share = n / (n + n_listed)
    return [
        {
            "kind": "skipped",
            "severity": "warning" if share >= WARNING_SKIPPED else "note",
            "recordings": n,
            "groups": 0,
            "message": f"{n:,} of {n + n_listed:,} lines and files ({percent(share)}) {'is' if n == 1 else 'are'} left out"
            f" and not part of this audit: {told}{'; and others' if len(reasons) > 3 else ''}.",
            "advice": "See whether the reasons are as they should be. The report as JSON lists all that was left out.",
            "examples": [[name] for name in skipped["recording"].head(evidence.N_EXAMPLES)],
            "sizes": [1] * min(n, evidence.N_EXAMPLES),
            "more": max(0, n - evidence.N_EXAMPLES),
        }
    ]
