"""The case study's dataset: Kaggle ``himanshu007121/coughclassifier-trial``.

Layout: ``cough_trial_extended.csv`` with columns ``file_properties`` and ``class``, and a folder ``trial_covid`` of WAV files. It
combines three collections; the file names show which one, see `coughlab.datasets.filenames`.
"""

from pathlib import Path

from coughlab.datasets import filenames, labels, listing
from coughlab.datasets.listing import DatasetError, Listed

NAME = "kaggle-trial"
TITLE = "kaggle-trial"
LICENCE = "none stated; research use, do not redistribute"
CITE = "Kaggle: himanshu007121/coughclassifier-trial"
ORDER = 1

LIST = "cough_trial_extended.csv"
AUDIO = "trial_covid"


def recognises(folder: Path) -> bool:
    """Whether a folder is laid out like this dataset."""
    return (folder / LIST).exists()


def load(folder: Path) -> Listed:
    """Read the list of recordings, repeated lines included."""
    if not recognises(folder):
        raise DatasetError(f"{folder} has no {LIST}. Give the folder of the unpacked Kaggle dataset.")
    listed = listing.read_list(folder / LIST, {"file_properties", "class"})
    if not (folder / AUDIO).is_dir():
        raise DatasetError(f"{folder} has no folder {AUDIO}, where the recordings are to be.")
    rows, skipped = [], []
    for name, label in zip(listed["file_properties"], listed["class"], strict=True):
        if reason := listing.name_problem(name) or _label_problem(label):
            skipped.append((name, reason))
            continue
        person, source = filenames.origin(name) or (f"unknown:{filenames.stem(name)}", "unknown")
        rows.append((name, person, label, source, folder / AUDIO / name))
    return Listed(rows, skipped + listing.unlisted(folder / AUDIO, listed["file_properties"]))


def _label_problem(label: str) -> str:
    return (
        "" if label in labels.TITLES else f"Its class is {label or '(empty)'}, neither covid nor not_covid."
    )
