"""Public datasets and users' own folders, all read into one common table.

The table has one row for every recording of the dataset's own list, in its order, with the columns of `COLUMNS`: ``recording``
(the name its authors gave it), ``person`` (who coughed, as far as names and metadata show), ``label`` (those of
`coughlab.datasets.labels`, unless a user's own folder has other labels), ``source`` (how and where it was collected) and ``path``
(where its file should be; it may be missing). Unusable rows and files are left out, with the reason.

`coughlab.datasets.loaders` has a module for each layout.
"""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from coughlab import config
from coughlab.datasets import loaders
from coughlab.datasets.listing import DatasetError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["recording", "person", "label", "source", "path"]
NAMES = tuple(loaders.found())


@dataclass(frozen=True)
class Dataset:
    """The list of a dataset's recordings."""

    name: str
    #: The common table, numbered from 0.
    table: "pd.DataFrame"
    #: Rows and files that the loader left out: columns ``recording`` and ``reason``.
    skipped: "pd.DataFrame"
    #: How the folder was read, in words.
    read_as: str = ""


def load(name: str, folder: str | PathLike) -> Dataset:
    """Read the list of a dataset's recordings from a folder with the layout of its authors.

    If the name is not one of `NAMES`, the layout of the folder decides how it is read. DatasetError: the folder lacks something
    that the loader needs, or lists no usable recording.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for label in ("asthma", "healthy"):
    ...         Path(folder, label).mkdir()
    ...         _ = Path(folder, label, "cough.wav").write_bytes(coughlab.make_cough())
    ...     coughlab.load_dataset("mine", folder).table["label"].tolist()
    ['asthma', 'healthy']
    """
    import pandas as pd

    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    known = loaders.found()
    loader = known.get(name) or next(one for one in known.values() if one.recognises(folder))
    rows, skipped, read_as = loader.load(folder)
    if not rows:
        why = f" The first of {len(skipped):,}, {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise DatasetError(f"{folder} lists no recording that can be used.{why}")
    return Dataset(
        name,
        pd.DataFrame(rows, columns=COLUMNS),
        pd.DataFrame(skipped, columns=["recording", "reason"]),
        read_as or f"As {loader.NAME} is published.",
    )


def published() -> list[loaders.Loader]:
    """The loaders of public datasets: all but the one that takes any folder."""
    return [loader for name, loader in loaders.found().items() if name != loaders.OWN_FOLDER]


def folder(name: str) -> Path | None:
    """The folder of the dataset with that name inside COUGHLAB_DATA; None if there is none."""
    root = config.value("COUGHLAB_DATA")
    path = Path(root or "", name)
    return path if root and path.is_dir() else None
