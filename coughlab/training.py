"""The training of one classifier of a study: the fits that are missing, measured and added to what is stored."""

import time

import numpy as np
import pandas as pd

from coughlab import store
from coughlab.evidence import splits

#: A probability from here on is called covid, as in the case study.
THRESHOLD = 0.5
#: How many seconds of work a run may lose when its process is killed.
SAVE_EVERY_S = 30.0
#: How many recordings an answer is timed on.
TIMED = 20
#: Most splits of a protocol other than the case study's: five times ten.
SPLITS = 50
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
    probability = fitted.predict([inputs[row] for row in rows]).astype(float)
    told = table[["recording", "person", "label"]].iloc[rows].reset_index(drop=True)
    return told.assign(row=rows, probability=probability, **columns)[PREDICTION_COLUMNS]


def roles(rows, test):
    """Say "test" for each of some rows that is among the test rows, else "train": shape of `rows`."""
    return np.where(np.isin(rows, test), "test", "train")


class Training:
    """The training of one classifier in one run: what is missing, and what has been found and not yet saved.

    Parameters
    ----------
    classifier : coughlab.classifiers.Classifier
        What to train.
    recipe : dict
        ``seed`` and ``epochs``.
    measured : coughlab.study.Measured
        The dataset.
    others : dict of str to coughlab.study.Measured
        Datasets to test the model that answers on.
    ledger : coughlab.ledger.Ledger
        The study to add to.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.
    """

    def __init__(self, classifier, recipe, measured, others, ledger, progress):
        self.classifier, self.recipe, self.study = classifier, recipe, ledger.folder.name
        self.measured, self.others, self.ledger, self.progress = measured, others, ledger, progress
        self.inputs = measured.inputs[classifier.input]
        self.learned_from = self.inputs
        self.entry, self.tables, self.fits, self.files = {}, [], [], {}

    def run(self, protocols, n_splits=None, *, again=False):
        """Make the fits that the study lacks.

        Parameters
        ----------
        protocols : iterable of str
            Protocols to deal the rows by: keys of `coughlab.evidence.splits.PROTOCOLS`.
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
            external = stored.predictions[stored.predictions["protocol"] == splits.EXTERNAL]
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
        elif deals:
            # What a library does when it is first used is not part of the time of a fit.
            self.classifier.fit(*self._rows(deals[0][2][0]), seed=0, epochs=1)
        self.saved = time.monotonic()
        try:
            for fits_done, (protocol, split, (train, test)) in enumerate(deals):
                self._measure(protocol, split, train, test, fits_done)
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
            "summary": classifier.summary,
            "input": classifier.input,
            "threshold": THRESHOLD,
            "epochs": self.recipe["epochs"],
            "recipe": self.recipe,
        }

    def _dealt(self, protocol, n_splits):
        own = self.classifier.splits
        n_splits = n_splits or (own if protocol == "published" else min(own, SPLITS))
        return splits.PROTOCOLS[protocol](self.measured.table, n_splits=n_splits, seed=self.recipe["seed"])

    def _embedded(self, inputs):
        stage, total = f"Preparing {self.classifier.title}", len(inputs)
        return self.classifier.embed(
            inputs, progress=lambda share: self.progress(stage, share * total, total)
        )

    def _rows(self, rows):
        return [self.learned_from[row] for row in rows], self.measured.labels[rows]

    def _fit(self, rows, seed, fits_done):
        started = time.perf_counter()
        fitted = self.classifier.fit(
            *self._rows(rows),
            seed=seed,
            epochs=self.recipe["epochs"],
            progress=lambda share: self.progress(
                f"Training {self.classifier.title}", fits_done + share, self.total
            ),
        )
        return fitted, time.perf_counter() - started

    def _measure(self, protocol, split, train, test, fits_done):
        """Fit on the training rows of a split, and ask about the test rows, of the case study's protocol about all rows."""
        seed = self.recipe["seed"] + 1 + split
        fitted, seconds = self._fit(train, seed, fits_done)
        asked = np.sort(np.concatenate([train, test])) if protocol == "published" else test
        names = self._names(protocol, split, seed)
        rows = predictions_of(
            fitted,
            self.learned_from,
            self.measured.table,
            asked,
            **names,
            study=self.study,
            tested_on=self.study,
            role=roles(asked, test),
        )
        self.tables.append(rows)
        self._note(fitted, names, seconds, test[:TIMED])

    def _names(self, protocol, split, seed):
        return {"protocol": protocol, "model": self.classifier.name, "split": split, "seed": seed}

    def _note(self, fitted, names, seconds, timed):
        """What a fit took."""
        measured = {"seconds": seconds, "answer_ms": self._answer_ms(fitted, timed)}
        told = {"study": self.study, "epochs": self.recipe["epochs"], "parameters": fitted.parameters}
        self.fits.append({name: (told | names | measured)[name] for name in FIT_COLUMNS})
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

    def _fit_all(self, fits_done):
        """Fit on all rows without copies: the model that answers. It is kept, and asked about the other datasets."""
        rows = splits.clean(self.measured.table)
        names = self._names(splits.EXTERNAL, 0, self.recipe["seed"])
        fitted, seconds = self._fit(rows, names["seed"], fits_done)
        for name, other in self.others.items():
            asked = splits.clean(other.table)
            inputs = [other.inputs[self.classifier.input][row] for row in asked]
            if self.classifier.embed:
                inputs = self._embedded(inputs)
            inputs = dict(zip(asked, inputs, strict=True))
            told = {"study": self.study, "tested_on": name, "role": "test"}
            self.tables.append(predictions_of(fitted, inputs, other.table, asked, **names, **told))
        if self.others:
            self._note(fitted, names, seconds, rows[:TIMED])
        if self.classifier.keep:
            self._keep(fitted)

    def _keep(self, fitted):
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
