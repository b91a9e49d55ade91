"""A study: a dataset with everything trained and measured on it, written to ``models/<study>/``.

A study grows: what is trained is added to what is there, so that any of its models can be trained alone, and a run that was
stopped goes on where it was.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from coughlab import audio, datasets
from coughlab.classifiers import CLASSIFIERS, search
from coughlab.datasets import LABELS, duplicates, survey
from coughlab.evaluation import splits
from coughlab.features import acoustic
from coughlab.features.inputs import INPUTS
from coughlab.studies import store
from coughlab.studies.ledger import DifferentDataError, Ledger
from coughlab.studies.training import SAVE_EVERY_S, Training
from coughlab.system import files
from coughlab.system.parallel import Engine

#: What the feature table says of a file.
FACTS = ["container", "codec", "sample_rate", "channels", "bit_depth", "duration_s"]


@dataclass(frozen=True)
class Plan:
    """What a study of a dataset is made of.

    Attributes
    ----------
    protocols : tuple of str
        How its rows are dealt: keys of `coughlab.evaluation.splits.PROTOCOLS`.
    external : tuple of str
        Names of the datasets that the models that answer are tested on.
    without : tuple of str
        Classifiers that are left out because they take long to train on it.
    epochs, splits : dict of str to int
        Passes over the training rows, and splits of each protocol, where not the classifier's own.
    """

    protocols: tuple
    external: tuple
    without: tuple = ()
    epochs: dict = field(default_factory=dict)
    splits: dict = field(default_factory=dict)


#: Studies by name, which is also the name of the dataset.
STUDIES = {
    "kaggle-trial": Plan(
        ("published", "deduplicated", "person-disjoint"), external=("covid19-cough", "coswara-sample")
    ),
    # Six times as many rows: fewer passes make as many steps. The dataset does not say who coughed.
    "covid19-cough": Plan(
        ("published", "deduplicated", "source-balanced"),
        external=("kaggle-trial", "coswara-sample"),
        without=("cnn1", "cnn2"),
        epochs={"cnn": 10},
        splits={c.name: 50 for c in CLASSIFIERS.values()} | {"mlp": 10, "hyperopt": 3, "cnn": 3},
    ),
}


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
        """1 where the label is covid, else 0: shape (n,), int."""
        return self.table["label"].map(LABELS.index).to_numpy()


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
        A key of `STUDIES`, which is also the name of its dataset.
    data : path-like
        The dataset's folder.
    models : iterable of str, optional
        Names of the classifiers; all of the study's plan unless told.
    protocols : iterable of str, optional
        How the rows are dealt, some of the plan's protocols; all of them unless told.
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
        If the study or a classifier is unknown, or the dataset is too small to be dealt.
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
    plan = _plan(name)
    chosen, folder = _chosen(models, plan), Path(folder) / name
    protocols = plan.protocols if protocols is None else protocols
    if unknown := [protocol for protocol in protocols if protocol not in plan.protocols]:
        raise StudyError(
            f"The study has no protocol called {', '.join(unknown)}. Known: {', '.join(plan.protocols)}."
        )
    dataset = datasets.load(name, data)
    for classifier in chosen:
        if classifier.ready:
            classifier.ready()
    files.check(folder.parent)
    store.tidy(folder)
    files.check_clock()
    kinds = {c.input for c in chosen}
    measured = _measured(dataset, kinds, progress, engine)
    tested_on = {
        other: measure(datasets.load(other, path), kinds, progress, engine)
        for other, path in (find_others(name) if others is None else others).items()
        if path
    }
    everything = len(chosen) == len(CLASSIFIERS) - len(plan.without)
    try:
        ledger = Ledger(folder, measured, seed, anew=again and everything)
    except DifferentDataError:
        if not everything:
            raise
        ledger = Ledger(folder, measured, seed, anew=True)
    for classifier in chosen:
        own = plan.epochs.get(classifier.name, classifier.epochs)
        recipe = {"seed": seed, "epochs": epochs if own and epochs else own}
        training = Training(classifier, recipe, measured, tested_on, ledger, progress, engine)
        training.run(protocols, n_splits or plan.splits.get(classifier.name), again=again)
    return folder


def find_others(name, root=None):
    """The datasets that a study's models are tested on, as far as they are on this machine.

    Parameters
    ----------
    name : str
        A key of `STUDIES`.
    root : path-like, optional
        The folder that holds them, under their names; the one that COUGHLAB_DATA names unless told.

    Returns
    -------
    dict of str to pathlib.Path or None
        Their folders; None where there is none.

    Raises
    ------
    StudyError
        If the study is unknown.
    """
    if root is None:
        return {other: datasets.folder(other) for other in _plan(name).external}
    paths = {other: Path(root, other) for other in _plan(name).external}
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
    plan, folder = _plan(name), Path(folder) / name
    dataset = datasets.load(name, data)
    files.check(folder.parent)
    store.tidy(folder)
    measured = _measured(dataset, (), progress)
    ledger = Ledger(folder, measured, seed)
    if ledger.stored is None:
        raise StudyError(
            f"There is no study {name} in {folder.parent} to save the trials in. Train a model first."
        )
    train, _ = splits.PROTOCOLS[plan.protocols[0]](measured.table, n_splits=1, seed=seed)[0]
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


def measure(dataset, kinds=(), progress=lambda stage, done, total: None, engine=None):
    """Measure every recording of a dataset that can be decoded, and find the copies among them.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The dataset.
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


def _plan(name):
    if name not in STUDIES:
        raise StudyError(f"There is no study called {name!r}. Known: {', '.join(STUDIES)}.")
    return STUDIES[name]


def _chosen(models, plan):
    known = [name for name in CLASSIFIERS if name not in plan.without]
    models = list(known if models is None else models)
    if unknown := [name for name in models if name not in known]:
        raise StudyError(f"There is no model called {', '.join(unknown)}. Known: {', '.join(known)}.")
    return [CLASSIFIERS[name] for name in known if name in models]


def _measured(dataset, kinds, progress, engine=None):
    measured = measure(dataset, kinds, progress, engine)
    kept = measured.table.iloc[splits.clean(measured.table)]
    if kept["label"].value_counts().reindex(LABELS, fill_value=0).min() < 4:
        raise StudyError(
            "The dataset has fewer than 4 recordings of a class that can be used, too few to be dealt into train and test."
        )
    return measured
