"""Shared by the loaders: finding the files below a folder, checking names, and reading lists as text."""

import os
import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from coughlab.datasets import list_file

if TYPE_CHECKING:
    import pandas as pd

#: File endings of possible recordings; they may still be undecodable.
# fmt: off
AUDIO = (
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".mp4", ".3gp", ".webm", ".weba", ".mka", ".aif",
    ".aiff", ".au", ".caf", ".amr", ".wma",
)
# fmt: on
OUTSIDE = "The path leads out of the dataset's folder."
LINK = "It is a link that leads elsewhere."
NOT_LISTED = "Its file is in the folder but not in the list."


class DatasetError(ValueError):
    """A dataset's folder does not have the expected layout; the message says what is missing."""


class Listed(NamedTuple):
    """What a loader found in a folder."""

    #: Values of `coughlab.datasets.COLUMNS` for each recording that can be used.
    rows: list[tuple]
    #: Name and reason of each recording or row that is left out.
    skipped: list[tuple[str, str]]
    #: How the folder was read, in words; "" for the published layout.
    read_as: str = ""


def below(folder: str | PathLike) -> tuple[list[str], list[str]]:
    """All files below a folder; each folder is read once, links are not followed.

    Returns two sorted lists of names, relative to the folder, with forward slashes: files, and symbolic links that lead out of
    the folder or to another folder.
    """
    files, links, pending = [], [], [("", os.fspath(folder))]
    root = os.path.realpath(folder)
    while pending:
        prefix, path = pending.pop()
        try:
            with os.scandir(path) as found:
                entries = list(found)
        except OSError as error:
            raise DatasetError(f"The folder {path} could not be read: {error.strerror}.") from error
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append((f"{name}/", entry.path))
            elif entry.is_symlink() and (entry.is_dir() or not _is_inside(entry.path, root)):
                links.append(name)
            else:
                files.append(name)
    return sorted(files), sorted(links)


def _is_inside(path: str, root: str) -> bool:
    return os.path.commonpath([root, os.path.realpath(path)]) == root


def is_audio(name: str) -> bool:
    """Whether a name has an audio ending and is not a hidden file of macOS."""
    return name.lower().endswith(AUDIO) and not name.rpartition("/")[2].startswith(".")


def recordings(folder: str | PathLike) -> set[str]:
    """Names of the recordings directly in a folder."""
    try:
        return {path.name for path in Path(folder).iterdir() if is_audio(path.name)}
    except OSError as error:
        raise DatasetError(f"The folder {folder} could not be read: {error.strerror}.") from error


def unlisted(folder: str | PathLike, listed: Iterable[str]) -> list[tuple[str, str]]:
    """Recordings directly in a folder that a list does not name: pairs of name and reason."""
    return [(name, NOT_LISTED) for name in sorted(recordings(folder).difference(listed))]


def name_problem(name: str) -> str:
    """Why a name in a list is not a valid file name inside the dataset's folder; "" if it is valid."""
    if not name:
        return "The line has no file name."
    if "\0" in name:
        return "The file name holds a character that no file name can have."
    plain = name.replace("\\", "/")
    if plain.startswith("/") or re.match(r"[A-Za-z]:/", plain) or ".." in plain.split("/"):
        return OUTSIDE
    if plain.rpartition("/")[2] in ("", "."):
        return "The path is that of a folder."
    return ""


def read_list(path: Path, required: Iterable[str] = ()) -> "pd.DataFrame":
    """Read a list of recordings, as `coughlab.datasets.list_file` does, with the header that has the required columns.

    All columns are text as in the file, without surrounding blanks; "" for an empty cell. `DatasetError` if the file cannot be
    read, lacks a required column or has no lines.
    """
    text, _ = decoded_list(path)
    required, first = set(required), None
    try:
        for table in list_file.tables(text):
            first = table if first is None else first
            if required <= set(table):
                first = table
                break
    except ValueError as error:
        if first is None:
            raise unreadable(path, error) from error
    assert first is not None
    if missing := required - set(first):
        raise DatasetError(f"{path} lacks the column {' and '.join(sorted(missing))}.")
    if first.empty:
        raise DatasetError(f"{path} lists no recordings.")
    return first


def decoded_list(path: Path, names: Iterable[str] = ()) -> tuple[str, str]:
    """The text of a list, and how it was decoded: `coughlab.datasets.list_file.decoded`; `DatasetError` if it cannot be read."""
    try:
        return list_file.decoded(path.read_bytes(), names)
    except FileNotFoundError as error:
        raise DatasetError(f"{path.parent} has no {path.name}.") from error
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> DatasetError:
    """The error of a list that cannot be read."""
    return DatasetError(f"{path} could not be read: {error}")
