"""A study: a dataset with everything trained and measured on it, written to ``models/<study>/``."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coughlab import __version__, audio, card, datasets, store
from coughlab.classifiers import CLASSIFIERS
from coughlab.datasets import LABELS
from coughlab.evidence import splits
from coughlab.signal import features, spectrum
from coughlab.signal.inputs import INPUTS

#: Studies by name: the dataset and the protocols of each.
STUDIES = {"kaggle-trial": ("published",)}
#: A probability from here on is called covid, as in the case study.
THRESHOLD = 0.5


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
        For every kind of input, one item a row of the table.
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
    models=store.MODELS,
    seed=0,
    n_splits=5,
    epochs=None,
    progress=lambda stage, done, total: None,
):
    """Read a dataset, train and measure every classifier on it, and replace the stored study by the result.

    Parameters
    ----------
    name : str
        A key of `STUDIES`, which is also the name of its dataset.
    data : path-like
        The dataset's folder.
    models : path-like
        Folder of the studies.
    seed : int
        Seed of the splits and the fits: the model that is kept is fitted with `seed`, that of split k with ``seed + 1 + k``.
    n_splits : int
        Splits of each protocol.
    epochs : int, optional
        Passes over the training rows of every neural network, instead of each one's own number.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Returns
    -------
    pathlib.Path
        The study's folder.

    Raises
    ------
    StudyError
        If the study is unknown, or the dataset is too small to be dealt.
    coughlab.datasets.DatasetError
        If the dataset cannot be read.
    """
    if name not in STUDIES:
        raise StudyError(f"There is no study called {name!r}. Known: {', '.join(STUDIES)}.")
    measured = measure(datasets.load(name, data), progress)
    if measured.table["label"].value_counts().reindex(LABELS, fill_value=0).min() < 4:
        raise StudyError(
            "The dataset has fewer than 4 recordings of a class, too few to be dealt into train and test."
        )
    folder = Path(models) / name
    with store.replacing(folder) as writer:
        entries, predictions = {}, []
        for classifier in CLASSIFIERS.values():
            fitted, rows = _train(classifier, name, measured, seed, n_splits, epochs, progress)
            predictions.append(rows)
            files = fitted.save()
            for file, content in files.items():
                writer.write(file, content)
            entries[classifier.name] = {
                "title": classifier.title,
                "summary": classifier.summary,
                "input": classifier.input,
                "threshold": THRESHOLD,
                "parameters": fitted.parameters,
                "epochs": epochs if classifier.epochs and epochs else classifier.epochs,
                "serve": next(file for file in files if not file.endswith(".keras")),
            }
        predictions = pd.concat(predictions, ignore_index=True)
        writer.write_table(store.FEATURES, measured.table)
        writer.write_table(store.PREDICTIONS, predictions)
        writer.manifest |= {
            "study": name,
            "version": __version__,
            "seed": seed,
            "recordings": len(measured.table),
            "people": measured.table["person"].nunique(),
            "models": entries,
        }
        writer.write("README.md", card.write(writer.manifest, measured.table, predictions).encode())
    return folder


def measure(table, progress=lambda stage, done, total: None):
    """Measure every recording of a dataset.

    Parameters
    ----------
    table : pandas.DataFrame
        The common table of `coughlab.datasets`.
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
    rows, inputs = [], {kind: [] for kind in INPUTS}
    for done, path in enumerate(table["path"]):
        progress("Measuring recordings", done, len(table))
        try:
            recording = audio.load(path)
        except audio.AudioError as error:
            raise StudyError(f"{path.name}: {error}") from error
        for kind, extract in INPUTS.items():
            inputs[kind].append(extract(recording))
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


def _train(classifier, study, measured, seed, n_splits, epochs, progress):
    """Fit a classifier on every split and, to be kept, on all rows: the kept model and the rows of the predictions table."""
    deals = [
        (protocol, split, train, test)
        for protocol in STUDIES[study]
        for split, (train, test) in enumerate(
            splits.PROTOCOLS[protocol](measured.labels, n_splits=n_splits, seed=seed)
        )
    ]
    stage, total = f"Training {classifier.title}", len(deals) + 1

    def fit(rows, seed, fits_done):
        return classifier.fit(
            [measured.inputs[classifier.input][row] for row in rows],
            measured.labels[rows],
            seed=seed,
            epochs=epochs,
            progress=lambda share: progress(stage, fits_done + share, total),
        )

    tables = []
    for done, (protocol, split, train, test) in enumerate(deals):
        role = np.full(len(measured.labels), "train", dtype=object)
        role[test] = "test"
        fitted = fit(train, seed + 1 + split, done)
        tables.append(
            measured.table[["recording", "person", "label"]].assign(
                study=study,
                protocol=protocol,
                model=classifier.name,
                split=split,
                role=role,
                tested_on=study,
                row=np.arange(len(role)),
                probability=fitted.predict(measured.inputs[classifier.input]).astype(float),
                seed=seed + 1 + split,
            )
        )
    kept = fit(np.arange(len(measured.labels)), seed, len(deals))
    return kept, pd.concat(tables)[PREDICTION_COLUMNS]


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
