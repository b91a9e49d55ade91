"""The collections that the detector is trained on: how each is read, and its properties."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from coughlab import datasets
from coughlab.datasets import listing

#: Coswara's sounds other than coughs, by the beginning of the file name.
KINDS = {"breathing": "breathing", "counting": "speech", "vowel": "vowel"}
_COLUMNS = ["recording", "person", "kind", "source", "path"]


def _coughs(folder: Path, layout: str) -> pd.DataFrame:
    return datasets.load(layout, folder).table[["recording", "person", "source", "path"]].assign(kind="cough")


def _coswara(folder: Path) -> pd.DataFrame:
    rows = []
    for name in listing.below(folder).files:
        kind = next((kind for start, kind in KINDS.items() if Path(name).stem.startswith(start)), None)
        if kind and listing.is_audio(name):
            day, person = Path(name).parts[-3:-1]
            rows.append((name, f"coswara:{person}", kind, f"coswara {day}", folder / name))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _esc10(folder: Path) -> pd.DataFrame:
    rows = []
    for name in filter(listing.is_audio, listing.below(folder).files):
        kind = Path(name).parent.name.partition(" - ")[2].lower()
        _, clip, _ = Path(name).stem.split("-")
        rows.append((name, f"freesound:{clip}", kind, "freesound", folder / name))
    return pd.DataFrame(rows, columns=_COLUMNS)


@dataclass(frozen=True, eq=False)
class Collection:
    """A collection: its folder's name, its licence, whether it was recorded over the telephone, and how its parts are read."""

    name: str
    licence: str
    read: tuple[Callable[[Path], pd.DataFrame], ...]
    telephone: bool = False


COLLECTIONS = (
    Collection("kaggle-trial", "states none", (lambda folder: _coughs(folder, "kaggle-trial"),)),
    Collection(
        "covid19-cough", "CC0 1.0", (lambda folder: _coughs(folder, "covid19-cough"),), telephone=True
    ),
    Collection(
        "coswara-sample",
        "CC BY 4.0 (Coswara, Indian Institute of Science)",
        (lambda folder: _coughs(folder, "coswara"), _coswara),
    ),
    Collection(
        "esc10",
        "CC BY (K. J. Piczak, ESC: Dataset for Environmental Sound Classification)",
        (_esc10,),
    ),
)
