"""Public datasets, one module each, all read into one common table.

The table has one row for every line of the dataset's own list, in its order, with the columns of `COLUMNS`: ``recording``
(the name its authors gave it), ``person`` (who coughed, as far as names and metadata tell), ``label`` (``covid`` or
``not_covid``), ``source`` (how and where it was collected) and ``path`` (where its file is).
"""

import os
from importlib import import_module
from pathlib import Path

COLUMNS = ["recording", "person", "label", "source", "path"]
#: Index is the class's number: ``not_covid`` is 0, ``covid`` is 1.
LABELS = ("not_covid", "covid")
NAMES = ("kaggle-trial",)


class DatasetError(ValueError):
    """A dataset's folder is not laid out as its loader expects; the message says what is missing."""


def load(name, folder):
    """Read the list of a dataset's recordings.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    folder : path-like
        Where the dataset lies, laid out as its authors publish it.

    Returns
    -------
    pandas.DataFrame
        The common table.

    Raises
    ------
    DatasetError
        If the name is unknown, or the folder lacks what the loader needs.
    """
    if name not in NAMES:
        raise DatasetError(f"There is no dataset called {name!r}. Known: {', '.join(NAMES)}.")
    return import_module(f"coughlab.datasets.{name.replace('-', '_')}").load(folder)


def folder(name):
    """Where a dataset lies on this machine.

    Parameters
    ----------
    name : str
        One of `NAMES`.

    Returns
    -------
    pathlib.Path or None
        The folder of that name inside the one that the environment variable COUGHLAB_DATA names; None if the variable is not
        set or there is no such folder.
    """
    root = os.environ.get("COUGHLAB_DATA")
    path = Path(root or "", name)
    return path if root and path.is_dir() else None
