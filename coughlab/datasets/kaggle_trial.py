"""The case study's dataset: Kaggle ``himanshu007121/coughclassifier-trial``.

Layout: ``cough_trial_extended.csv`` with columns ``file_properties`` and ``class``, and a folder ``trial_covid`` of WAV files.
It was put together from three collections whose names survive in the file names, see `coughlab.datasets.filenames`.
"""

from coughlab.datasets import LABELS, DatasetError, filenames, listing

LIST = "cough_trial_extended.csv"
AUDIO = "trial_covid"


def recognises(folder):
    """Whether a folder is laid out like this dataset."""
    return (folder / LIST).exists()


def load(folder):
    """Read the list of recordings, repeated lines included.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``cough_trial_extended.csv`` and ``trial_covid/`` lie.

    Returns
    -------
    rows, skipped : list of tuple
        As described in `coughlab.datasets`.

    Raises
    ------
    DatasetError
        If the list or the folder of recordings is missing, or the list has other columns.
    """
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
    return rows, skipped + listing.unlisted(folder / AUDIO, listed["file_properties"])


def _label_problem(label):
    return "" if label in LABELS else f"Its class is {label or '(empty)'}, neither covid nor not_covid."
