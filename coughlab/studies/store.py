"""Reads ``models/<study>/``: every file is checked against its SHA-256, nothing is unpickled, nothing is computed.

The manifest is a JSON file that lists every other file with its hash, and has a hash of its own content.
`coughlab.studies.writer` writes it.

Models too large for the repository are in ``models/large/<study>/``, which git ignores. The manifest has their hashes. If such a
file is absent, or from another fit, the model does not answer.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from coughlab import config
from coughlab.studies.definition import DEFAULT, FILE, Definition, DefinitionError, from_dict
from coughlab.task import Task

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.json"
FEATURES = "features.parquet"
PREDICTIONS = "predictions.parquet"
FITS = "fits.parquet"
TRIALS = "trials.parquet"
EVIDENCE = "evidence.parquet"
#: Tables computed from those above in advance, so that a server does not have to compute them at every start.
METRICS, SCORES, KNOWN, NOVELTY = "metrics.parquet", "scores.parquet", "known.json", "novelty.npz"
LARGE = "large"
#: The cough detector's folder: it is stored like a study, but is not shown as one.
DETECTOR = "detector"
#: Folder of the studies, if COUGHLAB_MODELS is not set.
MODELS = Path(config.value("COUGHLAB_MODELS") or Path(__file__).parents[2] / "models")


class StoreError(RuntimeError):
    """A study is missing, incomplete or changed; the message names the file and says what to do."""


def exists(folder: str | Path) -> bool:
    """Whether there is a study in a folder, complete or damaged."""
    folder = Path(folder)
    # With only a definition in it, nothing was saved yet.
    saved = any(path.name != FILE for path in folder.glob("*"))
    return saved or previous(folder).exists()


def names(folder: str | Path | None = None) -> list[str]:
    """Names of the studies in a folder, `MODELS` by default, in alphabetical order."""
    found = {path.parent.name for path in Path(folder or MODELS).glob(f"[!.]*/{MANIFEST}")}
    return sorted(found - {DETECTOR})


def state(path: Path) -> tuple[int, int, int, int] | None:
    """A value that changes with the file, without reading it: inode number, size and both times; None without a file.

    One of these is not enough: inode numbers are reused, and times go back with the clock.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def command(name: str) -> str:
    """The arguments of ``coughlab`` that rebuild a study or the detector."""
    return f"study run {name} --data DIR --again" if name != DETECTOR else "detector train --data DIR"


class StoredStudy:
    """A study on disk, ``models/<study>``; `StoreError` if there is none, or its manifest cannot be read or was changed.

    Attributes
    ----------
    manifest : dict
        What was trained and measured, with which seed.
    models : dict of str to dict
        The manifest's entry of each model.
    thresholds : dict of str to float
        Threshold of each model.
    hashes, large_hashes : dict of str to str
        SHA-256 of each file in the folder but the manifest, and of each large one.
    """

    def __init__(self, folder: str | Path):
        folder = Path(folder)
        self.name = folder.name
        # During a swap, or after a killed one, only the previous study exists.
        self.folder = folder if folder.exists() or not previous(folder).exists() else previous(folder)
        try:
            self.manifest = json.loads((self.folder / MANIFEST).read_bytes())
            changed = self.manifest.pop("sha256") != hash_of(self.manifest)
            self.models = self.manifest["models"]
            self.thresholds = {name: model["threshold"] for name, model in self.models.items()}
            self._serve = {name: model["serve"] for name, model in self.models.items()}
            self.large_hashes = {
                name: h for model in self.models.values() for name, h in model["large"].items()
            }
            self.hashes = {name: file["sha256"] for name, file in self.manifest["files"].items()}
        except FileNotFoundError as error:
            raise StoreError(
                f"There is no study {self.name!r} in {self.folder.parent}. {self.remedy}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{self.name}/{MANIFEST} cannot be read. {self.remedy}") from error
        if changed:
            raise StoreError(f"{self.name}/{MANIFEST} was changed after it was written. {self.remedy}")

    @cached_property
    def definition(self) -> Definition:
        """The study's definition; `StoreError` if it was saved by an earlier version, which did not store it."""
        try:
            return from_dict(self.manifest["definition"])
        except (KeyError, DefinitionError) as error:
            raise StoreError(
                f"{self.name}/{MANIFEST} was saved by an earlier version. Bring it up to date with"
                f" 'coughlab study convert {self.name}'."
            ) from error

    @property
    def task(self) -> Task:
        """The study's task."""
        return self.definition.task

    @property
    def main_model(self) -> str:
        """The main classifier, whose label is the answer's label."""
        return self.definition.main_model

    @property
    def remedy(self) -> str:
        """What to do if a file is missing or was changed."""
        return f"Restore the folder, or rebuild it with 'coughlab {command(self.name)}'."

    def read(self, name: str) -> bytes:
        """The bytes of a file in the study's folder; StoreError if it is not listed, is missing, unreadable or was changed."""
        if name not in self.hashes:
            raise StoreError(f"{self.name}/{name} does not belong to the study. {self.remedy}")
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise StoreError(f"{self.name}/{name} is missing or cannot be read. {self.remedy}") from error
        if hashlib.sha256(data).hexdigest() != self.hashes[name]:
            raise StoreError(f"{self.name}/{name} was changed after the study was saved. {self.remedy}")
        return data

    def large(self, name: str) -> Path | None:
        """Path of a large file of the study; None if it is missing or differs from the one that was saved with the study."""
        if (expected := self.large_hashes.get(name)) is None:
            return None
        candidates = large_paths(self.folder.with_name(self.name), name)
        return next((path for path in candidates if path.is_file() and hash_of_file(path) == expected), None)

    @cached_property
    def served(self) -> dict[str, bytes | Path]:
        """The models that can answer here, by name: the content of the serving file, or its path if it is large."""
        served: dict[str, bytes | Path] = {}
        for name, file in self._serve.items():
            if file in self.models[name]["large"]:
                if path := self.large(file):
                    served[name] = path
            elif file:
                served[name] = self.read(file)
        return served

    @cached_property
    def features(self) -> pd.DataFrame:
        """The feature table, one row per recording of the dataset."""
        return self.table(FEATURES)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The predictions table, with text columns as categories."""
        return self._in_categories(PREDICTIONS)

    @cached_property
    def fits(self) -> pd.DataFrame:
        """Duration and size of each fit: one row per model, protocol and split."""
        return self.table(FITS)

    @cached_property
    def trials(self) -> pd.DataFrame:
        """The trials of the search; an empty table if there was none."""
        import pandas as pd

        return self.table(TRIALS) if TRIALS in self.hashes else pd.DataFrame()

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """The result of `coughlab.evaluation.scoring.per_split`."""
        from coughlab.evaluation.metrics import PER_SPLIT

        return _with(self._in_categories(METRICS), PER_SPLIT)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The result of `coughlab.evaluation.scoring.scores`."""
        return self.table(SCORES)

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The result of `coughlab.evaluation.bootstrap.table`."""
        from coughlab.evaluation.metrics import evidence_columns

        return _with(self.table(EVIDENCE), evidence_columns())

    def table(self, name: str) -> pd.DataFrame:
        """One of the study's tables, as it was written."""
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.read(name)))

    def _in_categories(self, name: str) -> pd.DataFrame:
        """A table with text columns read as categories; read as text they would need a hundred times the memory for a moment."""
        import pyarrow as pa
        import pyarrow.parquet

        data = io.BytesIO(self.read(name))
        schema = pa.parquet.read_schema(data)
        words = [field.name for field in schema if not pa.types.is_primitive(field.type)]
        table = pa.parquet.read_table(data, read_dictionary=words).replace_schema_metadata(None).to_pandas()
        for word in words:
            table[word] = table[word].cat.reorder_categories(sorted(table[word].cat.categories))
        return table


def _with(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """A table with columns that may be newer than the study; missing values until the study is converted."""
    return table.assign(**dict.fromkeys([name for name in columns if name not in table], float("nan")))


def large_paths(folder: str | Path, name: str) -> tuple[Path, Path]:
    """Path of a large file of ``models/<study>``, and its path after a run that was killed before moving it there."""
    path = Path(folder).parent / LARGE / Path(folder).name / name
    return path, aside(path)


def hash_of_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of(manifest: dict) -> str:
    """SHA-256 of a manifest's content without the hash itself."""
    return hashlib.sha256(json_of(manifest)).hexdigest()


def json_of(manifest: dict) -> bytes:
    """A manifest in the format of its file."""
    return json.dumps(manifest, indent=1).encode()


def aside(path: Path) -> Path:
    """Temporary path of a study or a large file while it is written."""
    return path.with_name(f".{path.name}.new")


def previous(folder: Path) -> Path:
    """Temporary path of the old study during a swap."""
    return folder.with_name(f".{folder.name}.previous")


def load_study(name: str = DEFAULT, folder: Path | None = None) -> StoredStudy:
    """Load a stored study, by default from `MODELS`.

    >>> study = coughlab.load_study()
    >>> study.main_model, len(study.features)
    ('mlp', 170)
    """
    return StoredStudy(Path(folder or MODELS) / name)
