"""Runs a study: trains and measures models on a dataset, and writes them to ``models/<study>/``.

New results are added to the stored ones, so that each model can be trained alone, and a stopped run can be continued.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from coughlab import datasets
from coughlab.classifiers import CLASSIFIERS, search
from coughlab.evaluation import splits
from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.features import acoustic
from coughlab.studies import definition, store, writer
from coughlab.studies.definition import Definition, DefinitionError
from coughlab.studies.ledger import DifferentDataError, Ledger
from coughlab.studies.measured import measure
from coughlab.studies.training import SAVE_EVERY_S, Training
from coughlab.system import files
from coughlab.system.parallel import Engine
from coughlab.system.progress import Progress, silent
from coughlab.task import Task
from coughlab.text import listed


class StudyError(ValueError):
    """A study cannot be run; the message says why."""


@dataclass(frozen=True)
class Selection:
    """The part of a study that is trained, and how."""

    #: Names of classifiers and of protocols; None for all of the study.
    models: Iterable[str] | None = None
    protocols: Iterable[str] | None = None
    #: Splits of each protocol, instead of each classifier's default.
    n_splits: int | None = None
    #: Passes over the training rows of every neural network, instead of its default.
    epochs: int | None = None
    #: Train again even if results are stored.
    again: bool = False


def run(
    name: str,
    data: Path,
    selected: Selection = Selection(),
    *,
    others: Mapping[str, Path | None] | None = None,
    folder: Path = store.MODELS,
    seed: int = 0,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> Path:
    """Read a dataset, train and measure classifiers on it, and add the results to the stored study. Returns the study's folder.

    Stored results are not trained again, except with another seed or number of epochs. The study is saved every half minute and
    at the end of the run, even after an error.

    Parameters
    ----------
    name : str
        Name of a study that is defined in `folder` or among the stored studies.
    data : path-like
        The dataset's folder.
    others : dict of str to path-like or None, optional
        The folders of the test datasets, by name: those of `find_others` by default. With None, the models are not tested on that
        dataset.
    folder : path-like
        Folder of the studies.
    seed : int
        Seed of the splits and the fits: the saved model is fitted with `seed`, the model of split k with ``seed + 1 + k``.
    engine : coughlab.system.parallel.Engine, optional
        Where recordings are measured and classifiers are fitted on the splits, if `coughlab.studies.training.Training`
        distributes the fits; this process by default. The study is the same, except for the durations of the fits.

    Raises
    ------
    StudyError
        If the study or a classifier is unknown, the dataset is too small to be split, or a dataset has other labels.
    coughlab.studies.ledger.DifferentDataError
        If the stored study was trained on another dataset or with another seed.
    coughlab.datasets.DatasetError
        If the dataset cannot be read.
    coughlab.system.parallel.EngineError
        If the engine fails.
    coughlab.classifiers.base.NotReadyError
        If this machine lacks something that a classifier needs.
    coughlab.studies.store.StoreError
        If the stored study is damaged and is not trained again.
    OSError
        If the study cannot be written; checked before the measurements as far as possible.
    """
    defined, folder = defined_as(name, folder), Path(folder) / name
    chosen = [CLASSIFIERS[one] for one in _chosen("model", selected.models, defined.classifiers)]
    protocols = _chosen("protocol", selected.protocols, defined.protocols)
    dataset = load_dataset(defined.dataset, data, defined.task)
    paths = find_others(name, folders=folder.parent) if others is None else others
    external = {
        other: load_dataset(other, path, defined.task, trained=False) for other, path in paths.items() if path
    }
    for classifier in chosen:
        if classifier.ready:
            classifier.ready()
    files.check(folder.parent)
    writer.tidy(folder)
    files.check_clock()
    kinds = {c.input for c in chosen}
    measured = _measured(dataset, defined.task, kinds, progress, engine)
    tested_on = {
        other: measure(one, defined.task, kinds, progress, engine) for other, one in external.items()
    }
    everything = len(chosen) == len(defined.classifiers)
    try:
        ledger = Ledger(folder, defined, measured, seed, anew=selected.again and everything)
    except DifferentDataError:
        if not everything:
            raise
        ledger = Ledger(folder, defined, measured, seed, anew=True)
    for classifier in chosen:
        own = defined.epochs.get(classifier.name, classifier.epochs)
        recipe = {"seed": seed, "epochs": selected.epochs if own and selected.epochs else own}
        training = Training(classifier, recipe, measured, tested_on, ledger, progress, engine)
        n_splits = selected.n_splits or defined.splits.get(classifier.name)
        training.run(protocols, n_splits, again=selected.again)
    return folder


def defined_as(name: str, folder: Path = store.MODELS) -> Definition:
    """The definition of a study in a folder of studies or in `store.MODELS`; `StudyError` if there is no valid one."""
    path = definition.find(name, folder, store.MODELS)
    if path is None:
        known = ", ".join(definition.names(folder, store.MODELS))
        raise StudyError(f"There is no study called {name!r}. Known: {known}.")
    try:
        return definition.read(path)
    except DefinitionError as error:
        raise StudyError(str(error)) from error


def find_others(name: str, root: Path | None = None, folders: Path = store.MODELS) -> dict[str, Path | None]:
    """The folders of a study's test datasets; None for a dataset that is not on this machine.

    The datasets are in `root` under their names, or in COUGHLAB_DATA. `StudyError` if the study is unknown.
    """
    external = defined_as(name, folders).external
    if root is None:
        return {other: datasets.folder(other) for other in external}
    paths = {other: Path(root, other) for other in external}
    return {other: path if path.is_dir() else None for other, path in paths.items()}


def search_pipelines(
    name: str,
    data: Path,
    *,
    n_trials: int = search.TRIALS,
    folder: Path = store.MODELS,
    seed: int = 0,
    again: bool = False,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Search for the best classical pipeline inside the training rows of the first split, and save the trials in the study.

    With the default number of trials this is the search of the classifier ``hyperopt`` on that split. At the end the study has
    `n_trials` trials of `coughlab.classifiers.search.run`; without `again`, earlier ones are kept. Raises the errors of `run`.
    """
    defined, folder = defined_as(name, folder), Path(folder) / name
    dataset = load_dataset(defined.dataset, data, defined.task)
    files.check(folder.parent)
    writer.tidy(folder)
    measured = _measured(dataset, defined.task, (), progress)
    ledger = Ledger(folder, defined, measured, seed)
    if ledger.stored is None:
        raise StudyError(
            f"There is no study {name} in {folder.parent} to save the trials in. Train a model first."
        )
    split = PROTOCOLS[defined.protocols[0]].split
    assert split  # a study is split by its protocols
    train, _ = split(measured.table, n_splits=1, seed=seed)[0]
    earlier = None if again or ledger.stored.trials.empty else ledger.stored.trials
    X = measured.table[list(acoustic.NAMES)].to_numpy()[train]
    trials, saved = earlier, time.monotonic()
    try:
        for trials in search.run(X, measured.labels[train], seed=seed + 1, n_trials=n_trials, trials=earlier):
            progress("Searching", len(trials), n_trials)
            if time.monotonic() - saved > SAVE_EVERY_S:
                ledger.add(trials=trials)
                saved = time.monotonic()
    finally:
        if trials is not None:
            ledger.add(trials=trials)
    return trials


def _chosen(what, names, known):
    """The requested names, in the order of the known ones; None for all."""
    names = list(known if names is None else names)
    if unknown := [name for name in names if name not in known]:
        start = "There is" if what == "model" else "The study has"
        raise StudyError(f"{start} no {what} called {', '.join(unknown)}. Known: {', '.join(known)}.")
    return [name for name in known if name in names]


def load_dataset(name: str, folder: Path, task: Task, *, trained: bool = True) -> datasets.Dataset:
    """Read a dataset; `StudyError` if its labels are not those of the task, so that recordings would count in the wrong class.

    A dataset to test on may have only the negative label.
    """
    dataset = datasets.load(name, folder)
    found = set(dataset.table["label"])
    further = found - set(task.labels)
    similar = [
        label for label in further if task.positive.casefold() in re.split(r"[\W_]+", label.casefold())
    ]
    if task.positive in found and not similar:
        return dataset
    if found == {task.negative} and not trained:
        return dataset
    problem = f"no label “{task.positive}”, but {_quoted(found)}"
    if task.positive in found:
        problem = f"besides the label “{task.positive}” also {_quoted(similar)}, which may be either class"
    raise StudyError(
        f"The dataset {name} has {problem}. The classes of the study are “{task.positive}” and “{task.negative}”: name the"
        f" dataset's labels so, or change [task] in {definition.FILE}. How the dataset was read: {dataset.read_as}"
    )


def _quoted(labels: Iterable[str]) -> str:
    return listed([f"“{label}”" for label in sorted(labels)])


def _measured(dataset, task, kinds, progress, engine=None):
    measured = measure(dataset, task, kinds, progress, engine)
    kept = measured.table.iloc[splits.clean(measured.table)]
    positives = int(kept["positive"].sum())
    if min(positives, len(kept) - positives) < 4:
        raise StudyError(
            "The dataset has fewer than 4 recordings of a class that can be used, too few to be split into train and test."
        )
    return measured
