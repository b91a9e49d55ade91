"""Shared by the loaders: finding the files below a folder, checking names, and reading lists as text."""

import os
import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from coughlab.datasets import list_file
from coughlab.system import junk
from coughlab.text import listed

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
LINK = "It is a link, and links to folders or out of the dataset's folder are not followed."
JUNK = "It is hidden, or was left there by a system or a program."
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


class Below(NamedTuple):
    """What is below a folder: sorted lists of names, relative to the folder, with forward slashes."""

    files: list[str]
    #: Symbolic links that lead out of the folder or to another folder.
    links: list[str]
    #: What `coughlab.system.junk.is_junk` recognises; a folder stands for all that is in it.
    junk: list[str]


def below(folder: str | PathLike) -> Below:
    """All that is below a folder; each folder is read once, links are not followed."""
    found, pending = Below([], [], []), [("", os.fspath(folder))]
    root = os.path.realpath(folder)
    while pending:
        prefix, path = pending.pop()
        try:
            with os.scandir(path) as inside:
                entries = list(inside)
        except OSError as error:
            raise DatasetError(f"The folder {path} could not be read: {error.strerror}.") from error
        for entry in entries:
            name = prefix + entry.name
            if junk.is_junk(entry.name):
                found.junk.append(name)
            elif entry.is_dir(follow_symlinks=False):
                pending.append((f"{name}/", entry.path))
            elif entry.is_symlink() and (entry.is_dir() or not _is_inside(entry.path, root)):
                found.links.append(name)
            else:
                found.files.append(name)
    return Below(*map(sorted, found))


def left_alone(below: Below) -> str:
    """What was not read below a folder, for the end of a message that says what the folder lacks; "" if there is nothing."""
    said = ""
    if below.links:
        said += f" Links are not followed: {_named(below.links)}. Put in their place what they lead to."
    if below.junk:
        said += f" Hidden files and folders, and those of systems and programs, are not read: {_named(below.junk)}."
    return said


def _named(names: Iterable[str]) -> str:
    return "".join(character if character.isprintable() else "?" for character in listed(names))


def _is_inside(path: str, root: str) -> bool:
    return os.path.commonpath([root, os.path.realpath(path)]) == root


def is_audio(name: str) -> bool:
    """Whether a name has an audio ending, and is not that of something hidden or left behind by a system."""
    return name.lower().endswith(AUDIO) and not junk.is_junk(name)


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
