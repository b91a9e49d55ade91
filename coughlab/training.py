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
    ledger : coughlab.ledger.Ledger
        The study to add to.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.
    """

    def __init__(self, classifier, recipe, measured, ledger, progress):
        self.classifier, self.recipe, self.study = classifier, recipe, ledger.folder.name
        self.measured, self.ledger, self.progress = measured, ledger, progress
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
            for protocol in protocols
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
        elif deals:
            # What a library does when it is first used is not part of the time of a fit.
            self.classifier.fit(*self._rows(deals[0][2][0]), seed=0, epochs=1)
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
