"""Reads the list of a user's own folder: a CSV file with a column of file names and one of labels, or two that are joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from coughlab.datasets import columns as headers
from coughlab.datasets import filenames, ids, joined_lists, labels, list_file, listing, matching
from coughlab.datasets.joined_lists import FoundList
from coughlab.datasets.listing import DatasetError, Listed
from coughlab.datasets.matching import Files, Match
from coughlab.text import listed as named

if TYPE_CHECKING:
    import pandas as pd

#: Says what was taken from file names.
FROM_NAMES = "{} as far as the file names tell."
_PLURAL = {"file": "files", "label": "labels", "person": "people", "source": "sources"}


# More tables below a folder are data of recordings, and no lists of them.
_LISTS = 20
_STRAY = (
    "No file has this name, and no line that has a file has this label: it was taken for a heading or a sum."
)
_ELSEWHERE = (
    "The list names its file in the column “{}” only, which was not read. Give each recording a line."
)


_OF_PEOPLE = (
    "{0} is a list of people: it has no column of file names. Add a list with the columns “file” and “{1}” beside it, or begin"
    " the name of each file with the id of its person."
)


_NAME_LABELS = "If “{}” has the labels, call it “label”; if folders are the classes, move the list elsewhere."


class NoLabelsError(DatasetError):
    """The lists of a folder give no labels, but perhaps people, so that folders may be the classes.

    Parameters
    ----------
    message
    people
        The person of each file that a list names, "" if it names none.
    said
        How the lists were read, in words.
    """

    def __init__(self, message: str, people: dict[str, str], said: str):
        super().__init__(message)
        self.people, self.said = people, said


def are_lists(found: Iterable[str]) -> list[str]:
    """The names of files that may be lists: those at the top of a folder, or else those below, if they are few."""
    tables = [name for name in found if name.lower().endswith((".csv", ".tsv"))]
    return [name for name in tables if "/" not in name] or (tables if len(tables) <= _LISTS else [])


def read(folder: Path, found: list[str], links: list[str]) -> Listed:
    """Read the list of a folder with these files and links, as `coughlab.datasets.listing.below` returns them.

    `NoLabelsError` if folders may be the classes.
    """
    files = Files(folder.absolute().as_posix(), found, links)
    names = are_lists(found)
    try:
        one = _chosen(folder, names, files)
        matches = files.match(one.table[one.columns.file].tolist())
        _check_any_present(folder, one, matches, files)
    except DatasetError as error:
        # A table below may be one of anything.
        if not isinstance(error, NoLabelsError) and "/" in names[0]:
            raise NoLabelsError(str(error), {}, f"{named(names)} was not read: {error}") from error
        raise
    table, columns = one.table, one.columns
    no_label, kept = labels.missing(table[columns.label])
    lines = list(zip(table[columns.file], table[columns.label], matches, strict=True))
    strays = _strays(lines, files)
    rows, skipped = [], list(one.skipped)
    for number, (name, label, match) in enumerate(lines):
        if reason := match.problem or _label_problem(label, no_label) or (_STRAY if number in strays else ""):
            skipped.append((name, reason))
        else:
            rows.append((number, name, label, match.path))
    numbers, recordings, said, places = zip(*rows, strict=True) if rows else [()] * 4
    classes, read_labels = labels.read(said, columns.label, table.attrs.get("comments", ()))
    listed = [classes[label] for label in said]
    persons, same_people = _given(table, columns.person, numbers, _people(places, listed))
    sources, same_sources = _given(table, columns.source, numbers, map(source, places))
    seen = {match.path for match in matches}
    unlisted = [name for name in found if listing.is_audio(name) and name not in seen]
    elsewhere = _in_other_columns(one, files) if unlisted else {}
    skipped += [
        (name, _ELSEWHERE.format(elsewhere[name]) if name in elsewhere else listing.NOT_LISTED)
        for name in unlisted
    ]
    skipped += [(name, listing.LINK) for name in links if name not in seen]
    same = "" if columns.person else filenames.assumed(list(zip(listed, places, strict=True)), persons)
    notes = [_read_as(one), same, same_people, same_sources, one.remarks, columns.remarks]
    notes += [matching.assumed(matches), kept, read_labels]
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
            one = _found_list(folder, name, files)
            if "/" not in name or _is_sure(one):
                lists.append(one)
        except DatasetError as error:
            problems.append(str(error))
    read = joined_lists.in_parts(lists, files)
    complete = [one for one in read if not one.columns.lacking]
    present = [one for one in complete if _is_present(one, files)]
    certain = [one for one in present if one.columns.rank < headers.GUESS]
    joined = None if certain else joined_lists.join(read, files)
    usable = [joined] if joined else present
    if not usable:
        # Beside several folders, which may be the classes, a guess is not enough.
        several = len({path.partition("/")[0] for path in files.audio if "/" in path}) > 1
        by_id = [
            found
            for one in read
            if one.columns.label and not (several and one.columns.rank >= headers.GUESS)
            if (found := joined_lists.by_id(one, files))
        ]
        usable = by_id or complete
    if not usable:
        raise _refusal(folder, read, problems, files)
    if len(usable) > 1:
        together = " and ".join(one.name for one in usable)
        raise DatasetError(
            f"{folder} has several lists of recordings: {together}. Put their lines into one, or leave one of them there."
        )
    one = joined_lists.with_people(usable[0], read, files)
    unread = [
        f"The list {other.name} names no file that is in the folder, and was not read."
        if other in complete and other not in present
        else f"The list {other.name} was not read."
        for other in read
        if not set(other.parts) & set(one.parts)
        and (other.columns.file or other.columns.label or other.columns.person)
    ]
    return replace(one, remarks=" ".join(filter(None, [one.remarks, *unread, *problems])))


def _refusal(folder: Path, lists: Sequence[FoundList], problems: Sequence[str], files: Files) -> DatasetError:
    """The error of lists of which none gives file names and labels; `NoLabelsError` if folders may be the classes."""
    said = " ".join(
        [*problems, *(joined_lists.apart(lists) or [_lacking(folder, one, files) for one in lists])]
    )
    names = [one.name for one in lists]
    if problems or any(_may_have_labels(one, files) for one in lists):
        return DatasetError(said)
    about = f"As {named(names)} {'has' if len(names) == 1 else 'have'} no labels, the folders were taken for the classes."
    other, people = joined_lists.people(lists, files)
    if not other and any(one.columns.file and one.columns.person for one in lists):
        about += " Its people were not read: its names do not tell which files are meant."
    if other:
        values, same = ids.one_spelling(list(people.values()))
        people = dict(zip(people, values, strict=True))
        about += f" People are from the column “{other.columns.person}” of {other.name}. {same}".rstrip()
    return NoLabelsError(said, people, about if names else "")


def _is_sure(one: FoundList) -> bool:
    """Whether a table below the folder is a list of recordings or of people."""
    columns, table = one.columns, one.table
    return (
        columns.certain
        or bool(headers.persons(table))
        or bool(columns.file and headers.names_recordings(table[columns.file]))
    )


def _may_have_labels(one: FoundList, files: Files) -> bool:
    if one.columns.label:
        return True
    return (
        bool(one.columns.file)
        and _is_present(one, files)
        and bool(headers.possible_labels(one.table, one.columns))
    )


def _strays(lines: Sequence[tuple[str, str, Match]], files: Files) -> set[int]:
    """The numbers of a few lines with neither a file nor a label that a line with a file has, such as a sum below the list."""
    real = {labels.folded(label) for _, label, match in lines if match.path in files.paths}
    found = {
        number
        for number, (name, label, match) in enumerate(lines)
        if match.path not in files.paths and not listing.is_audio(name) and labels.folded(label) not in real
    }
    return found if real and len(found) <= len(real) + 1 and 4 * len(found) < len(lines) else set()


def _in_other_columns(one: FoundList, files: Files) -> dict[str, str]:
    """The files that other columns of a list name, with the column."""
    columns = [
        column for column in one.table if column != one.columns.file and files.exact(one.table[column]) > 1
    ]
    return {match.path: column for column in columns for match in files.match(one.table[column].tolist())}


def _found_list(folder: Path, name: str, files: Files) -> FoundList:
    """A list under the line that is most likely the header of files and labels, or else under its first line."""
    path = folder / name
    text, decoded = listing.decoded_list(path, files.paths)
    possible = []
    try:
        for table in map(headers.with_names, list_file.tables(text, files.is_name)):
            columns = headers.find(table, files)
            if columns.file and "/" in name:
                above = name.rpartition("/")[0]
                inside = [f"{above}/{file}" for file in table[columns.file]]
                table[columns.file] = [
                    own if own in files.paths else file
                    for own, file in zip(inside, table[columns.file], strict=True)
                ]
            possible.append(FoundList(name, table, columns, decoded, parts=(name,)))
            if columns.certain and not table.empty:
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
    lacking, path = one.columns.lacking, folder / one.name
    if any(map(files.is_name, one.table)):
        return f"{path} has no header: its first line names a recording. Put a line such as “file,label” above it."
    if len(one.table.columns) == 1:
        return f"{path} has one column only, “{next(iter(one.table))}”. Put commas between columns, as in “file,label”."
    if lacking == "file names" and one.columns.person:
        said = _OF_PEOPLE.format(path, one.columns.person)
        return f"{said} {_NAME_LABELS.format(one.columns.label)}" if one.columns.label else said
    said = (
        f"{path} has no column of {lacking}. Its header must be or hold a word such as {headers.ACCEPTED[lacking]}."
        f" {one.columns.remarks}"
    ).strip()
    if lacking == "labels" and (possible := headers.possible_labels(one.table, one.columns)):
        said += f" {_NAME_LABELS.format(possible[0])}"
    if files.named_after(one.table):
        said += " If its first line is no header, put a line such as “patient,diagnosis” above it."
    return said


def _check_any_present(folder: Path, one: FoundList, matches: Sequence[Match], files: Files) -> None:
    """Refuse a list that names none of the folder's recordings, and say which are near."""
    if not files.audio or any(
        match.path in files.paths or match.problem == listing.LINK for match in matches
    ):
        return
    names = one.table[one.columns.file]
    if one.columns.file in headers.persons(one.table) and not headers.names_recordings(names):
        raise DatasetError(_OF_PEOPLE.format(folder / one.name, one.columns.file))
    if several := next(
        (match.problem for match in matches if match.problem.startswith(matching.SEVERAL)), ""
    ):
        name = next(name for name, match in zip(names, matches, strict=True) if match.problem == several)
        raise DatasetError(
            f"The names in the column “{one.columns.file}” of {folder / one.name} do not tell which file is meant: “{name}”"
            f" fits {several.removeprefix(matching.SEVERAL)} Give the names as they are in the folder, with folders and endings."
        )
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
    given = {
        what: f"from the column “{column}”" for what in _PLURAL if (column := getattr(one.columns, what))
    }
    if one.named_after:
        given["file"] = f"that are named after “{one.named_after}”, or are in a folder that is"
    read = ", ".join(f"{_PLURAL[what]} {where}" for what, where in given.items())
    lacking = [_PLURAL[what] for what in ("person", "source") if what not in given]
    guessed = FROM_NAMES.format(" and ".join(lacking).capitalize()) if lacking else ""
    return f"By the list {one.name}: {read}. {guessed}".strip()


def _people(places: Sequence[str], listed: Sequence[str]) -> list[str]:
    """People as far as the paths show; if there are no more folders than labels, the folders do not stand for people."""
    split = [place.rpartition("/")[::2] for place in places]
    if len({folder for folder, _ in split}) > len(set(listed)):
        return filenames.people([("", place) for place in places])
    return filenames.people(split)


def _given(
    table: pd.DataFrame, column: str, numbers: Sequence[int], otherwise: Iterable[str]
) -> tuple[list[str], str]:
    """Values of a column in some rows, with a default for cells that name nothing, and sentences on them."""
    if not column:
        return list(otherwise), ""
    found = table[column].iloc[list(numbers)].tolist()
    values, same = ids.one_spelling(found)
    given = [value or other for value, other in zip(values, otherwise, strict=True)]
    return given, " ".join(filter(None, [same, ids.not_given(found, column)]))
