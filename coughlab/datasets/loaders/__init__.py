"""The loaders of datasets, one module per layout. To add a loader, add its module here.

Their shared code is in `coughlab.datasets`: `columns`, `filenames` and `listing`.
"""

from pathlib import Path
from typing import Protocol

from coughlab.datasets.listing import Listed
from coughlab.system import registry

#: Name of the loader that takes any folder, and so is tried last.
OWN_FOLDER = "folder"


class Loader(Protocol):
    """The interface of a loader's module."""

    #: Name on the command line and in file names; name in sentences.
    NAME: str
    TITLE: str
    #: As published; "" if unknown.
    LICENCE: str
    CITE: str
    #: Position in the order in which loaders try to recognise a folder; the last accepts any folder.
    ORDER: int

    def recognises(self, folder: Path) -> bool:
        """Whether a folder has the layout of this dataset."""

    def load(self, folder: Path) -> Listed:
        """Read the list of recordings, and what is left out of it; `coughlab.datasets.DatasetError` if there is no such list."""


def found() -> dict[str, Loader]:
    """Every loader by its name, in the order in which they try to recognise a folder."""
    modules = sorted(registry.modules(__name__), key=lambda module: module.ORDER)
    return {module.NAME: module for module in modules}
