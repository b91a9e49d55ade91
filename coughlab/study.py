"""A study: a dataset with everything trained and measured on it, written to ``models/<study>/``.

A study grows: what is trained is added to what is there, so that any of its models can be trained alone, and a run that was
stopped goes on where it was.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coughlab import audio, datasets, store
from coughlab.classifiers import CLASSIFIERS, search
from coughlab.datasets import LABELS
from coughlab.evidence import splits
from coughlab.ledger import DifferentDataError, Ledger
from coughlab.signal import features, spectrum
from coughlab.signal.inputs import INPUTS

#: Studies by name: the dataset and the protocols of each.
STUDIES = {"kaggle-trial": ("published",)}
#: A probability from here on is called covid, as in the case study.
THRESHOLD = 0.5
#: How many seconds of work a run may lose when its process is killed.
SAVE_EVERY_S = 30.0
#: How many recordings an answer is timed on.
TIMED = 20
#: Columns of the predictions table. ``row`` is the line in the dataset's list, because a recording can be listed twice.
PREDICTION_COLUMNS = [
    "study",
    "protocol",
    "model",
    "split",
    "role",
    "tested_on",
    "row",
    "recording",
    "person",
    "label",
    "probability",
    "seed",
]


class StudyError(ValueError):
    """A study cannot be run as asked; the message says why."""


@dataclass(frozen=True)
class Measured:
    """What is known of every recording of a dataset.

    Attributes
    ----------
    table : pandas.DataFrame
        The feature table.
    inputs : dict of str to list of ndarray
        For every kind of input asked for, one item a row of the table.
    """

    table: pd.DataFrame
    inputs: dict

    @property
    def labels(self):
        """1 where the label is covid, else 0: shape (n,), int."""
        return self.table["label"].map(LABELS.index).to_numpy()


def run(
    name,
    data,
    *,
    models=None,
    folder=store.MODELS,
    seed=0,
    n_splits=None,
    epochs=None,
    again=False,
    progress=lambda stage, done, total: None,
):
    """Read a dataset, train and measure classifiers on it, and add the result to the stored study.

    What the study holds already is not trained again, unless with another seed or number of epochs. The study is saved every
    half minute and when the run ends, in whatever way it ends.

    Parameters
    ----------
    name : str
        A key of `STUDIES`, which is also the name of its dataset.
    data : path-like
        The dataset's folder.
    models : iterable of str, optional
        Names of the classifiers; all unless told.
    folder : path-like
        Folder of the studies.
    seed : int
        Seed of the splits and the fits: the model that is kept is fitted with `seed`, that of split k with ``seed + 1 + k``.
    n_splits : int, optional
        Splits of each protocol, instead of each classifier's own number.
    epochs : int, optional
        Passes over the training rows of every neural network, instead of each one's own number.
    again : bool
        Train again what is there already.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Returns
    -------
    pathlib.Path
        The study's folder.

    Raises
    ------
    StudyError
        If the study or a classifier is unknown, or the dataset is too small to be dealt.
    coughlab.ledger.DifferentDataError
        If the rest of the study was trained on another dataset or with another seed.
    coughlab.datasets.DatasetError
        If the dataset cannot be read.
    coughlab.classifiers.base.NotReadyError
        If this machine lacks what a classifier needs.
    coughlab.store.StoreError
        If the stored study is damaged and `again` is false.
    """
    chosen, listed, folder = _chosen(models), _listed(name, data), Path(folder) / name
    for classifier in chosen:
        if classifier.ready:
            classifier.ready()
    measured = measure(listed, {c.input for c in chosen}, progress)
    everything = len(chosen) == len(CLASSIFIERS)
    try:
        ledger = Ledger(folder, measured.table, seed, anew=again and everything)
    except DifferentDataError:
        if not everything:
            raise
        ledger = Ledger(folder, measured.table, seed, anew=True)
    for classifier in chosen:
        recipe = {"seed": seed, "epochs": epochs if classifier.epochs and epochs else classifier.epochs}
        _Training(classifier, recipe, measured, ledger, progress).run(n_splits, again)
    return folder


def search_pipelines(
    name,
    data,
    *,
    n_trials=search.TRIALS,
    folder=store.MODELS,
    seed=0,
    again=False,
    progress=lambda stage, done, total: None,
):
    """Search for the best classical pipeline inside the training rows of the first split, and save the trials in the study.

    With the default number of trials this is the search that the classifier ``hyperopt`` makes on that split.

    Parameters
    ----------
    name, data, folder, seed, again, progress
        As in `run`.
    n_trials : int
        How many trials the study is to hold; those it has already are kept.

    Returns
    -------
    pandas.DataFrame
        The trials, as of `coughlab.classifiers.search.run`.

    Raises
    ------
    StudyError, coughlab.ledger.DifferentDataError, coughlab.datasets.DatasetError, coughlab.store.StoreError
        As in `run`.
    """
    measured, folder = measure(_listed(name, data), progress=progress), Path(folder) / name
    ledger = Ledger(folder, measured.table, seed)
    if ledger.stored is None:
        raise StudyError(
            f"There is no study {name} in {folder.parent} to save the trials in. Train a model first."
        )
    protocol = STUDIES[name][0]
    train, _ = splits.PROTOCOLS[protocol](measured.labels, n_splits=1, seed=seed)[0]
    earlier = None if again or ledger.stored.trials.empty else ledger.stored.trials
    X = measured.table[list(features.NAMES)].to_numpy()[train]
    options = {"seed": seed + 1, "n_trials": n_trials, "trials": earlier}
    trials, saved = earlier, time.monotonic()
    try:
        for trials in search.run(X, measured.labels[train], **options):
            progress("Searching", len(trials), n_trials)
            if time.monotonic() - saved > SAVE_EVERY_S:
                ledger.add(trials=trials)
                saved = time.monotonic()
    finally:
        if trials is not None:
            ledger.add(trials=trials)
    return trials


def measure(table, kinds=(), progress=lambda stage, done, total: None):
    """Measure every recording of a dataset.

    Parameters
    ----------
    table : pandas.DataFrame
        The common table of `coughlab.datasets`.
    kinds : iterable of str
        Which inputs are wanted beside the features: keys of `coughlab.signal.inputs.INPUTS`.
    progress : callable
        As in `run`.

    Returns
    -------
    Measured
        The feature table, and the inputs of the classifiers.

    Raises
    ------
    StudyError
        If a recording cannot be decoded.
    """
    spectrum.use_one_thread()
    rows, inputs = [], {kind: [] for kind in {"features", *kinds}}
    for done, path in enumerate(table["path"]):
        progress("Measuring recordings", done, len(table))
        try:
            recording = audio.load(path)
        except audio.AudioError as error:
            raise StudyError(f"{path.name}: {error}") from error
        for kind, measured in inputs.items():
            measured.append(INPUTS[kind](recording))
        facts = {
            "container": recording.container,
            "codec": recording.codec,
            "sample_rate": recording.rate,
            "channels": recording.channels,
            "bit_depth": recording.bit_depth,
            "duration_s": recording.duration,
        }
        rows.append(facts | dict(zip(features.NAMES, inputs["features"][-1], strict=True)))
    progress("Measuring recordings", len(table), len(table))
    facts = pd.concat([table.drop(columns="path").reset_index(drop=True), pd.DataFrame(rows)], axis=1)
    return Measured(facts, inputs)


def predictions_of(fitted, inputs, table, split, *, study, protocol, model, seed):
    """The rows of the predictions table that one fitted model gives.

    Parameters
    ----------
    fitted : object
        What a classifier's ``fit`` returned.
    inputs : sequence
        What it reads of every row of the feature table.
    table : pandas.DataFrame
        The feature table.
    split : tuple of (int, ndarray)
        Number of the split, and the numbers of its test rows; all others were trained on.
    study, protocol, model : str
        What goes into the columns of these names.
    seed : int
        Seed of the fit.

    Returns
    -------
    pandas.DataFrame
        One row for each row of `table`, with the columns of `PREDICTION_COLUMNS`.
    """
    number, test = split
    role = np.full(len(table), "train", dtype=object)
    role[test] = "test"
    return (
        table[["recording", "person", "label"]]
        .assign(
            study=study,
            protocol=protocol,
            model=model,
            split=number,
            role=role,
            tested_on=study,
            row=np.arange(len(table)),
            probability=fitted.predict(inputs).astype(float),
            seed=seed,
        )
        .reset_index(drop=True)[PREDICTION_COLUMNS]
    )


class _Training:
    """The training of one classifier in one run: what is missing, and what has been found and not yet saved."""

    def __init__(self, classifier, recipe, measured, ledger, progress):
        self.classifier, self.recipe, self.study = classifier, recipe, ledger.folder.name
        self.measured, self.ledger, self.progress = measured, ledger, progress
        self.inputs = measured.inputs[classifier.input]
        self.learned_from = self.inputs
        self.entry, self.tables, self.fits, self.files = {}, [], [], {}

    def run(self, n_splits, again):
        """Make the fits that the study lacks."""
        classifier, stored = self.classifier, self.ledger.stored
        entry = stored.models.get(classifier.name, {}) if stored else {}
        self.fresh = again or entry.get("recipe") != self.recipe
        done, kept = set(), False
        if not self.fresh:
            fits = stored.fits[stored.fits["model"] == classifier.name]
            done = set(zip(fits["protocol"], fits["split"], strict=True))
            # A large file that another machine made is not here.
            kept = entry["kept"] == self.recipe and (
                not entry["large"] or stored.large(entry["serve"]) is not None
            )
        # Until its successor is fitted, the model that was kept goes on answering.
        self.entry = (
            {"serve": None, "large": {}, "parameters": None}
            | entry
            | self._described()
            | {"kept": self.recipe if kept else None}
        )
        deals = [
            (protocol, split, rows)
            for protocol in STUDIES[self.study]
            for split, rows in enumerate(self._dealt(protocol, n_splits or classifier.splits))
            if (protocol, split) not in done
        ]
        self.total = len(deals) + (classifier.keep and not kept)
        if not self.total:
            return
        if classifier.embed:
            stage = f"Preparing {classifier.title}"
            total = len(self.inputs)
            self.learned_from = classifier.embed(
                self.inputs, progress=lambda share: self.progress(stage, share * total, total)
            )
        self.saved = time.monotonic()
        try:
            for fits_done, (protocol, split, (train, test)) in enumerate(deals):
                self._measure(protocol, split, train, test, fits_done)
                if time.monotonic() - self.saved > SAVE_EVERY_S:
                    self._save()
            if classifier.keep and not kept:
                self._keep(len(deals))
        finally:
            self._save()

    def _described(self):
        classifier = self.classifier
        return {
            "title": classifier.title,
            "summary": classifier.summary,
            "input": classifier.input,
            "threshold": THRESHOLD,
            "epochs": self.recipe["epochs"],
            "recipe": self.recipe,
        }

    def _dealt(self, protocol, n_splits):
        return splits.PROTOCOLS[protocol](self.measured.labels, n_splits=n_splits, seed=self.recipe["seed"])

    def _fit(self, rows, seed, fits_done):
        started = time.perf_counter()
        fitted = self.classifier.fit(
            [self.learned_from[row] for row in rows],
            self.measured.labels[rows],
            seed=seed,
            epochs=self.recipe["epochs"],
            progress=lambda share: self.progress(
                f"Training {self.classifier.title}", fits_done + share, self.total
            ),
        )
        return fitted, time.perf_counter() - started

    def _measure(self, protocol, split, train, test, fits_done):
        """Fit on the training rows of a split, and ask about all rows."""
        seed = self.recipe["seed"] + 1 + split
        fitted, seconds = self._fit(train, seed, fits_done)
        names = {"study": self.study, "protocol": protocol, "model": self.classifier.name}
        rows = predictions_of(
            fitted, self.learned_from, self.measured.table, (split, test), **names, seed=seed
        )
        self.tables.append(rows)
        self.fits.append(
            names
            | {"split": split, "seed": seed, "epochs": self.recipe["epochs"], "parameters": fitted.parameters}
            | {"seconds": seconds, "answer_ms": self._answer_ms(fitted, test[:TIMED])}
        )
        self.entry["parameters"] = fitted.parameters

    def _answer_ms(self, fitted, rows):
        """Milliseconds for one answer of the model as it is served, from its input on: the median over some recordings."""
        answer = fitted.served()
        answer(self.inputs[rows[0]])
        times = []
        for row in rows:
            started = time.perf_counter()
            answer(self.inputs[row])
            times.append(time.perf_counter() - started)
        return 1000 * float(np.median(times))

    def _keep(self, fits_done):
        """Fit on all rows, to answer."""
        fitted, _ = self._fit(np.arange(len(self.measured.labels)), self.recipe["seed"], fits_done)
        files = fitted.save()
        serve = next(file for file in files if not file.endswith(".keras"))
        if self.classifier.large:
            large = {name: store.write_large(self.ledger.folder, name, data) for name, data in files.items()}
        else:
            large, self.files = {}, files
        self.entry |= {
            "kept": self.recipe,
            "serve": serve,
            "large": large,
            "parameters": fitted.parameters,
        }

    def _save(self):
        if not self.tables and self.entry["kept"] != self.recipe:
            return
        self.ledger.add(
            entries={self.classifier.name: self.entry},
            predictions=pd.concat(self.tables, ignore_index=True) if self.tables else None,
            fits=pd.DataFrame(self.fits) if self.fits else None,
            files=self.files,
            forget=[self.classifier.name] if self.fresh else (),
        )
        self.fresh, self.tables, self.fits, self.files = False, [], [], {}
        self.saved = time.monotonic()


def _chosen(models):
    models = list(CLASSIFIERS if models is None else models)
    if unknown := [name for name in models if name not in CLASSIFIERS]:
        raise StudyError(f"There is no model called {', '.join(unknown)}. Known: {', '.join(CLASSIFIERS)}.")
    return [classifier for name, classifier in CLASSIFIERS.items() if name in models]


def _listed(name, data):
    if name not in STUDIES:
        raise StudyError(f"There is no study called {name!r}. Known: {', '.join(STUDIES)}.")
    table = datasets.load(name, data)
    if table["label"].value_counts().reindex(LABELS, fill_value=0).min() < 4:
        raise StudyError(
            "The dataset has fewer than 4 recordings of a class, too few to be dealt into train and test."
        )
    return table
