"""How each dataset is read, one module a layout; to add one is to put its module here.

A loader has the attributes and functions of `Loader`. What it shares with others is in `coughlab.datasets`: `columns`,
`filenames` and `listing`.
"""

from pathlib import Path
from typing import Protocol

from coughlab.datasets.listing import Listed
from coughlab.system import registry


class Loader(Protocol):
    """What the module of a loader has.

    Attributes
    ----------
    NAME : str
        What the dataset is called on the command line and in the names of files.
    TITLE : str
        What it is called in sentences.
    LICENCE, CITE : str
        Its licence and what to cite, as published; "" where nothing is known.
    ORDER : int
        When an unknown folder is compared with it; the last takes any folder.
    """

    NAME: str
    TITLE: str
    LICENCE: str
    CITE: str
    ORDER: int

    def recognises(self, folder: Path) -> bool:
        """Whether a folder is laid out like this dataset."""

    def load(self, folder: Path) -> Listed:
        """Read the list of recordings, and say what is left out; `coughlab.datasets.DatasetError` if there is no such list."""


def found() -> dict[str, Loader]:
    """Every loader by its name, in the order in which an unknown folder is compared with them."""
    modules = sorted(registry.modules(__name__), key=lambda module: module.ORDER)
    return {module.NAME: module for module in modules}
