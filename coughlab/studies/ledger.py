"""Adds the results of a run to a stored study, without losing the results of other runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from coughlab import __version__
from coughlab.classifiers import CLASSIFIERS
from coughlab.evaluation import bootstrap, scoring
from coughlab.evaluation.novelty import Reference
from coughlab.evidence import verdict
from coughlab.studies import definition, model_card, store
from coughlab.studies.definition import Definition
from coughlab.studies.writer import StudyWriter, replacing

if TYPE_CHECKING:
    from coughlab.studies.measured import Measured

#: Columns that show whether a stored feature table belongs to the same dataset.
_SAME = ("recording", "person", "label", "positive")
#: Files that `describe` writes.
DESCRIPTION = ("README.md", definition.FILE)


class DifferentDataError(ValueError):
    """A study holds results from another dataset or other splits; the message says what to do."""


class Ledger:
    """A study on disk that results are added to: ``models/<study>``, which may not exist yet.

    With `anew` the first results replace the stored study. `stored` is the present study, or None.

    Raises
    ------
    DifferentDataError
        If the stored study has other recordings, other features or other splits.
    coughlab.studies.store.StoreError
        If the stored study is damaged, or was saved by an earlier version.
    """

    def __init__(
        self, folder: Path, defined: Definition, measured: Measured, seed: int, *, anew: bool = False
    ):
        self.defined = defined
        self.folder, self.table, self.seed = Path(folder), measured.table, seed
        self._left_out = measured.left_out
        self._anew = anew
        self.stored = self._read()

    def add(
        self,
        *,
        entries: Mapping[str, dict] | None = None,
        predictions: pd.DataFrame | None = None,
        fits: pd.DataFrame | None = None,
        files: Mapping[str, bytes] | None = None,
        trials: pd.DataFrame | None = None,
        forget: Collection[str] = (),
    ) -> None:
        """Add entries of the manifest, rows, files of models and trials, and save the study; errors as when opening it.

        Rows replace stored rows of the same model, protocol and split; trials replace all stored trials. Stored rows of the
        models in `forget` are deleted.
        """
        with replacing(self.folder) as writer:
            # Read again: another run may have added to it since.
            stored = self._read()
            models = {**(stored.models if stored else {}), **(entries or {})}
            order = [*CLASSIFIERS, *(name for name in models if name not in CLASSIFIERS)]
            models = {name: models[name] for name in order if name in models}
            tables = {store.FEATURES: self.table}
            for name, rows in ((store.PREDICTIONS, predictions), (store.FITS, fits)):
                tables[name] = _merged(stored.table(name) if stored else None, rows, forget, order)
            if trials is None and stored and not stored.trials.empty:
                trials = stored.trials
            if trials is not None:
                tables[store.TRIALS] = trials
            for name in _small_files(models):
                if files and name in files:
                    writer.write(name, files[name])
                elif stored and name in stored.hashes:
                    writer.write(name, stored.read(name))
            thresholds = {name: model["threshold"] for name, model in models.items()}
            predicted = tables[store.PREDICTIONS]
            evidence = _evidence(stored.evidence if stored else None, predicted, predictions, thresholds)
            tables |= {
                store.EVIDENCE: evidence,
                store.METRICS: scoring.per_split(predicted, thresholds),
                store.SCORES: scoring.scores(predicted, thresholds),
            }
            for name, table in tables.items():
                writer.write_table(name, table)
            study = SimpleNamespace(
                name=self.folder.name,
                task=self.defined.task,
                models=models,
                thresholds=thresholds,
                predictions=predicted,
                evidence=evidence,
            )
            known = {name: verdict.known(study, name) for name, entry in models.items() if entry["serve"]}
            writer.write(store.KNOWN, verdict.dump(known))
            writer.write(store.NOVELTY, Reference(self.table, self.folder.name).save())
            manifest = {
                "study": self.folder.name,
                "definition": self.defined.to_dict(),
                "version": __version__,
                "seed": self.seed,
                "recordings": len(self.table),
                "people": self.table["person"].nunique(),
                "left_out": self._left_out,
                "models": models,
            }
            describe(writer, self.folder, manifest, self.table, predicted, evidence)
        self._anew = False
        self.stored = store.StoredStudy(self.folder)

    def _read(self):
        if self._anew or not store.exists(self.folder):
            return None
        stored = store.StoredStudy(self.folder)
        _ = stored.definition  # raises if an earlier version saved it: nothing can be added to its tables
        if not (stored.manifest["seed"] == self.seed and _same(stored.features, self.table)):
            raise DifferentDataError(
                f"{self.folder.name} in {self.folder.parent} was trained on other recordings, other features or other splits"
                " (seed). Train all its models again, or choose another folder with --studies."
            )
        return stored


def describe(writer: StudyWriter, folder: Path, manifest: Mapping[str, Any], *tables: pd.DataFrame) -> None:
    """Write the manifest, the definition and the card; `tables` are the arguments of `model_card.write`."""
    writer.manifest |= manifest
    if source := definition.find(folder.name, folder.parent, store.MODELS):
        writer.write(definition.FILE, source.read_bytes())
    writer.write("README.md", model_card.write(writer.manifest, *tables).encode())


def _small_files(models):
    """Names of the models' files in the study's folder."""
    for entry in models.values():
        if (name := entry["serve"]) and name not in entry["large"]:
            yield from (f"{name.rpartition('.')[0]}.keras", name)


def _evidence(old, predictions, new, thresholds):
    """The evidence of all predictions. Rows without new predictions are kept, because resampling is slow."""
    keys = ["model", "protocol", "tested_on"]
    have = pd.MultiIndex.from_frame(predictions[keys])
    known = pd.MultiIndex.from_frame(old[keys]) if old is not None else have[:0]
    touched = pd.MultiIndex.from_frame(new[keys]) if new is not None else have[:0]
    rows = predictions[have.isin(touched) | ~have.isin(known)]
    kept = [] if old is None else [old[~known.isin(touched) & known.isin(have)]]
    made = [bootstrap.table(rows, thresholds)] if len(rows) else []
    table = pd.concat([*kept, *made], ignore_index=True)
    places = have.unique().get_indexer(pd.MultiIndex.from_frame(table[keys]))
    return table.iloc[np.argsort(places)].reset_index(drop=True)


def _merged(old, new, forget, order):
    if new is None:
        return old
    table = new
    if old is not None:
        # A saved model is tested on several datasets.
        keys = [key for key in ("model", "protocol", "split", "tested_on") if key in new]
        old = old[~old["model"].isin(list(forget))]
        replaced = pd.MultiIndex.from_frame(old[keys]).isin(pd.MultiIndex.from_frame(new[keys]))
        table = pd.concat([old[~replaced], new], ignore_index=True)
    ranks = {name: rank for rank, name in enumerate(order)}
    return table.sort_values(
        ["model", "protocol", "split"],
        key=lambda column: column.map(ranks) if column.name == "model" else column,
        ignore_index=True,
    )


def _same(stored, table):
    columns = [name for name in table.columns if name not in _SAME and table[name].dtype.kind == "f"]
    return (
        len(stored) == len(table)
        and set(table.columns) == set(stored.columns)
        and all(stored[name].tolist() == table[name].tolist() for name in _SAME)
        # Another machine's arithmetic may differ in the last digits.
        and np.allclose(stored[columns], table[columns], rtol=1e-3, atol=1e-6, equal_nan=True)
    )
