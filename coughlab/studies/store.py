"""Reads and writes ``models/<study>/``: whole or not at all, every file checked against its SHA-256, nothing unpickled.

The manifest is a JSON file that lists every other file with its hash, and has the hash of what it says itself. A study is
written into a folder aside and takes the old one's place by renaming when all of it is on the disk, so that a run that is
interrupted, or a loss of power, leaves the previous study as it was.

Models too large for the repository lie beside the studies in ``models/large/<study>/``, which git ignores. The manifest has
their hashes; where such a file is absent, or of another fit, the model does not answer. One that was just fitted lies aside
until the study whose manifest knows it is in its place.
"""

import hashlib
import io
import json
import shutil
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from coughlab import config
from coughlab.studies.definition import FILE, Definition, DefinitionError, from_dict
from coughlab.system import files
from coughlab.task import Task

MANIFEST = "manifest.json"
FEATURES = "features.parquet"
PREDICTIONS = "predictions.parquet"
FITS = "fits.parquet"
TRIALS = "trials.parquet"
EVIDENCE = "evidence.parquet"
#: What pages and answers would otherwise compute from the tables above each time that a server starts.
METRICS, SCORES, KNOWN, NOVELTY = "metrics.parquet", "scores.parquet", "known.json", "novelty.npz"
LARGE = "large"
#: The cough detector's folder: stored as a study is, but none to look at.
DETECTOR = "detector"
#: Where studies lie unless COUGHLAB_MODELS says otherwise.
MODELS = Path(config.value("COUGHLAB_MODELS") or Path(__file__).parents[2] / "models")


class StoreError(RuntimeError):
    """A study is missing, incomplete or changed; the message names the file and says what to do."""


def exists(folder):
    """Whether there is a study in a folder, whole or damaged."""
    folder = Path(folder)
    # Where there is nothing but the definition, nothing was saved yet.
    saved = any(path.name != FILE for path in folder.glob("*"))
    return saved or _previous(folder).exists()


def names(folder=None):
    """Names of the studies in a folder, `MODELS` unless told, in alphabetical order (list of str)."""
    found = {path.parent.name for path in Path(folder or MODELS).glob(f"[!.]*/{MANIFEST}")}
    return sorted(found - {DETECTOR})


def state(path):
    """What tells a file from any other that lies or lay there; cheap, as nothing is read.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple of int or None
        None where there is none. Number, size and both times: numbers are given anew, and times go back with the clock.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def command(name):
    """What rebuilds a study, or the detector: the command line after ``coughlab`` (str)."""
    return f"study run {name} --data DIR --again" if name != DETECTOR else "detector train --data DIR"


class StoredStudy:
    """A study on disk.

    Parameters
    ----------
    folder : path-like
        ``models/<study>``.

    Attributes
    ----------
    name : str
        Name of the study.
    manifest : dict
        What was done, with which seed.
    models : dict of str to dict
        The manifest's entry of each model.
    thresholds : dict of str to float
        Threshold of each model.
    hashes, large_hashes : dict of str to str
        SHA-256 of each file in the folder but the manifest, and of each large one.

    Raises
    ------
    StoreError
        If there is no study, or its manifest cannot be read or was changed.
    """

    def __init__(self, folder):
        folder = Path(folder)
        self.name = folder.name
        # While a swap is under way, or after one was killed, the previous study is the one there is.
        self.folder = folder if folder.exists() or not _previous(folder).exists() else _previous(folder)
        try:
            self.manifest = json.loads((self.folder / MANIFEST).read_bytes())
            changed = self.manifest.pop("sha256") != _hash_of(self.manifest)
            self.models = self.manifest["models"]
            self.thresholds = {name: model["threshold"] for name, model in self.models.items()}
            self._serve = {name: model["serve"] for name, model in self.models.items()}
            self.large_hashes = {
                file: hash for model in self.models.values() for file, hash in model["large"].items()
            }
            self.hashes = {name: file["sha256"] for name, file in self.manifest["files"].items()}
        except FileNotFoundError as error:
            raise StoreError(
                f"There is no study {self.name!r} in {self.folder.parent}. {self.remedy}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{self.name}/{MANIFEST} cannot be read. {self.remedy}") from error
        if changed:
            raise StoreError(f"{self.name}/{MANIFEST} was changed after it was written. {self.remedy}")

    @cached_property
    def definition(self) -> Definition:
        """What the study is made of.

        Raises
        ------
        StoreError
            If an earlier version saved it, which did not write that down.
        """
        try:
            return from_dict(self.manifest["definition"])
        except (KeyError, DefinitionError) as error:
            raise StoreError(
                f"{self.name}/{MANIFEST} was saved by an earlier version. Bring it up to date with"
                f" 'coughlab study convert {self.name}'."
            ) from error

    @property
    def task(self) -> Task:
        """What is to be found."""
        return self.definition.task

    @property
    def main_model(self) -> str:
        """The classifier whose label is the label of an answer."""
        return self.definition.main_model

    @property
    def remedy(self):
        """What to do where a file is missing or was changed (str)."""
        return f"Restore the folder, or rebuild it with 'coughlab {command(self.name)}'."

    def read(self, name):
        """The bytes of one file of the study, if they are those it was saved with.

        Parameters
        ----------
        name : str
            File name inside the study's folder.

        Returns
        -------
        bytes
            The file.

        Raises
        ------
        StoreError
            If the file is unlisted, missing, unreadable or changed.
        """
        if name not in self.hashes:
            raise StoreError(f"{self.name}/{name} does not belong to the study. {self.remedy}")
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise StoreError(f"{self.name}/{name} is missing or cannot be read. {self.remedy}") from error
        if hashlib.sha256(data).hexdigest() != self.hashes[name]:
            raise StoreError(f"{self.name}/{name} was changed after the study was saved. {self.remedy}")
        return data

    def large(self, name):
        """Where one of the study's large files is.

        Parameters
        ----------
        name : str
            File name.

        Returns
        -------
        pathlib.Path or None
            None where there is no such file, or it is not the one the study was saved with.
        """
        if (expected := self.large_hashes.get(name)) is None:
            return None
        candidates = large_paths(self.folder.with_name(self.name), name)
        return next((path for path in candidates if path.is_file() and _hash(path) == expected), None)

    @cached_property
    def served(self):
        """The models that can answer here: a dict of name to the content of the serving file, or its path if it is large."""
        served = {}
        for name, file in self._serve.items():
            if file in self.models[name]["large"]:
                if path := self.large(file):
                    served[name] = path
            elif file:
                served[name] = self.read(file)
        return served

    @cached_property
    def features(self):
        """The feature table, one row a recording of the dataset (pandas.DataFrame)."""
        return self.table(FEATURES)

    @cached_property
    def predictions(self):
        """The predictions table (pandas.DataFrame), its words as categories."""
        return self._in_categories(PREDICTIONS)

    @cached_property
    def fits(self):
        """What each fit took: a pandas.DataFrame with one row for each model, protocol and split."""
        return self.table(FITS)

    @cached_property
    def trials(self):
        """The trials of the search, an empty pandas.DataFrame where there was none."""
        import pandas as pd

        return self.table(TRIALS) if TRIALS in self.hashes else pd.DataFrame()

    @cached_property
    def metrics(self):
        """What each model scored on each split, as `coughlab.evaluation.scoring.per_split` computes it."""
        from coughlab.evaluation import scoring

        if METRICS in self.hashes:
            return self._in_categories(METRICS)
        return scoring.per_split(self.predictions, self.thresholds)

    @cached_property
    def scores(self):
        """What each model scored, as `coughlab.evaluation.scoring.scores` computes it from the predictions table."""
        from coughlab.evaluation import scoring

        if SCORES in self.hashes:
            return self.table(SCORES)
        return scoring.scores(self.predictions, self.thresholds)

    @cached_property
    def evidence(self):
        """What is known of each model with its interval, as `coughlab.evaluation.bootstrap.table` computes it.

        A pandas.DataFrame, empty in a study that was saved without it.
        """
        from coughlab.evaluation import bootstrap

        if EVIDENCE in self.hashes:
            return self.table(EVIDENCE)
        return bootstrap.table(self.predictions.iloc[:0], self.thresholds)

    @cached_property
    def known(self):
        """What is known of each model that can answer, as `coughlab.evidence.verdict.known` finds it, by name."""
        from coughlab.evidence import verdict

        kept = verdict.load(self.read(KNOWN)) if KNOWN in self.hashes else {}
        return {name: kept[name] if name in kept else verdict.known(self, name) for name in self.served}

    @cached_property
    def novelty(self):
        """What a recording is compared with (coughlab.evaluation.novelty.Reference)."""
        from coughlab.evaluation.novelty import Reference

        if NOVELTY in self.hashes:
            return Reference.load(self.read(NOVELTY), self.name)
        return Reference(self.features, self.name)

    def table(self, name):
        """One of the study's tables, as it was written (pandas.DataFrame)."""
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.read(name)))

    def _in_categories(self, name):
        """A table with its words as categories. As words they would take a hundred times the memory for a moment."""
        import pyarrow as pa
        import pyarrow.parquet

        data = io.BytesIO(self.read(name))
        schema = pa.parquet.read_schema(data)
        words = [field.name for field in schema if not pa.types.is_primitive(field.type)]
        table = pa.parquet.read_table(data, read_dictionary=words).replace_schema_metadata(None).to_pandas()
        ordered = {
            word: table[word].cat.reorder_categories(sorted(table[word].cat.categories)) for word in words
        }
        return table.assign(**ordered)


@contextmanager
def replacing(folder):
    """Write a study aside and put it in the place of the previous one when all of it is there.

    Parameters
    ----------
    folder : path-like
        ``models/<study>``, which may exist.

    Yields
    ------
    StudyWriter
        What to write with. If the block ends by an exception, Ctrl-C and a full disk among them, `folder` stays as it was.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # One process at a time: what two runs add to a study must not be lost.
    with files.locked_folder(folder.parent):
        _clear(folder)
        aside = _aside(folder)
        try:
            aside.mkdir(exist_ok=True)
            writer = StudyWriter(aside)
            yield writer
            writer.finish()
            _swap(aside, folder)
            _put_large(folder, writer.manifest)
        finally:
            _remove(aside)


def tidy(folder):
    """Clear what a run that was killed has left beside a study.

    Parameters
    ----------
    folder : path-like
        ``models/<study>``, which need not exist.

    Raises
    ------
    OSError
        If the study was being replaced and cannot be put back.
    """
    folder = Path(folder)
    if _aside(folder).exists() or _previous(folder).exists():
        with files.locked_folder(folder.parent):
            _clear(folder)


def write_large(folder, name, data):
    """Write a file that is too large for the repository; it takes its place with the study whose manifest has its hash.

    Parameters
    ----------
    folder : path-like
        ``models/<study>``.
    name : str
        File name.
    data : bytes
        Its content.

    Returns
    -------
    str
        Its SHA-256, for the manifest.
    """
    _, aside = large_paths(folder, name)
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Half of it does no harm: its hash is no manifest's.
        _write(aside, data)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return hashlib.sha256(data).hexdigest()


def _put_large(folder, manifest):
    """Put the large files of a study in the place of those of earlier fits."""
    for model in manifest.get("models", {}).values():
        for name, expected in model["large"].items():
            path, aside = large_paths(folder, name)
            if aside.is_file() and _hash(aside) == expected:
                aside.replace(path)
                files.sync(path.parent)


def large_paths(folder, name):
    """Where a study's large file is, and where it is if the run that wrote it was killed before it was put there.

    Parameters
    ----------
    folder : path-like
        ``models/<study>``.
    name : str
        File name.

    Returns
    -------
    tuple of pathlib.Path
    """
    path = Path(folder).parent / LARGE / Path(folder).name / name
    return path, _aside(path)


def _hash(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class StudyWriter:
    """Writes the files of a study and remembers their hashes.

    Attributes
    ----------
    manifest : dict
        Everything else the manifest is to say.
    """

    def __init__(self, folder):
        self._folder = folder
        self._files = {}
        self.manifest = {}

    def write(self, name, data):
        """Write one file.

        Parameters
        ----------
        name : str
            File name.
        data : bytes
            Its content.
        """
        self._put(name, data)
        self._files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    def write_table(self, name, table):
        """Write a pandas.DataFrame as a Parquet file."""
        self.write(name, table.to_parquet(index=False, compression="zstd"))

    def finish(self):
        """Write the manifest, the last file, and have all of them on the disk."""
        self._put(MANIFEST, _sealed(self.manifest | {"files": self._files}))
        files.sync(self._folder)

    def _put(self, name, data):
        _write(self._folder / name, data)


def _sealed(manifest):
    """The bytes of a manifest, with the hash of what it says."""
    return _json(manifest | {"sha256": _hash_of(manifest)}) + b"\n"


def _hash_of(manifest):
    return hashlib.sha256(_json(manifest)).hexdigest()


def _json(manifest):
    return json.dumps(manifest, indent=1).encode()


def _write(path, data):
    with path.open("wb") as file:
        file.write(data)
        files.flush(file)


def _aside(path):
    return path.with_name(f".{path.name}.new")


def _previous(folder):
    return folder.with_name(f".{folder.name}.previous")


def _swap(new, folder):
    previous = _previous(folder)
    try:
        if folder.exists():
            folder.rename(previous)
        new.rename(folder)
    finally:
        _restore(folder)
    files.sync(folder.parent)
    _remove(previous)


def _remove(folder):
    """Remove a folder, the manifest first: what is left of a study, if anything is, must not look like one."""
    with suppress(OSError):
        (folder / MANIFEST).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _clear(folder):
    _restore(folder)
    _remove(_aside(folder))
    _remove(_previous(folder))


def _restore(folder):
    """Put the previous study back if a run was killed between the two renames of a swap."""
    if not folder.exists() and _previous(folder).exists():
        _previous(folder).rename(folder)
