"""Writes ``models/<study>/`` atomically.

A study is written to a temporary folder, which replaces the old one by renaming when all of it is on the disk. So an interrupted
run, or a loss of power, leaves the previous study unchanged. A new large file stays at a temporary path until the study whose
manifest has its hash is in place.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from coughlab.studies import store
from coughlab.system import files


@contextmanager
def replacing(folder: str | Path) -> Iterator["StudyWriter"]:
    """Write a study to a temporary folder that replaces the previous one, unless the block ends with an exception (or Ctrl-C)."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # One process at a time, so that the results of two runs are both kept.
    with files.locked_folder(folder.parent):
        _clear(folder)
        aside = store.aside(folder)
        try:
            aside.mkdir(exist_ok=True)
            writer = StudyWriter(aside)
            yield writer
            writer.finish()
            _swap(aside, folder)
            _put_large(folder, writer.manifest)
        finally:
            _remove(aside)


def tidy(folder: str | Path) -> None:
    """Remove what a killed run has left beside ``models/<study>``, which may not exist."""
    folder = Path(folder)
    if store.aside(folder).exists() or store.previous(folder).exists():
        with files.locked_folder(folder.parent):
            _clear(folder)


def write_large(folder: str | Path, name: str, data: bytes) -> str:
    """Write a file that is too large for the repository, and return its SHA-256 for the manifest.

    It is moved to its final path together with the study whose manifest has that hash.
    """
    _, aside = store.large_paths(folder, name)
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        # An incomplete file does no harm: no manifest has its hash.
        _write(aside, data)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return hashlib.sha256(data).hexdigest()


def _put_large(folder, manifest):
    """Replace the large files of earlier fits by those of a study."""
    for model in manifest.get("models", {}).values():
        for name, expected in model["large"].items():
            path, aside = store.large_paths(folder, name)
            if aside.is_file() and store.hash_of_file(aside) == expected:
                aside.replace(path)
                files.sync(path.parent)


class StudyWriter:
    """Writes the files of a study and records their hashes; `manifest` is the rest of the manifest's content."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._files: dict[str, dict] = {}
        self.manifest: dict[str, Any] = {}

    def write(self, name: str, data: bytes) -> None:
        """Write one file."""
        _write(self._folder / name, data)
        self._files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as a Parquet file."""
        self.write(name, table.to_parquet(index=False, compression="zstd"))

    def finish(self) -> None:
        """Write the manifest as the last file, and flush all files to the disk."""
        _write(self._folder / store.MANIFEST, sealed(self.manifest | {"files": self._files}))
        files.sync(self._folder)


def sealed(manifest: dict) -> bytes:
    """The bytes of a manifest, with the hash of its content."""
    return store.json_of(manifest | {"sha256": store.hash_of(manifest)}) + b"\n"


def _write(path, data):
    with path.open("wb") as file:
        file.write(data)
        files.flush(file)


def _swap(new, folder):
    previous = store.previous(folder)
    try:
        if folder.exists():
            folder.rename(previous)
        new.rename(folder)
    finally:
        _restore(folder)
    files.sync(folder.parent)
    _remove(previous)


def _remove(folder):
    """Remove a folder, the manifest first, so that an incomplete rest does not look like a study."""
    with suppress(OSError):
        (folder / store.MANIFEST).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _clear(folder):
    _restore(folder)
    _remove(store.aside(folder))
    _remove(store.previous(folder))


def _restore(folder):
    """Put the previous study back if a run was killed between the two renames of a swap."""
    if not folder.exists() and store.previous(folder).exists():
        store.previous(folder).rename(folder)
