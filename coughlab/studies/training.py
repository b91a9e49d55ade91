"""Trains one classifier of a study: makes and measures the missing fits, and adds them to the stored results."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from coughlab.classifiers import CLASSIFIERS, Classifier
from coughlab.evaluation import splits
from coughlab.evaluation.protocols import EXTERNAL, PROTOCOLS
from coughlab.studies.writer import write_large
from coughlab.system.parallel import Engine
from coughlab.system.progress import Progress, Share

if TYPE_CHECKING:
    from coughlab.studies.ledger import Ledger
    from coughlab.studies.measured import Measured

#: A probability at or above this is predicted positive, as in the case study.
THRESHOLD = 0.5
#: Most seconds of work that a run loses when its process is killed.
SAVE_EVERY_S = 30.0
#: Number of recordings on which the time of an answer is measured.
TIMED = 20
#: Columns of the table of fits.
FIT_COLUMNS = ["study", "protocol", "model", "split", "seed", "epochs", "parameters", "seconds", "answer_ms"]
#: Columns of the predictions table that identify a row of the dataset. ``row`` is the row in the dataset's list, because a
#: recording can be listed twice.
_ROW_COLUMNS = ["row", "recording", "person", "label", "positive"]
PREDICTION_COLUMNS = [
    *("study", "protocol", "model", "split", "role", "tested_on"),
    *_ROW_COLUMNS,
    *("probability", "seed"),
]


def predictions(
    probability: np.ndarray, table: pd.DataFrame, rows: np.ndarray, **columns: Any
) -> pd.DataFrame:
    """The predictions table of one fitted model for some rows of the feature table, given by their numbers.

    `columns` are the others: ``study``, ``protocol``, ``model``, ``split``, ``role``, ``tested_on`` and ``seed``.
    """
    known = table[_ROW_COLUMNS[1:]].iloc[rows].reset_index(drop=True)
    return known.assign(row=rows, probability=probability.astype(float), **columns)[PREDICTION_COLUMNS]


def roles(rows: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Role of each row: "test" if it is among the test rows, else "train"; same shape as `rows`."""
    return np.where(np.isin(rows, test), "test", "train")


@dataclass(frozen=True)
class Fit:
    """One fit of a classifier with all its inputs, so that it can run in another process."""

    #: Name of the classifier.
    classifier: str
    #: Its inputs by row number: of the training rows and of the rows to predict.
    inputs: dict[int, Any]
    train: np.ndarray
    asked: np.ndarray
    #: Labels of the training rows.
    labels: np.ndarray
    #: Serving inputs of the recordings on which the time of an answer is measured.
    timed: list
    seed: int
    epochs: int | None


@dataclass(frozen=True)
class Outcome:
    """The result of a fit: probabilities of the predicted rows, duration, and size of the model."""

    probability: np.ndarray
    seconds: float
    answer_ms: float
    parameters: int | None


#: Names of the classifiers that have been fitted in this process.
_WARM: set[str] = set()


def make(fit: Fit) -> Outcome:
    """Run one fit in a worker process.

    On machines of one kind the result depends only on the rows and the seed, although TensorFlow uses all cores.
    """
    classifier = CLASSIFIERS[fit.classifier]
    if fit.classifier not in _WARM:
        _warm_up(classifier, fit)
        _WARM.add(fit.classifier)
    return _made(classifier, fit)


def _warm_up(classifier, fit):
    """Fit once and discard the result, so that a library's initialisation does not count as duration of a fit."""
    classifier.fit([fit.inputs[row] for row in fit.train], fit.labels, seed=0, epochs=1)


def _made(classifier, fit, **progress):
    started = time.perf_counter()
    rows = [fit.inputs[row] for row in fit.train]
    fitted = classifier.fit(rows, fit.labels, seed=fit.seed, epochs=fit.epochs, **progress)
    seconds = time.perf_counter() - started
    probability = fitted.predict([fit.inputs[row] for row in fit.asked])
    return Outcome(probability, seconds, _answer_ms(fit.classifier, fitted, fit.timed), fitted.parameters)


#: Milliseconds for one answer of the networks that were fitted in this process, by name and number of parameters.
_NETWORK_MS: dict[tuple[str, int], float] = {}


def _answer_ms(name, fitted, inputs):
    """Milliseconds for one answer of the served model, from its input on: the median over some recordings.

    Networks of one shape take the same time, and it takes a second to write one as it is served, so one of them is timed.
    """
    if fitted.parameters is None:
        return _timed(fitted, inputs)
    network = (name, fitted.parameters)
    if network not in _NETWORK_MS:
        _NETWORK_MS[network] = _timed(fitted, inputs)
    return _NETWORK_MS[network]


def _timed(fitted, inputs):
    answer = fitted.served()
    answer(inputs[0])
    times = []
    for one in inputs:
        started = time.perf_counter()
        answer(one)
        times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times))


class Training:
    """The training of one classifier in one run: the missing fits, and results that are not saved yet.

    Parameters
    ----------
    recipe : dict
        ``seed`` and ``epochs``.
    others : dict of str to coughlab.studies.measured.Measured
        Test datasets for the saved model.
    engine : coughlab.system.parallel.Engine, optional
        Where the fits run; this process by default. The fits of a classifier with `embed`, the saved model, and its predictions
        for other datasets are always made in this process: a network's embedding of all recordings is too large to be sent to
        workers.
    """

    def __init__(
        self,
        classifier: Classifier,
        recipe: Mapping[str, Any],
        measured: Measured,
        others: Mapping[str, Measured],
        ledger: Ledger,
        progress: Progress,
        engine: Engine | None = None,
    ):
        self.classifier, self.recipe, self.study = classifier, recipe, ledger.folder.name
        self.engine = Engine() if engine is None or classifier.embed else engine
        self.measured, self.others, self.ledger, self.progress = measured, others, ledger, progress
        self.inputs = measured.inputs[classifier.input]
        self.learned_from, self.stage = self.inputs, f"Training {classifier.title}"
        self.entry: dict[str, Any] = {}
        self.tables: dict[int, list[pd.DataFrame]] = {}
        self.fits: dict[int, dict] = {}
        self.files: dict[str, bytes] = {}

    def run(self, protocols: Iterable[str], n_splits: int | None = None, *, again: bool = False) -> None:
        """Make the missing fits, or all, on `n_splits` splits of each protocol or the classifier's default number."""
        classifier = self.classifier
        done, tested_on, kept = self._open(again)
        missing = [
            (protocol, split, rows)
            for protocol in protocols
            for split, rows in enumerate(self._split(protocol, n_splits))
            if (protocol, split) not in done
        ]
        fit_all = (classifier.keep and not kept) or bool(self.others.keys() - tested_on)
        self.total = len(missing) + fit_all
        if not self.total:
            return
        if classifier.embed:
            self.learned_from = self._embedded(self.inputs)
        elif missing and self.engine.is_here:
            _warm_up(classifier, self._fit_of(*missing[0]))
        self.saved = time.monotonic()
        try:
            for number, outcome in self._outcomes(missing):
                self._add(number, missing[number], outcome)
                if time.monotonic() - self.saved > SAVE_EVERY_S:
                    self._save()
            if fit_all:
                self._fit_all(len(missing))
        finally:
            self._save()

    def _open(self, again: bool) -> tuple[set[tuple[str, int]], set[str], bool]:
        """Stored results: pairs of protocol and split, test datasets, and whether the model is saved."""
        classifier, stored = self.classifier, self.ledger.stored
        entry = stored.models.get(classifier.name, {}) if stored else {}
        self.fresh = again or entry.get("recipe") != self.recipe
        done, tested_on, kept = set(), set(), False
        if not self.fresh:
            fits = stored.fits[stored.fits["model"] == classifier.name]
            done = set(zip(fits["protocol"], fits["split"], strict=True))
            external = stored.predictions[stored.predictions["protocol"] == EXTERNAL]
            tested_on = set(external.loc[external["model"] == classifier.name, "tested_on"])
            # A large file that another machine made is not on this one.
            here = not entry["large"] or stored.large(entry["serve"]) is not None
            kept = entry["kept"] == self.recipe and here
        # The earlier model is used until the new one is fitted.
        self.entry = {"serve": None, "large": {}, "parameters": None} | entry
        self.entry |= {
            "title": classifier.title,
            "summary": self.ledger.defined.task.say(classifier.summary),
            "input": classifier.input,
            "threshold": THRESHOLD,
            "epochs": self.recipe["epochs"],
            "recipe": self.recipe,
            "kept": self.recipe if kept else None,
        }
        return done, tested_on, kept

    def _split(self, protocol: str, n_splits: int | None) -> list[splits.Split]:
        own, made_by = self.classifier.splits, PROTOCOLS[protocol]
        assert made_by.split  # a study is split by its protocols
        n_splits = n_splits or min(own, made_by.most_splits or own)
        return made_by.split(self.measured.table, n_splits=n_splits, seed=self.recipe["seed"])

    def _embedded(self, inputs: list) -> list:
        """The embedded inputs, if the classifier embeds."""
        if not self.classifier.embed:
            return inputs
        stage, total = f"Preparing {self.classifier.title}", len(inputs)
        return self.classifier.embed(
            inputs, progress=lambda share: self.progress(stage, share * total, total)
        )

    def _fit_of(self, protocol: str, split: int, rows: splits.Split) -> Fit:
        train, test = rows
        asked = np.sort(np.concatenate([train, test])) if PROTOCOLS[protocol].trained_rows else test
        return Fit(
            self.classifier.name,
            {int(row): self.learned_from[row] for row in np.union1d(train, asked)},
            train,
            asked,
            self.measured.labels[train],
            [self.inputs[row] for row in test[:TIMED]],
            self.recipe["seed"] + 1 + split,
            self.recipe["epochs"],
        )

    def _outcomes(self, missing: list[tuple]) -> Iterator[tuple[int, Outcome]]:
        """Number and result of each missing fit, in order of completion."""
        if self.engine.is_here:
            for number, one in enumerate(missing):
                yield number, _made(self.classifier, self._fit_of(*one), progress=self._share(number))
            return
        self.progress(self.stage, 0, self.total)
        made = self.engine.map(make, range(len(missing)), lambda number: self._fit_of(*missing[number]))
        for done, (number, outcome) in enumerate(made, start=1):
            self.progress(self.stage, done, self.total)
            yield number, outcome

    def _share(self, fits_done: int) -> Share:
        return lambda share: self.progress(self.stage, fits_done + share, self.total)

    def _add(self, number: int, one: tuple, outcome: Outcome) -> None:
        """Store the result of a fit by its number; the fits may end in any order."""
        protocol, split, (_, test) = one
        fit = self._fit_of(*one)
        names = self._names(protocol, split, fit.seed)
        role = {"tested_on": self.study, "role": roles(fit.asked, test)}
        table = predictions(outcome.probability, self.measured.table, fit.asked, **names, **role)
        self.tables[number] = [table]
        self._note(number, names, outcome.parameters, outcome.seconds, outcome.answer_ms)

    def _names(self, protocol: str, split: int, seed: int) -> dict[str, Any]:
        named = {"study": self.study, "protocol": protocol, "model": self.classifier.name}
        return named | {"split": split, "seed": seed}

    def _note(self, number, names, parameters, seconds, answer_ms):
        """Store the duration of a fit."""
        measured = {"parameters": parameters, "seconds": seconds, "answer_ms": answer_ms}
        columns = names | measured | {"epochs": self.recipe["epochs"]}
        self.fits[number] = {name: columns[name] for name in FIT_COLUMNS}
        self.entry["parameters"] = parameters

    def _fit_all(self, fits_done: int) -> None:
        """Fit on all rows without copies, save this model, and predict the other datasets with it."""
        rows = splits.clean(self.measured.table)
        names = self._names(EXTERNAL, 0, self.recipe["seed"])
        started = time.perf_counter()
        fitted = self.classifier.fit(
            [self.learned_from[row] for row in rows],
            self.measured.labels[rows],
            **self.recipe,
            progress=self._share(fits_done),
        )
        seconds = time.perf_counter() - started
        self.tables[fits_done] = []
        for name, other in self.others.items():
            asked = splits.clean(other.table)
            inputs = self._embedded([other.inputs[self.classifier.input][row] for row in asked])
            table = predictions(
                fitted.predict(inputs), other.table, asked, **names, tested_on=name, role="test"
            )
            self.tables[fits_done].append(table)
        if self.others:
            answer_ms = _answer_ms(self.classifier.name, fitted, [self.inputs[row] for row in rows[:TIMED]])
            self._note(fits_done, names, fitted.parameters, seconds, answer_ms)
        if self.classifier.keep:
            self._keep(fitted)

    def _keep(self, fitted: Any) -> None:
        files, large = fitted.save(), {}
        serve = next(file for file in files if not file.endswith(".keras"))
        if self.classifier.large:
            large = {name: write_large(self.ledger.folder, name, data) for name, data in files.items()}
        else:
            self.files = files
        self.entry |= {"kept": self.recipe, "serve": serve, "large": large, "parameters": fitted.parameters}

    def _save(self) -> None:
        tables = [table for number in sorted(self.tables) for table in self.tables[number]]
        fits = [self.fits[number] for number in sorted(self.fits)]
        if not tables and self.entry["kept"] != self.recipe:
            return
        self.ledger.add(
            entries={self.classifier.name: self.entry},
            predictions=pd.concat(tables, ignore_index=True) if tables else None,
            fits=pd.DataFrame(fits) if fits else None,
            files=self.files,
            forget=[self.classifier.name] if self.fresh else (),
        )
        self.fresh, self.tables, self.fits, self.files = False, {}, {}, {}
        self.saved = time.monotonic()
