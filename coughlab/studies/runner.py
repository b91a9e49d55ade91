"""A study: a dataset with everything trained and measured on it, written to ``models/<study>/``.

A study grows: what is trained is added to what is there, so that any of its models can be trained alone, and a run that was
stopped goes on where it was.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coughlab import audio, datasets
from coughlab.classifiers import CLASSIFIERS, search
from coughlab.datasets import duplicates, survey
from coughlab.evaluation import splits
from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.features import acoustic
from coughlab.features.inputs import INPUTS
from coughlab.studies import definition, store, writer
from coughlab.studies.definition import Definition, DefinitionError
from coughlab.studies.ledger import DifferentDataError, Ledger
from coughlab.studies.training import SAVE_EVERY_S, Training
from coughlab.system import files
from coughlab.system.parallel import Engine

#: What the feature table says of a file.
FACTS = ["container", "codec", "sample_rate", "channels", "bit_depth", "duration_s"]


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
    left_out : int
        How many listed rows have no file that can be decoded.
    """

    table: pd.DataFrame
    inputs: dict
    left_out: int = 0

    @property
    def labels(self):
        """1 where the row is positive, else 0: shape (n,), int."""
        return self.table["positive"].to_numpy(int)


def run(
    name,
    data,
    *,
    models=None,
    protocols=None,
    others=None,
    folder=store.MODELS,
    seed=0,
    n_splits=None,
    epochs=None,
    again=False,
    engine=None,
    progress=lambda stage, done, total: None,
):
    """Read a dataset, train and measure classifiers on it, and add the result to the stored study.

    What the study holds already is not trained again, unless with another seed or number of epochs. The study is saved every
    half minute and when the run ends, in whatever way it ends.

    Parameters
    ----------
    name : str
        Name of a study that is defined in `folder` or among the stored studies.
    data : path-like
        The dataset's folder.
    models : iterable of str, optional
        Names of the classifiers; all of the study's unless told.
    protocols : iterable of str, optional
        How the rows are split, some of the study's protocols; all of them unless told.
    others : dict of str to path-like or None, optional
        The folders of the datasets to test on, by name: those of `find_others` unless told. Where there is none, the models are
        not tested on that dataset.
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
    engine : coughlab.system.parallel.Engine, optional
        Where recordings are measured and classifiers are fitted on the splits, as far as `coughlab.studies.training.Training`
        hands the fits out; in this process unless told. The study is the same, but for what the fits took.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Returns
    -------
    pathlib.Path
        The study's folder.

    Raises
    ------
    StudyError
        If the study or a classifier is unknown, or the dataset is too small to be split.
    coughlab.studies.ledger.DifferentDataError
        If the rest of the study was trained on another dataset or with another seed.
    coughlab.datasets.DatasetError
        If the dataset cannot be read.
    coughlab.system.parallel.EngineError
        If the engine fails.
    coughlab.classifiers.base.NotReadyError
        If this machine lacks what a classifier needs.
    coughlab.studies.store.StoreError
        If the stored study is damaged and `again` is false.
    OSError
        If it cannot be written, which is found out before anything is measured, as far as it can be.
    """
    defined, folder = defined_as(name, folder), Path(folder) / name
    chosen = _chosen(models, defined)
    protocols = defined.protocols if protocols is None else protocols
    if unknown := [protocol for protocol in protocols if protocol not in defined.protocols]:
        raise StudyError(
            f"The study has no protocol called {', '.join(unknown)}. Known: {', '.join(defined.protocols)}."
        )
    dataset = datasets.load(defined.dataset, data)
    for classifier in chosen:
        if classifier.ready:
            classifier.ready()
    files.check(folder.parent)
    writer.tidy(folder)
    files.check_clock()
    kinds = {c.input for c in chosen}
    measured = _measured(dataset, defined.task, kinds, progress, engine)
    tested_on = {
        other: measure(datasets.load(other, path), defined.task, kinds, progress, engine)
        for other, path in (find_others(name, folders=folder.parent) if others is None else others).items()
        if path
    }
    everything = len(chosen) == len(defined.classifiers)
    try:
        ledger = Ledger(folder, defined, measured, seed, anew=again and everything)
    except DifferentDataError:
        if not everything:
            raise
        ledger = Ledger(folder, defined, measured, seed, anew=True)
    for classifier in chosen:
        own = defined.epochs.get(classifier.name, classifier.epochs)
        recipe = {"seed": seed, "epochs": epochs if own and epochs else own}
        training = Training(classifier, recipe, measured, tested_on, ledger, progress, engine)
        training.run(protocols, n_splits or defined.splits.get(classifier.name), again=again)
    return folder


def defined_as(name: str, folder: Path = store.MODELS) -> Definition:
    """The definition of a study, in a folder of studies or among those of `coughlab.studies.store.MODELS`.

    Raises
    ------
    StudyError
        If there is no such study, or its definition cannot be used.
    """
    path = definition.find(name, folder, store.MODELS)
    if path is None:
        known = ", ".join(definition.names(folder, store.MODELS))
        raise StudyError(f"There is no study called {name!r}. Known: {known}.")
    try:
        return definition.read(path)
    except DefinitionError as error:
        raise StudyError(str(error)) from error


def find_others(name: str, root: Path | None = None, folders: Path = store.MODELS) -> dict[str, Path | None]:
    """The folders of the datasets that a study's models are tested on; None for one that is not on this machine.

    Parameters
    ----------
    name : str
        Name of the study.
    root : path-like, optional
        The folder that holds the datasets, under their names; the one that COUGHLAB_DATA names unless given.
    folders : path-like
        Folder of the studies.

    Raises
    ------
    StudyError
        If the study is unknown.
    """
    external = defined_as(name, folders).external
    if root is None:
        return {other: datasets.folder(other) for other in external}
    paths = {other: Path(root, other) for other in external}
    return {other: path if path.is_dir() else None for other, path in paths.items()}


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
    StudyError, coughlab.studies.ledger.DifferentDataError, coughlab.datasets.DatasetError, coughlab.studies.store.StoreError
        As in `run`.
    """
    defined, folder = defined_as(name, folder), Path(folder) / name
    dataset = datasets.load(defined.dataset, data)
    files.check(folder.parent)
    writer.tidy(folder)
    measured = _measured(dataset, defined.task, (), progress)
    ledger = Ledger(folder, defined, measured, seed)
    if ledger.stored is None:
        raise StudyError(
            f"There is no study {name} in {folder.parent} to save the trials in. Train a model first."
        )
    train, _ = PROTOCOLS[defined.protocols[0]].split(measured.table, n_splits=1, seed=seed)[0]
    earlier = None if again or ledger.stored.trials.empty else ledger.stored.trials
    X = measured.table[list(acoustic.NAMES)].to_numpy()[train]
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


def measure(dataset, task, kinds=(), progress=lambda stage, done, total: None, engine=None):
    """Measure every recording of a dataset that can be decoded, and find the copies among them.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The dataset.
    task : coughlab.task.Task
        What is to be found: the column ``positive`` of the table says where it is.
    kinds : iterable of str
        Which inputs are wanted beside the features: keys of `coughlab.features.inputs.INPUTS`.
    progress, engine
        As in `run`.

    Returns
    -------
    Measured
        The feature table, and the inputs of the classifiers. ``audio`` of the table numbers the groups of rows that hold the same
        audio; ``person`` is one where the same audio stands under two people's names.
    """
    engine = engine or Engine()
    surveyed = survey.run(dataset, progress, engine=engine)
    usable = np.flatnonzero(surveyed["status"] == "ok")
    audio_of = duplicates.find(surveyed)["audio"].iloc[usable].reset_index(drop=True)
    table = dataset.table.iloc[usable].reset_index(drop=True)
    table["person"] = duplicates.people(table["person"], audio_of)
    facts = surveyed[FACTS].iloc[usable].reset_index(drop=True)
    inputs = _inputs(table["path"].tolist(), sorted({"features", *kinds}), progress, engine)
    measured = pd.DataFrame(inputs["features"], columns=list(acoustic.NAMES))
    table.insert(table.columns.get_loc("label") + 1, "positive", task.is_positive(table["label"]))
    columns = [table.drop(columns="path"), audio_of.rename("audio"), facts, measured]
    return Measured(pd.concat(columns, axis=1), inputs, len(surveyed) - len(usable))


def _inputs(paths, kinds, progress, engine):
    """For every kind of input, one item a path."""
    inputs, done, size = {kind: [None] * len(paths) for kind in kinds}, 0, engine.together
    progress("Measuring recordings", 0, len(paths))
    for number, measured in engine.map(
        _measured_inputs,
        range(-(-len(paths) // size)),
        lambda number: (
            kinds,
            [Path(path).absolute() for path in paths[number * size : (number + 1) * size]],
        ),
    ):
        for row, one in enumerate(measured, start=number * size):
            done += 1
            progress("Measuring recordings", done, len(paths))
            for kind in kinds:
                inputs[kind][row] = one[kind]
    return inputs


def _measured_inputs(task):
    kinds, paths = task
    recordings = (audio.load(path, survey.LIMITS) for path in paths)
    return [{kind: INPUTS[kind](recording) for kind in kinds} for recording in recordings]


def _chosen(models, defined):
    known = defined.classifiers
    models = list(known if models is None else models)
    if unknown := [name for name in models if name not in known]:
        raise StudyError(f"There is no model called {', '.join(unknown)}. Known: {', '.join(known)}.")
    return [CLASSIFIERS[name] for name in known if name in models]


def _measured(dataset, task, kinds, progress, engine=None):
    measured = measure(dataset, task, kinds, progress, engine)
    kept = measured.table.iloc[splits.clean(measured.table)]
    positives = int(kept["positive"].sum())
    if min(positives, len(kept) - positives) < 4:
        raise StudyError(
            "The dataset has fewer than 4 recordings of a class that can be used, too few to be split into train and test."
        )
    return measured
