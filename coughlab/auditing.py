"""An audit: a dataset listened to, searched for copies and shortcuts, and what was found written down.

Reports that are kept lie in ``models/audits/<dataset>.json``, beside the studies.
"""

import json
import os
import re
import tempfile
import textwrap
from pathlib import Path

from coughlab import store, survey, words
from coughlab.evidence import audit as evidence
from coughlab.evidence import copies

FOLDER = "audits"
#: Names of datasets that can be names of files everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: From this share of a list on, what the loader left out is a warning.
WARNING_SKIPPED = 0.1
WIDTH = 100


def audit(dataset, progress=lambda stage, done, total: None):
    """Find out what is wrong with a dataset.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The dataset.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Returns
    -------
    dict
        The report, only values that JSON can hold: ``dataset``, ``recordings`` and ``people`` (rows of the list, and names of
        people in it), ``labels`` and ``sources`` (rows of each), ``sound`` (no severe finding), ``findings`` (as of
        `coughlab.evidence.audit.findings`), ``probes`` (as of `coughlab.evidence.audit.shortcuts`, those that found nothing too)
        and ``skipped`` (``recording`` and ``reason`` of each line that the loader left out).
    """
    surveyed = survey.run(dataset, progress)
    progress("Looking for copies", 0, 1)
    same = copies.find(surveyed)
    progress("Looking for copies", 1, 1)
    probes = evidence.shortcuts(surveyed, same, progress=progress)
    skipped = dataset.skipped[["recording", "reason"]].astype(str)
    found = evidence.findings(surveyed, same, probes) + _skipped(skipped, len(surveyed))
    return {
        "dataset": str(dataset.name),
        "recordings": len(surveyed),
        "people": int(surveyed["person"].nunique()),
        "labels": _counts(surveyed["label"]),
        "sources": _counts(surveyed["source"]),
        "sound": all(finding["severity"] != "severe" for finding in found),
        "findings": evidence.ordered(found),
        "probes": probes,
        "skipped": skipped.to_dict("records"),
    }


def text(report):
    """A report for the terminal.

    Parameters
    ----------
    report : dict
        What `audit` returned.

    Returns
    -------
    str
        Lines of at most 100 columns (long file names excepted), without characters that would steer a terminal.
    """
    labels = ", ".join(f"{words.LABELS.get(label, label)} {n:,}" for label, n in report["labels"].items())
    head = (
        f"{report['dataset']}: {words.counted(report['recordings'], 'recording')} of {report['people']:,} people; {labels}."
        f" {_verdict(report)}"
    )
    lines = _wrapped(head)
    for finding in report["findings"]:
        lines += ["", *_wrapped(f"{finding['severity'].upper()}: {finding['kind']}")]
        lines += _wrapped(finding["message"], "  ") + _wrapped(f"What to do: {finding['advice']}", "  ")
        lines += [line for names in finding["examples"] for line in _wrapped(" = ".join(names), "    ")]
    for tried in report["probes"]:
        if "why" in tried:
            lines += ["", *_wrapped(f"Not tried: {tried['title']}. {tried['why']}")]
    return "\n".join(lines)


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
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(report, indent=1, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)
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
    coughlab.store.StoreError
        If there is none, or it cannot be read.
    """
    remedy = "Make it with 'coughlab audit DATASET --data DIR --save'."
    try:
        report = json.loads(_path(name, folder).read_bytes())
    except (OSError, ValueError) as error:
        raise store.StoreError(f"There is no audit of {name!r} that can be read. {remedy}") from error
    if not isinstance(report, dict) or not {"dataset", "findings"} <= report.keys():
        raise store.StoreError(f"The audit of {name!r} is damaged. {remedy}")
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
            "message": f"{words.counted(n, 'line')} of the list ({words.percent(share)}) {'is' if n == 1 else 'are'} left out and"
            f" not part of this audit: {told}{'; and others' if len(reasons) > 3 else ''}.",
            "advice": "See whether the reasons are as they should be. The report lists every line that was left out.",
            "examples": [[name] for name in skipped["recording"].head(evidence.N_EXAMPLES)],
        }
    ]


def _verdict(report):
    severe = sum(finding["severity"] == "severe" for finding in report["findings"])
    if severe:
        return f"NOT SOUND: {words.counted(severe, 'severe finding')}."
    return "Sound, as far as this audit can tell: no severe finding."


def _wrapped(line, indent=""):
    line = "".join(c if c.isprintable() else "?" for c in line)
    # File names are not broken.
    return textwrap.wrap(
        line,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
