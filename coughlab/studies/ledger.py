"""Adds what a run finds to a stored study, without losing what other runs found."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from coughlab import __version__
from coughlab.classifiers import CLASSIFIERS
from coughlab.evaluation import bootstrap, scoring
from coughlab.evaluation.novelty import Reference
from coughlab.evidence import verdict
from coughlab.studies import definition, model_card, store
from coughlab.studies.writer import replacing

#: What tells that a stored feature table is of the same dataset.
_SAME = ("recording", "person", "label", "positive")


class DifferentDataError(ValueError):
    """A study holds results from another dataset or other splits; the message says what to do."""


class Ledger:
    """A study on disk that results are added to.

    Parameters
    ----------
    folder : path-like
        ``models/<study>``, which need not exist.
    defined : coughlab.studies.definition.Definition
        What the study is made of.
    measured : coughlab.studies.runner.Measured
        The dataset.
    seed : int
        Seed of the splits.
    anew : bool
        Replace the stored study by the first results instead of adding to it.

    Attributes
    ----------
    stored : coughlab.studies.store.StoredStudy or None
        What is there.

    Raises
    ------
    DifferentDataError
        If the stored study is of other recordings, other features or other splits.
    coughlab.studies.store.StoreError
        If the stored study is damaged, or an earlier version saved it.
    """

    def __init__(self, folder, defined, measured, seed, *, anew=False):
        self.defined = defined
        self.folder, self.table, self.seed = Path(folder), measured.table, seed
        self._left_out = measured.left_out
        self._anew = anew
        self.stored = self._read()

    def add(self, *, entries=None, predictions=None, fits=None, files=None, trials=None, forget=()):
        """Add results and save the study.

        Parameters
        ----------
        entries : dict of str to dict, optional
            The manifest's entry of each model that is new or changed.
        predictions, fits : pandas.DataFrame, optional
            Rows to add; they take the place of those of the same model, protocol and split.
        files : dict of str to bytes, optional
            Model files.
        trials : pandas.DataFrame, optional
            The search's trials, which take the place of all that are there.
        forget : iterable of str
            Models whose stored rows do not count any longer.

        Raises
        ------
        DifferentDataError, coughlab.studies.store.StoreError
            As on opening, if another run has replaced or damaged the study since.
        """
        with replacing(self.folder) as writer:
            # Read again: another run may have added to it since.
            stored = self._read()
            models = (stored.models if stored else {}) | (entries or {})
            order = [*CLASSIFIERS, *(name for name in models if name not in CLASSIFIERS)]
            models = {name: models[name] for name in order if name in models}
            tables = {store.FEATURES: self.table}
            for name, rows in ((store.PREDICTIONS, predictions), (store.FITS, fits)):
                tables[name] = _merged(stored.table(name) if stored else None, rows, forget, order)
            if trials is None and stored and not stored.trials.empty:
                trials = stored.trials
            if trials is not None:
                tables[store.TRIALS] = trials
            for entry in models.values():
                name = entry["serve"]
                if name is None or name in entry["large"]:
                    continue
                for file in (f"{name.rpartition('.')[0]}.keras", name):
                    if file in (files or {}):
                        writer.write(file, files[file])
                    elif stored and file in stored.manifest["files"]:
                        writer.write(file, stored.read(file))
            thresholds = {name: model["threshold"] for name, model in models.items()}
            evidence = stored.evidence if stored else None
            tables[store.EVIDENCE] = _evidence(evidence, tables[store.PREDICTIONS], predictions, thresholds)
            predicted = tables[store.PREDICTIONS]
            tables[store.METRICS] = scoring.per_split(predicted, thresholds)
            tables[store.SCORES] = scoring.scores(predicted, thresholds)
            for name, table in tables.items():
                writer.write_table(name, table)
            study = SimpleNamespace(
                name=self.folder.name,
                task=self.defined.task,
                models=models,
                thresholds=thresholds,
                predictions=predicted,
                evidence=tables[store.EVIDENCE],
            )
            answering = [name for name, entry in models.items() if entry["serve"]]
            known = {name: verdict.known(study, name) for name in answering}
            writer.write(store.KNOWN, verdict.dump(known))
            writer.write(store.NOVELTY, Reference(self.table, self.folder.name).save())
            if source := definition.find(self.folder.name, self.folder.parent, store.MODELS):
                writer.write(definition.FILE, source.read_bytes())
            writer.manifest |= {
                "study": self.folder.name,
                "definition": self.defined.to_dict(),
                "version": __version__,
                "seed": self.seed,
                "recordings": len(self.table),
                "people": self.table["person"].nunique(),
                "left_out": self._left_out,
                "models": models,
            }
            text = model_card.write(
                writer.manifest, self.table, tables[store.PREDICTIONS], tables[store.EVIDENCE]
            )
            writer.write("README.md", text.encode())
        self._anew = False
        self.stored = store.StoredStudy(self.folder)

    def _read(self):
        if self._anew or not store.exists(self.folder):
            return None
        stored = store.StoredStudy(self.folder)
        _ = stored.definition  # raises where an earlier version saved it: nothing can be added to its tables
        if not (stored.manifest["seed"] == self.seed and _same(stored.features, self.table)):
            raise DifferentDataError(
                f"{self.folder.name} in {self.folder.parent} was trained on other recordings, other features or other splits"
                " (seed). Train all its models again, or choose another folder with --studies."
            )
        return stored


def _evidence(old, predictions, new, thresholds):
    """The evidence of all predictions; what no new prediction touches stays as it was, because resampling takes its time."""
    keys = ["model", "protocol", "tested_on"]
    have = pd.MultiIndex.from_frame(predictions[keys])
    known = pd.MultiIndex.from_frame(old[keys]) if old is not None else have[:0]
    touched = pd.MultiIndex.from_frame(new[keys]) if new is not None else have[:0]
    rows = predictions[have.isin(touched) | ~have.isin(known)]
    kept = [] if old is None else [old[~known.isin(touched) & known.isin(have)]]
    table = pd.concat([*kept, *([bootstrap.table(rows, thresholds)] if len(rows) else [])], ignore_index=True)
    order = have.unique()
    return table.iloc[np.argsort(order.get_indexer(pd.MultiIndex.from_frame(table[keys])))].reset_index(
        drop=True
    )


def _merged(old, new, forget, order):
    if new is None:
        return old
    table = new
    if old is not None:
        # A model that answers is tested on several datasets.
        keys = [key for key in ("model", "protocol", "split", "tested_on") if key in new]
        old = old[~old["model"].isin(list(forget))]
        replaced = pd.MultiIndex.from_frame(old[keys]).isin(pd.MultiIndex.from_frame(new[keys]))
        table = pd.concat([old[~replaced], new], ignore_index=True)
    rank = table["model"].map({name: rank for rank, name in enumerate(order)})
    return (
        table.assign(_rank=rank)
        .sort_values(["_rank", "protocol", "split"], kind="stable", ignore_index=True)
        .drop(columns="_rank")
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
