"""The case study's dataset: Kaggle ``himanshu007121/coughclassifier-trial``.

Layout: ``cough_trial_extended.csv`` with columns ``file_properties`` and ``class``, and a folder ``trial_covid`` of WAV files.
It was put together from three collections whose names survive in the file names: AudioSet clips (``<YouTube id>_ <start>_
<end>.wav``), Coswara (``cough-<kind>-<person>.wav``) and Virufy (``pos-<date>-<patient>-cough-<sex>-<age>.wav``).
"""

import re
from pathlib import Path

import pandas as pd

from coughlab.datasets import COLUMNS, LABELS, DatasetError

LIST = "cough_trial_extended.csv"
AUDIO = "trial_covid"

_SOURCES = {
    "audioset": re.compile(r"(?P<person>.{11})_ [\d.]+_ [\d.]+\.wav"),
    "coswara": re.compile(r"cough-(?:heavy|shallow)-(?P<person>\w+)\.wav"),
    "virufy": re.compile(r"(?:pos|neg)-(?P<person>\d{4}-\d+)-cough-.*\.wav"),
}


def load(folder):
    """Read the list of recordings.

    Parameters
    ----------
    folder : path-like
        Where ``cough_trial_extended.csv`` and ``trial_covid/`` lie.

    Returns
    -------
    pandas.DataFrame
        The common table of `coughlab.datasets`, one row a line of the list, repeated lines included.

    Raises
    ------
    DatasetError
        If the list or a recording is missing, or the list has other columns or classes.
    """
    folder = Path(folder)
    try:
        listed = pd.read_csv(folder / LIST, dtype=str, keep_default_na=False).fillna("")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetError(
            f"{folder} has no {LIST}. Give the folder of the unpacked Kaggle dataset."
        ) from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder / LIST} could not be read: {error}") from error
    if missing := {"file_properties", "class"} - set(listed.columns):
        raise DatasetError(f"{folder / LIST} lacks the column {' and '.join(sorted(missing))}.")
    if listed.empty:
        raise DatasetError(f"{folder / LIST} lists no recordings.")
    if unknown := set(listed["class"].replace("", "(empty)")) - set(LABELS):
        raise DatasetError(
            f"{folder / LIST} has classes other than covid and not_covid: {', '.join(sorted(unknown))}."
        )
    if (listed["file_properties"] == "").any():
        raise DatasetError(f"{folder / LIST} has a line without a file name.")
    table = pd.DataFrame([_origin(name) for name in listed["file_properties"]], columns=["person", "source"])
    table["recording"] = listed["file_properties"]
    table["label"] = listed["class"]
    table["path"] = [folder / AUDIO / name for name in table["recording"]]
    absent = [path.name for path in table["path"] if not path.is_file()]
    if absent:
        raise DatasetError(
            f"{len(absent)} listed recordings are missing from {folder / AUDIO}, the first: {absent[0]}."
        )
    return table[COLUMNS]


def _origin(name):
    """Person and source a file name tells; a name that tells nothing stands for a person of its own."""
    for source, pattern in _SOURCES.items():
        if match := pattern.fullmatch(name):
            return f"{source}:{match['person']}", source
    return f"unknown:{Path(name).stem}", "unknown"
