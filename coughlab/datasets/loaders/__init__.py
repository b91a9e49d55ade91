"""How each dataset is read, one module a layout; to add one is to put its module here.

What loaders share is in `coughlab.datasets`: `columns`, `filenames` and `listing`.
"""

from pathlib import Path
from typing import Protocol

from coughlab.datasets.listing import Listed
from coughlab.system import registry


class Loader(Protocol):
    """What the module of a loader has."""

    #: On the command line and in the names of files, and in sentences.
    NAME: str
    TITLE: str
    #: As published; "" where nothing is known.
    LICENCE: str
    CITE: str
    #: When an unknown folder is compared with it; the last takes any folder.
    ORDER: int

    def recognises(self, folder: Path) -> bool:
        """Whether a folder is laid out like this dataset."""

    def load(self, folder: Path) -> Listed:
        """Read the list of recordings, and say what is left out; `coughlab.datasets.DatasetError` if there is no such list."""


def found() -> dict[str, Loader]:
    """Every loader by its name, in the order in which an unknown folder is compared with them."""
    modules = sorted(registry.modules(__name__), key=lambda module: module.ORDER)
    return {module.NAME: module for module in modules}
