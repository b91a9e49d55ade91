"""An audit: measures a dataset, searches for copies and shortcuts, and reports the findings.

Saved reports are in ``models/audits/<dataset>.json``, beside the studies.
"""

import json
import re
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from coughlab import datasets
from coughlab.audit import checks, schema
from coughlab.audit.checks import shortcut
from coughlab.datasets import Dataset, duplicates, survey
from coughlab.studies import store
from coughlab.system import files
from coughlab.system.progress import Progress, silent
from coughlab.text import to_csv

FOLDER = "audits"
#: Names of datasets that are valid file names on every system.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def audit_dataset(folder: str | PathLike, name: str = "folder") -> dict:
    """Find out what is wrong with the dataset in a folder: the report of `examine`.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for label in ("asthma", "healthy"):
    ...         Path(folder, label).mkdir()
    ...         _ = Path(folder, label, "cough.wav").write_bytes(coughlab.make_cough())
    ...     report = coughlab.audit_dataset(folder)
    >>> report["sound"], report["findings"][0]["kind"]
    (False, 'contradictory_labels')
    """
    return audit(datasets.load(name, folder))


def audit(dataset: Dataset, progress: Progress = silent, **options: Any) -> dict:
    """Find out what is wrong with a dataset: the report of `examine` alone."""
    return examine(dataset, progress, **options)[0]


def examine(dataset: Dataset, progress: Progress = silent, **options: Any) -> tuple[dict, pd.DataFrame]:
    """Find out what is wrong with a dataset, and with which of its rows.

    Parameters
    ----------
    **options
        Options of `coughlab.datasets.survey.run`. The report does not depend on them.

    Returns
    -------
    report : dict
        Described by `coughlab.audit.schema`: ``dataset``, ``read_as`` (how its folder was read), ``recordings`` and ``people``
        (rows of the list, and names of people in it), ``labels`` and ``sources`` (rows of each), ``sound`` (no severe finding),
        ``findings`` (of `coughlab.audit.checks.findings`), ``probes`` (of `coughlab.audit.checks.shortcut.tried`, including those
        that found nothing) and ``skipped`` (``recording`` and ``reason`` of each line or file that the loader left out).
    rows : pandas.DataFrame
        For each row of the dataset ``recording``, ``person`` (those with the same audio merged), ``label``, ``source``,
        ``status`` and ``problem`` (of `coughlab.datasets.survey.run`), ``audio`` and ``copy`` (of
        `coughlab.datasets.duplicates.find`).
    """
    surveyed = survey.run(dataset, progress, **options)
    progress("Looking for copies", 0, 1)
    table = surveyed.drop(columns="fingerprint").join(duplicates.find(surveyed))
    progress("Looking for copies", 1, 1)
    usable = checks.usable(table)
    probes = shortcut.tried(usable, progress=progress)
    skipped = dataset.skipped[["recording", "reason"]].astype(str)
    found = checks.findings(checks.Inputs(table, usable, probes, skipped))
    report = {
        "dataset": str(dataset.name),
        "read_as": dataset.read_as,
        "recordings": len(table),
        "people": int(table["person"].nunique()),
        "labels": _counts(table["label"]),
        "sources": _counts(table["source"]),
        "sound": all(finding["severity"] != "severe" for finding in found),
        "findings": found,
        "probes": probes,
        "skipped": skipped.to_dict("records"),
    }
    rows = table[["recording", "person", "label", "source", "status", "problem", "audio", "copy"]]
    return report, rows.assign(person=duplicates.people(rows["person"], rows["audio"]))


def write_rows(rows: pd.DataFrame, path: str | PathLike) -> None:
    """Write the rows of `examine` as CSV, completely or not at all, without text that a spreadsheet would run as a formula."""
    files.write(path, to_csv(rows).encode())


def save(report: dict, folder: str | PathLike | None = None) -> Path:
    """Save a report in the folder of the studies, completely or not at all.

    ValueError if the dataset's name cannot be the name of a file, OSError if it cannot be written.
    """
    path = _path(report["dataset"], folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, json.dumps(report, indent=1, allow_nan=False).encode() + b"\n")
    return path


def load(name: str, folder: str | PathLike | None = None) -> dict:
    """The saved report of a dataset; `coughlab.studies.store.StoreError` if there is none, or it cannot be read."""
    remedy = "Make it with 'coughlab audit DATASET --data DIR --save'."
    try:
        report = json.loads(_path(name, folder).read_bytes())
    except (OSError, ValueError) as error:
        raise store.StoreError(f"There is no audit of {name!r} that can be read. {remedy}") from error
    if not schema.is_report(report):
        raise store.StoreError(f"The audit of {name!r} is damaged or of another version. {remedy}")
    return report


def stored(folder: str | PathLike | None = None) -> list[str]:
    """Names of the datasets with a saved report, in order."""
    return sorted(path.stem for path in Path(folder or store.MODELS, FOLDER).glob("[!.]*.json"))


def _path(name: str, folder: str | PathLike | None) -> Path:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be the name of a file: use up to 100 letters, digits, dots, dashes and underscores."
        )
    return Path(folder or store.MODELS) / FOLDER / f"{name}.json"


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(value): int(n) for value, n in column.value_counts(sort=True, dropna=False).items()}
