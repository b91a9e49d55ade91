"""Trains the detector, measures it on people and collections that it was not trained on, and saves the results."""

import io
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr

from coughlab import __version__, audio
from coughlab.audio import Recording
from coughlab.datasets import survey
from coughlab.detector import frames
from coughlab.detector.detect import MODEL, Detector
from coughlab.detector.training import card, corpus, measures, network, scenes
from coughlab.features.levels import HOP_S, background_db, levels
from coughlab.studies import store
from coughlab.studies.writer import replacing
from coughlab.system import parallel, resources
from coughlab.system.files import check, check_clock
from coughlab.system.progress import Progress, silent

#: Scenes to train on, passes over them, and the number of training scenes per test scene and fold.
SCENES, EPOCHS, TRAINED_A_TESTED = 16_000, 11, 40
#: With fewer scenes, some models would lack scenes of a kind that they need.
LEAST_SCENES = 100
#: Number of folds that are tested, each with a model trained without it; limited by the duration of a fit.
TESTED_FOLDS = 2
#: Background sounds for coughs at known times.
GROUNDS = ("quiet", "speech", "breathing", "other")
#: Collections that are left out of a training, to test on an unknown collection.
KEPT_AWAY = ("coswara-sample",)
#: Highest share of false positives, on people who were not trained on; sets the threshold.
FALSE_SHARE = 0.02
#: Rate, container and codec; the detector is also measured on every recording after this coding.
CHAINS = {"GSM telephone": (8000, "WAV", "GSM610"), "narrow MP3": (8000, "MP3", "MPEG_LAYER_III")}
#: The background of a recording: frames up to this level above its quietest tenth, in dB; its minimum length, in seconds; and the
#: peak to which it is amplified.
BACKGROUND_DB, LEAST_S, PEAK = 6.0, 1.0, 0.3


class TrainingError(RuntimeError):
    """The detector was not trained; the message says why."""


@dataclass(frozen=True)
class Split:
    """One model's training and test data: masks of scenes and of recordings."""

    protocol: str
    number: int
    train: np.ndarray
    test: np.ndarray


def splits(listed: pd.DataFrame, made: scenes.Scenes) -> list[Split]:
    """Every split of the recordings of `corpus.table` and of their scenes: by person, and by collection.

    No person is in both training and test data.
    """
    by_people = [
        Split("person-disjoint", fold, made.fold != fold, (listed["fold"] == fold).to_numpy())
        for fold in range(TESTED_FOLDS)
    ]
    by_collection = []
    for split, name in enumerate(KEPT_AWAY):
        train = np.array([name not in used for used in made.collections])
        others = set(listed.loc[listed["collection"] != name, "person"])
        test = (listed["collection"] == name) & ~listed["person"].isin(others)
        by_collection.append(Split("external", split, train, test.to_numpy()))
    return by_people + by_collection


def train(
    folder: Path,
    *,
    studies: Path | None = None,
    seed: int = 0,
    n_scenes: int = SCENES,
    epochs: int = EPOCHS,
    progress: Progress = silent,
) -> Path:
    """Train the detector, measure it, write ``models/detector/``, and return that folder.

    Parameters
    ----------
    folder
        The folder that has the folders of `loaders.COLLECTIONS`.
    studies
        Folder of the studies, `coughlab.studies.store.MODELS` unless given.
    n_scenes, epochs
        Number of scenes, at least `LEAST_SCENES`, and passes over them.

    Raises
    ------
    coughlab.datasets.DatasetError
        If a collection is missing.
    TrainingError
        If there are too few scenes, or a training fails or is killed.
    OSError
        If the detector cannot be written; checked before the training as far as possible.
    """
    if n_scenes < LEAST_SCENES:
        raise TrainingError(f"{n_scenes} scenes are too few: at least {LEAST_SCENES} are needed.")
    check(Path(studies or store.MODELS))
    check_clock()
    resources.use_one_thread()
    listed = corpus.table(folder, progress)
    sounds = corpus.load_all(listed, progress)
    made = scenes.make(listed, sounds, n_scenes, seed=seed, progress=progress)
    every = splits(listed, made)
    (files, parameters), *done = _in_parallel(
        [partial(_fit_on_all, made, seed, epochs)]
        + [
            partial(
                _fit_and_ask,
                split,
                listed[split.test],
                scenes.Maker(listed, sounds, split.number),
                made,
                seed,
                epochs,
            )
            for split in every
        ],
        progress,
    )
    return write(
        Path(studies or store.MODELS) / store.DETECTOR,
        files,
        listed,
        pd.concat([asked for asked, _ in done], ignore_index=True),
        pd.concat([events for _, events in done if events is not None], ignore_index=True),
        {"seed": seed, "epochs": epochs, "scenes": n_scenes, "parameters": parameters},
    )


def _fit_and_ask(split, listed, maker, made, seed, epochs, progress):
    model = network.fit(made[split.train], seed=seed, epochs=epochs, progress=progress)
    detector = Detector(network.export(model)[MODEL], threshold=0.5)
    asked = ask(detector, listed, split, seed)
    if split.protocol != "person-disjoint":
        return asked, None
    n_tested = len(made) // TRAINED_A_TESTED
    return asked, look_for_coughs(detector, maker, split.number, n_tested, seed)


def _fit_on_all(made, seed, epochs, progress):
    model = network.fit(made, seed=seed, epochs=epochs, progress=progress)
    return network.export(model), model.count_params()


def _in_parallel(jobs, progress):
    """Results of the jobs, in order; each job gets a function that reports its progress.

    Each fit runs in one thread, so that its sums have the same order on every machine.
    """
    with tempfile.TemporaryDirectory() as folder, parallel.start(min(resources.cores(), len(jobs))) as engine:
        # An array in a file, which joblib lets the workers write to.
        shares = np.memmap(Path(folder, "shares"), np.float64, "w+", shape=len(jobs))
        numbers = range(len(jobs))
        try:
            with _shown(shares, progress):
                done = dict(engine.map(_run, numbers, lambda number: (jobs[number], shares, number)))
        except parallel.EngineError as error:
            raise TrainingError("A training was killed, perhaps for want of memory.") from error
        except Exception as error:
            raise TrainingError(f"A training ended by {error!r}.") from error
    return [done[number] for number in numbers]


def _run(task):
    job, shares, number = task
    return job(partial(shares.__setitem__, number))


@contextmanager
def _shown(shares, progress):
    """Show the progress of all jobs, twice a second."""
    ended = threading.Event()

    def show():
        while not ended.wait(0.5):
            progress("Training and testing", round(100 * shares.sum()), 100 * len(shares))

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def ask(detector: Detector, listed: pd.DataFrame, split: Split, seed: int) -> pd.DataFrame:
    """Run a detector on recordings: as recorded, through other recording chains, and on the background alone.

    The detector was trained without the people in the rows `listed` of `corpus.table`. Returns one row per recording and chain,
    with the columns of `measures.COLUMNS`.
    """
    rows = []
    for row in listed.to_dict("records"):
        recording = audio.load(row["path"], survey.LIMITS)
        versions: dict[str, audio.Recording | None] = {"as recorded": recording}
        versions |= {name: through(recording, *chain) for name, chain in CHAINS.items()}
        versions["background alone"] = background(recording)
        for chain, version in versions.items():
            if version is not None:
                label = "cough" if row["kind"] == "cough" and chain != "background alone" else "other"
                probability = detector.detect(version).probability
                about = [row[name] for name in ("collection", "recording", "person", "kind")]
                rows.append((split.protocol, split.number, *about, chain, label, probability, seed))
    return pd.DataFrame(rows, columns=measures.COLUMNS)


def through(recording: Recording, rate: int, container: str, codec: str) -> Recording:
    """A recording after coding at another sample rate."""
    buffer = io.BytesIO()
    low = soxr.resample(recording.samples, recording.rate, rate)
    soundfile.write(buffer, low / max(1, np.abs(low).max()), rate, format=container, subtype=codec)
    buffer.seek(0)
    return replace(recording, samples=soundfile.read(buffer, dtype="float32")[0], rate=rate)


def background(recording: Recording) -> Recording | None:
    """The quietest parts of a recording, amplified: the recording chain without a cough. None if they are too short or silent."""
    db = levels(recording)
    quiet = np.flatnonzero(db <= background_db(db) + BACKGROUND_DB)
    at = np.minimum((np.arange(recording.samples.size) / recording.rate / HOP_S).astype(int), db.size - 1)
    samples = recording.samples[np.isin(at, quiet)]
    if samples.size < LEAST_S * recording.rate or audio.is_silent(samples):
        return None
    return replace(recording, samples=PEAK * samples / np.abs(samples).max())


def look_for_coughs(detector: Detector, maker: scenes.Maker, fold: int, n: int, seed: int) -> pd.DataFrame:
    """Run a detector on single coughs at known times in other sounds, of people that it was not trained on.

    The `maker` makes `n` scenes of the fold that the detector was not trained on. Returns one row per scene and moment of 40 ms:
    ``scene``, ``fold``, ``ground`` (the background sound), ``cough`` (whether there is one) and ``probability``.
    """
    tables = []
    for number in range(n):
        rng, ground = np.random.default_rng((seed, fold, number)), GROUNDS[number % len(GROUNDS)]
        sound, there = maker.coughs_in(ground, rng)
        moments = detector.moments((0.5 * sound.samples).astype(np.float32), frames.RATE)
        tables.append(
            pd.DataFrame(
                {
                    "scene": fold * n + number,
                    "ground": ground,
                    "cough": there,
                    "probability": moments[: there.size, 0].round(4),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def write(
    folder: Path,
    files: dict[str, bytes],
    listed: pd.DataFrame,
    asked: pd.DataFrame,
    events: pd.DataFrame,
    how: dict,
) -> Path:
    """Write the detector with its tables and its card into ``models/detector``.

    The files are those of `network.export`, the tables those of `corpus.table`, `ask` and `look_for_coughs`; `how` has the seed
    and the size of the training.
    """
    threshold = measures.threshold(asked, FALSE_SHARE)
    entry = {
        "title": "Cough detector",
        "summary": card.SUMMARY,
        "serve": MODEL,
        "large": {},
        "threshold": threshold,
        "parameters": how["parameters"],
    }
    with replacing(folder) as writer:
        for name, data in files.items():
            writer.write(name, data)
        writer.write_table(store.PREDICTIONS, asked)
        writer.write_table(measures.EVENTS, events)
        writer.manifest |= {
            "study": store.DETECTOR,
            "version": __version__,
            "recordings": len(listed),
            "people": int(listed["person"].nunique()),
            "models": {store.DETECTOR: entry},
            **how,
        }
        writer.write("README.md", card.write(writer.manifest, listed, asked, events).encode())
    return folder
