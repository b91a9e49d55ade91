"""A study: a dataset with everything trained and measured on it, written to ``models/<study>/``.

A study grows: what is trained is added to what is there, so that any of its models can be trained alone, and a run that was
stopped goes on where it was.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from coughlab import audio, datasets, store
from coughlab.classifiers import CLASSIFIERS, search
from coughlab.datasets import LABELS
from coughlab.evidence import splits
from coughlab.ledger import DifferentDataError, Ledger
from coughlab.signal import features, spectrum
from coughlab.signal.inputs import INPUTS
from coughlab.training import SAVE_EVERY_S, Training

#: Studies by name: the dataset and the protocols of each.
STUDIES = {"kaggle-trial": ("published",)}


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
        Training(classifier, recipe, measured, ledger, progress).run(STUDIES[name], n_splits, again=again)
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
