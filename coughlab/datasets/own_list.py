"""Reads the list of a user's own folder: a CSV file with a column of file names and one of labels, or two that are joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from coughlab.datasets import columns as headers
from coughlab.datasets import filenames, joined_lists, labels, list_file, listing, matching
from coughlab.datasets.joined_lists import FoundList
from coughlab.datasets.listing import DatasetError, Listed
from coughlab.datasets.matching import Files, Match

if TYPE_CHECKING:
    import pandas as pd

#: Says what was taken from file names.
FROM_NAMES = "{} as far as the file names tell."
_PLURAL = {"file": "files", "label": "labels", "person": "people", "source": "sources"}


def are_lists(found: Iterable[str]) -> list[str]:
    """The names of files at the top of a folder that may be lists."""
    return [name for name in found if "/" not in name and name.lower().endswith((".csv", ".tsv"))]


def read(folder: Path, found: list[str], links: list[str]) -> Listed:
    """Read the list of a folder with these files and links, as `coughlab.datasets.listing.below` returns them."""
    files = Files(folder.absolute().as_posix(), found, links)
    one = _chosen(folder, are_lists(found), files)
    table, columns = one.table, one.columns
    matches = files.match(table[columns.file].tolist())
    _check_any_present(folder, one, matches, files)
    no_label, kept = labels.missing(table[columns.label])
    rows, skipped = [], list(one.skipped)
    for number, (name, label, match) in enumerate(
        zip(table[columns.file], table[columns.label], matches, strict=True)
    ):
        if reason := match.problem or _label_problem(label, no_label):
            skipped.append((name, reason))
        else:
            rows.append((number, name, label, match.path))
    numbers, recordings, said, places = zip(*rows, strict=True) if rows else [()] * 4
    classes, read_labels = labels.read(said, columns.label)
    listed = [classes[label] for label in said]
    persons = _given(table, columns.person, numbers, _people(places, listed))
    sources = _given(table, columns.source, numbers, map(source, places))
    seen = {match.path for match in matches}
    skipped += [(name, listing.NOT_LISTED) for name in found if listing.is_audio(name) and name not in seen]
    skipped += [(name, listing.LINK) for name in links if name not in seen]
    same = "" if columns.person else filenames.assumed(list(zip(listed, places, strict=True)), persons)
    notes = [_read_as(one), same, one.remarks, columns.remarks, matching.assumed(matches), kept, read_labels]
    paths = [folder / place for place in places]
    return Listed(
        list(zip(recordings, persons, listed, sources, paths, strict=True)),
        skipped,
        " ".join(filter(None, notes)),
    )


def source(name: str) -> str:
    """The public collection that a file name comes from, or "unknown"."""
    known = filenames.origin(name)
    return known[1] if known else "unknown"


def _chosen(folder: Path, names: Sequence[str], files: Files) -> FoundList:
    """The only list that has file names and labels, alone or joined with another."""
    lists, problems = [], []
    for name in names:
        try:
            lists.append(_found_list(folder / name, files))
        except DatasetError as error:
            problems.append(str(error))
    complete = [one for one in lists if not one.columns.lacking]
    present = [one for one in complete if _is_present(one, files)]
    joined = None if present else joined_lists.join(lists, files)
    usable = [joined] if joined else present or complete
    if not usable:
        problems += joined_lists.apart(lists) or [_lacking(folder, one, files) for one in lists]
        raise DatasetError(" ".join(problems))
    if len(usable) > 1:
        together = " and ".join(one.name for one in usable)
        raise DatasetError(f"{folder} has several lists of recordings: {together}. Leave one of them there.")
    read = {one.name for one in usable}
    unread = [
        f"The list {one.name} names no file that is in the folder, and was not read."
        for one in complete
        if present and one.name not in read
    ]
    return replace(usable[0], remarks=" ".join(filter(None, [usable[0].remarks, *unread])))


def _found_list(path: Path, files: Files) -> FoundList:
    """A list under the line that is most likely the header of files and labels, or else under its first line."""
    text, decoded = listing.decoded_list(path, files.paths)
    possible = []
    try:
        for table in list_file.tables(text, files.is_name):
            possible.append(FoundList(path.name, table, headers.find(table, files), decoded))
            if possible[-1].columns.certain and not table.empty:
                return possible[-1]
    except ValueError as error:
        if not possible:
            raise listing.unreadable(path, error) from error
    first = possible[0]
    if first.table.empty:
        raise DatasetError(f"{path} lists no recordings.")
    # Below the first line, a header has to show more than fitting words.
    below = [one for one in possible[1:] if not one.columns.lacking and _is_present(one, files)]
    return first if not first.columns.lacking else next(iter(below), first)


def _is_present(one: FoundList, files: Files) -> bool:
    return bool(files.similar(one.table[one.columns.file]))


def _lacking(folder: Path, one: FoundList, files: Files) -> str:
    lacking = one.columns.lacking
    if any(map(files.is_name, one.table)):
        return f"{folder / one.name} has no header: its first line names a recording. Put a line such as “file,label” above it."
    return (
        f"{folder / one.name} has no column of {lacking}. Its header must be or hold a word such as"
        f" {headers.ACCEPTED[lacking]}. {one.columns.remarks}"
    ).strip()


def _check_any_present(folder: Path, one: FoundList, matches: Sequence[Match], files: Files) -> None:
    """Refuse a list that names none of the folder's recordings, and say which are near."""
    if not files.audio or any(
        match.path in files.paths or match.problem == listing.LINK for match in matches
    ):
        return
    names = one.table[one.columns.file]
    pairs = [(name, near) for name in list(dict.fromkeys(names))[:20] if (near := files.near(name))]
    shown = [f"The list says “{name}”, the folder has “{near}”." for name, near in pairs[:3]]
    if not shown:
        shown = [
            f"The list says “{next(iter(names))}”, the folder has recordings such as “{min(files.audio)}”."
        ]
    reasons = [match.problem for match in matches if match.problem][:1]
    raise DatasetError(
        " ".join(
            [
                f"None of the files in the column “{one.columns.file}” of {folder / one.name} is in the folder.",
                *reasons,
                *shown,
            ]
        )
    )


def _label_problem(label: str, no_label: set[str]) -> str:
    if label not in no_label:
        return ""
    return f"The list gives it no label{f', but says “{label}”' if label else ''}."


def _read_as(one: FoundList) -> str:
    """Which columns of a list were read, in words."""
    given = {what: column for what in _PLURAL if (column := getattr(one.columns, what))}
    read = ", ".join(f"{_PLURAL[what]} from the column “{column}”" for what, column in given.items())
    lacking = [_PLURAL[what] for what in ("person", "source") if what not in given]
    guessed = FROM_NAMES.format(" and ".join(lacking).capitalize()) if lacking else ""
    return f"By the list {one.name}: {read}. {guessed}".strip()


def _people(places: Sequence[str], listed: Sequence[str]) -> list[str]:
    """People as far as the paths show; if there are no more folders than labels, the folders do not stand for people."""
    split = [place.rpartition("/")[::2] for place in places]
    if len({folder for folder, _ in split}) > len(set(listed)):
        return filenames.people([("", place) for place in places])
    return filenames.people(split)


def _given(table: pd.DataFrame, column: str, numbers: Sequence[int], otherwise: Iterable[str]) -> list[str]:
    """Values of a column in some rows, with a default for empty cells."""
    values = table[column].tolist() if column else [""] * len(table)
    return [values[number] or other for number, other in zip(numbers, otherwise, strict=True)]
