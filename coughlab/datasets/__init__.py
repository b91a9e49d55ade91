"""Public datasets, one module each, and anybody's own folder, all read into one common table.

The table has one row for every recording of the dataset's own list, in its order, with the columns of `COLUMNS`:
``recording`` (the name its authors gave it), ``person`` (who coughed, as far as names and metadata tell), ``label``
(``covid`` or ``not_covid``, unless an own folder is about something else), ``source`` (how and where it was collected) and
``path`` (where its file is to be, whether it is there or not). What cannot be used is left out and said, never lost.

Each loader has ``recognises(folder)`` and ``load(folder)``, which gives the rows of the table and what it left out; that of own
folders also says how it read them.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from coughlab import config

COLUMNS = ["recording", "person", "label", "source", "path"]
#: Index is the class's number: ``not_covid`` is 0, ``covid`` is 1.
LABELS = ("not_covid", "covid")
# The module of each, in the order in which an unknown layout is compared with them; the last takes any folder.
_MODULES = {
    "kaggle-trial": "kaggle_trial",
    "covid19-cough": "covid19_cough",
    "virufy": "virufy",
    "coughvid": "coughvid",
    "coswara": "coswara",
    "folder": "own_folder",
}
NAMES = tuple(_MODULES)


class DatasetError(ValueError):
    """A dataset's folder is not laid out as its loader expects; the message says what is missing."""


@dataclass(frozen=True)
class Dataset:
    """A dataset as its list has it.

    Attributes
    ----------
    name : str
        What it was called when it was loaded.
    table : pandas.DataFrame
        The common table, numbered from 0.
    skipped : pandas.DataFrame
        What the loader left out: columns ``recording`` and ``reason``.
    read_as : str
        How the folder was read, in words.
    """

    name: str
    table: object
    skipped: object
    read_as: str = ""


def load(name, folder):
    """Read the list of a dataset's recordings.

    Parameters
    ----------
    name : str
        One of `NAMES`; with any other name, the layout of the folder tells how it is read.
    folder : path-like
        Where the dataset lies, laid out as its authors publish it.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If the folder lacks what the loader needs, or lists nothing that can be used.
    """
    import pandas as pd

    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    layout = _layout(name, folder)
    rows, skipped, *told = _module(layout).load(folder)
    if not rows:
        why = f" The first of {len(skipped):,}, {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise DatasetError(f"{folder} lists no recording that can be used.{why}")
    table = pd.DataFrame(rows, columns=COLUMNS)
    read_as = told[0] if told else f"As {layout} is published."
    return Dataset(name, table, pd.DataFrame(skipped, columns=["recording", "reason"]), read_as)


def _layout(name, folder):
    if name in NAMES:
        return name
    return next(known for known in NAMES if _module(known).recognises(folder))


def _module(name):
    return import_module(f"coughlab.datasets.{_MODULES[name]}")


def folder(name):
    """Where a dataset lies on this machine.

    Parameters
    ----------
    name : str
        Name of its folder.

    Returns
    -------
    pathlib.Path or None
        The folder of that name inside the one that the environment variable COUGHLAB_DATA names; None if the variable is not
        set or there is no such folder.
    """
    root = config.value("COUGHLAB_DATA")
    path = Path(root or "", name)
    return path if root and path.is_dir() else None
