"""The training of one classifier of a study: the fits that are missing, measured and added to what is stored."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coughlab.classifiers import CLASSIFIERS
from coughlab.evaluation import splits
from coughlab.evaluation.protocols import EXTERNAL, PROTOCOLS
from coughlab.studies.writer import write_large
from coughlab.system.parallel import Engine

#: A probability from here on is predicted positive, as in the case study.
THRESHOLD = 0.5
#: How many seconds of work a run may lose when its process is killed.
SAVE_EVERY_S = 30.0
#: How many recordings an answer is timed on.
TIMED = 20
#: Columns of the table of fits.
FIT_COLUMNS = [
    "study",
    "protocol",
    "model",
    "split",
    "seed",
    "epochs",
    "parameters",
    "seconds",
    "answer_ms",
]
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
    "positive",
    "probability",
    "seed",
]


def predictions_of(fitted, inputs, table, rows, **columns):
    """The rows of the predictions table that one fitted model gives.

    Parameters
    ----------
    fitted : object
        What a classifier's ``fit`` returned.
    inputs : sequence
        What it reads of every row of the feature table.
    table : pandas.DataFrame
        The feature table.
    rows : ndarray, shape (n,)
        Numbers of the rows to ask about.
    **columns
        The other columns: ``study``, ``protocol``, ``model``, ``split``, ``role``, ``tested_on`` and ``seed``.

    Returns
    -------
    pandas.DataFrame
        One row for each of `rows`, with the columns of `PREDICTION_COLUMNS`.
    """
    return _predictions(fitted.predict([inputs[row] for row in rows]), table, rows, **columns)


def _predictions(probability, table, rows, **columns):
    known = table[["recording", "person", "label", "positive"]].iloc[rows].reset_index(drop=True)
    return known.assign(row=rows, probability=probability.astype(float), **columns)[PREDICTION_COLUMNS]


def roles(rows, test):
    """Say "test" for each of some rows that is among the test rows, else "train": shape of `rows`."""
    return np.where(np.isin(rows, test), "test", "train")


@dataclass(frozen=True)
class Fit:
    """One fit of a classifier, with all that it takes, so that it can be made in another process.

    Attributes
    ----------
    classifier : str
        Name of the classifier: a key of `coughlab.classifiers.CLASSIFIERS`.
    inputs : dict of int to array_like
        What it learns from, by number of the row: of the rows to train on and of those to ask about.
    train, asked : ndarray of int
        Rows to train on, and rows to ask about.
    labels : ndarray of int
        Of the rows to train on.
    timed : list of array_like
        What the model reads when it answers, of the recordings that an answer is timed on.
    seed : int
        Seed of the fit.
    epochs : int or None
        Passes over the training rows.
    """

    classifier: str
    inputs: dict
    train: np.ndarray
    asked: np.ndarray
    labels: np.ndarray
    timed: list
    seed: int
    epochs: int | None


@dataclass(frozen=True)
class Outcome:
    """What came of a fit: the probabilities of the rows asked about, what it took, and how large the model is."""

    probability: np.ndarray
    seconds: float
    answer_ms: float
    parameters: int | None


#: Names of the classifiers that were fitted in this process.
_WARM = set()


def make(fit):
    """Make one fit in a process that works for another.

    What it answers depends on nothing but the rows and the seed, on machines of one kind: TensorFlow uses all cores it finds.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    Outcome
    """
    classifier = CLASSIFIERS[fit.classifier]
    if fit.classifier not in _WARM:
        _warm_up(classifier, fit)
        _WARM.add(fit.classifier)
    return _made(classifier, fit)


def _warm_up(classifier, fit):
    """Fit once and forget it: what a library does when it is first used is not part of the time of a fit."""
    classifier.fit([fit.inputs[row] for row in fit.train], fit.labels, seed=0, epochs=1)


def _made(classifier, fit, **progress):
    started = time.perf_counter()
    rows = [fit.inputs[row] for row in fit.train]
    fitted = classifier.fit(rows, fit.labels, seed=fit.seed, epochs=fit.epochs, **progress)
    seconds = time.perf_counter() - started
    probability = fitted.predict([fit.inputs[row] for row in fit.asked])
    return Outcome(probability, seconds, _answer_ms(fitted, fit.timed), fitted.parameters)


def _answer_ms(fitted, inputs):
    """Milliseconds for one answer of the model as it is served, from its input on: the median over some recordings."""
    answer = fitted.served()
    answer(inputs[0])
    times = []
    for one in inputs:
        started = time.perf_counter()
        answer(one)
        times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times))


class Training:
    """The training of one classifier in one run: what is missing, and what has been found and not yet saved.

    Parameters
    ----------
    classifier : coughlab.classifiers.Classifier
        What to train.
    recipe : dict
        ``seed`` and ``epochs``.
    measured : coughlab.studies.runner.Measured
        The dataset.
    others : dict of str to coughlab.studies.runner.Measured
        Datasets to test the model that answers on.
    ledger : coughlab.studies.ledger.Ledger
        The study to add to.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.
    engine : coughlab.system.parallel.Engine, optional
        Where the fits are made; in this process unless told. Those of a classifier that embeds, the model that is kept, and what
        it says of other datasets are made in this process in any case: a network's embedding of all recordings is too large to
        be sent around.
    """

    def __init__(self, classifier, recipe, measured, others, ledger, progress, engine=None):
        self.classifier, self.recipe, self.study = classifier, recipe, ledger.folder.name
        self.engine = Engine() if engine is None or classifier.embed else engine
        self.measured, self.others, self.ledger, self.progress = measured, others, ledger, progress
        self.inputs = measured.inputs[classifier.input]
        self.learned_from, self.stage = self.inputs, f"Training {classifier.title}"
        self.entry, self.tables, self.fits, self.files = {}, {}, {}, {}

    def run(self, protocols, n_splits=None, *, again=False):
        """Make the fits that the study lacks.

        Parameters
        ----------
        protocols : iterable of str
            Protocols to split the rows by: keys of `coughlab.evaluation.protocols.WITHIN`.
        n_splits : int, optional
            Splits of each protocol, instead of the classifier's own number.
        again : bool
            Make those again that are there.
        """
        classifier, stored = self.classifier, self.ledger.stored
        entry = stored.models.get(classifier.name, {}) if stored else {}
        self.fresh = again or entry.get("recipe") != self.recipe
        done, tested_on, kept = set(), set(), False
        if not self.fresh:
            fits = stored.fits[stored.fits["model"] == classifier.name]
            done = set(zip(fits["protocol"], fits["split"], strict=True))
            external = stored.predictions[stored.predictions["protocol"] == EXTERNAL]
            tested_on = set(external.loc[external["model"] == classifier.name, "tested_on"])
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
            for protocol in protocols
            for split, rows in enumerate(self._dealt(protocol, n_splits))
            if (protocol, split) not in done
        ]
        fit_all = (classifier.keep and not kept) or bool(self.others.keys() - tested_on)
        self.total = len(deals) + fit_all
        if not self.total:
            return
        if classifier.embed:
            self.learned_from = self._embedded(self.inputs)
        elif deals and self.engine.is_here:
            _warm_up(classifier, self._fit_of(deals[0]))
        self.saved = time.monotonic()
        try:
            for number, outcome in self._outcomes(deals):
                self._add(number, deals[number], outcome)
                if time.monotonic() - self.saved > SAVE_EVERY_S:
                    self._save()
            if fit_all:
                self._fit_all(len(deals))
        finally:
            self._save()

    def _described(self):
        classifier = self.classifier
        return {
            "title": classifier.title,
            "summary": self.ledger.defined.task.say(classifier.summary),
            "input": classifier.input,
            "threshold": THRESHOLD,
            "epochs": self.recipe["epochs"],
            "recipe": self.recipe,
        }

    def _dealt(self, protocol, n_splits):
        own, protocol = self.classifier.splits, PROTOCOLS[protocol]
        n_splits = n_splits or min(own, protocol.most_splits or own)
        return protocol.split(self.measured.table, n_splits=n_splits, seed=self.recipe["seed"])

    def _embedded(self, inputs):
        stage, total = f"Preparing {self.classifier.title}", len(inputs)
        return self.classifier.embed(
            inputs, progress=lambda share: self.progress(stage, share * total, total)
        )

    def _fit_of(self, deal):
        """What the fit of a split takes."""
        protocol, split, (train, test) = deal
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

    def _outcomes(self, deals):
        """The fits of some deals, as they come: number of the deal, and what came of it."""
        if self.engine.is_here:
            for number, deal in enumerate(deals):
                yield number, _made(self.classifier, self._fit_of(deal), progress=self._share(number))
            return
        self.progress(self.stage, 0, self.total)
        made = self.engine.map(make, range(len(deals)), lambda number: self._fit_of(deals[number]))
        for done, (number, outcome) in enumerate(made, start=1):
            self.progress(self.stage, done, self.total)
            yield number, outcome

    def _share(self, fits_done):
        return lambda share: self.progress(self.stage, fits_done + share, self.total)

    def _add(self, number, deal, outcome):
        """Note what came of the fit of a deal, in the order of the deals whichever comes first."""
        protocol, split, (_, test) = deal
        fit = self._fit_of(deal)
        names = self._names(protocol, split, fit.seed)
        told = {"study": self.study, "tested_on": self.study, "role": roles(fit.asked, test)}
        self.tables[number] = [
            _predictions(outcome.probability, self.measured.table, fit.asked, **names, **told)
        ]
        self._note(number, names, outcome.parameters, outcome.seconds, outcome.answer_ms)

    def _names(self, protocol, split, seed):
        return {"protocol": protocol, "model": self.classifier.name, "split": split, "seed": seed}

    def _note(self, number, names, parameters, seconds, answer_ms):
        """What a fit took."""
        measured = {"parameters": parameters, "seconds": seconds, "answer_ms": answer_ms}
        told = {"study": self.study, "epochs": self.recipe["epochs"]}
        self.fits[number] = {name: (told | names | measured)[name] for name in FIT_COLUMNS}
        self.entry["parameters"] = parameters

    def _fit_all(self, fits_done):
        """Fit on all rows without copies: the model that answers. It is kept, and asked about the other datasets."""
        rows = splits.clean(self.measured.table)
        names = self._names(EXTERNAL, 0, self.recipe["seed"])
        started = time.perf_counter()
        fitted = self.classifier.fit(
            [self.learned_from[row] for row in rows],
            self.measured.labels[rows],
            seed=names["seed"],
            epochs=self.recipe["epochs"],
            progress=self._share(fits_done),
        )
        seconds = time.perf_counter() - started
        self.tables[fits_done] = []
        for name, other in self.others.items():
            asked = splits.clean(other.table)
            inputs = [other.inputs[self.classifier.input][row] for row in asked]
            if self.classifier.embed:
                inputs = self._embedded(inputs)
            inputs = dict(zip(asked, inputs, strict=True))
            told = {"study": self.study, "tested_on": name, "role": "test"}
            self.tables[fits_done].append(predictions_of(fitted, inputs, other.table, asked, **names, **told))
        if self.others:
            answer_ms = _answer_ms(fitted, [self.inputs[row] for row in rows[:TIMED]])
            self._note(fits_done, names, fitted.parameters, seconds, answer_ms)
        if self.classifier.keep:
            self._keep(fitted)

    def _keep(self, fitted):
        files = fitted.save()
        serve = next(file for file in files if not file.endswith(".keras"))
        if self.classifier.large:
            large = {name: write_large(self.ledger.folder, name, data) for name, data in files.items()}
        else:
            large, self.files = {}, files
        self.entry |= {
            "kept": self.recipe,
            "serve": serve,
            "large": large,
            "parameters": fitted.parameters,
        }

    def _save(self):
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
