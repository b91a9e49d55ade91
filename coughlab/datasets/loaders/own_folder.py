"""A user's own folder: a list of recordings with file and label columns, or one subfolder per class.

Labels that say COVID become those of `coughlab.datasets.labels`; all others stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from coughlab.datasets import class_folders, filenames, labels, listing, name_parts, own_list
from coughlab.datasets.class_folders import Layout, Placed
from coughlab.datasets.listing import Below, DatasetError, Listed
from coughlab.system import junk
from coughlab.text import counted, listed

NAME = "folder"
TITLE = "your own folder"
LICENCE = ""
CITE = ""
ORDER = 99

# Endings of files that may be a list which cannot be read, and beginnings of names that are none.
_OTHER_LISTS = (
    *(".xlsx", ".xls", ".ods", ".numbers", ".txt", ".json", ".jsonl"),
    *(".parquet", ".sav", ".dta", ".arff"),
)
_MOVE = "Move one to the top, with its paths from there, or give the folder that it is in."
_NO_LIST = ("readme", "license", "licence", "changelog", "citation", "requirements")


def recognises(folder: Path) -> bool:
    """Accepts any folder."""
    return True


def load(folder: Path) -> Listed:
    """Read the list of recordings, or the classes' folders where there is no list."""
    below = listing.below(folder)
    # Names with bytes that are not UTF-8, as in old archives, cannot be stored in a table.
    garbled = [name for part in below[:2] for name in part if not _is_text(name)]
    below = Below(*([name for name in part if _is_text(name)] for part in below))
    if own_list.are_lists(below.files):
        try:
            rows, skipped, read_as = own_list.read(folder, below.files, below.links)
        except own_list.NoLabelsError as error:
            rows, skipped, read_as = _beside_list(folder, below, error)
    else:
        rows, skipped, read_as = _from_classes(folder, below)
    skipped += [
        (name.encode(errors="backslashreplace").decode(), "Its name cannot be read as text. Rename it.")
        for name in garbled
    ]
    return Listed(rows, skipped, read_as)


def _beside_list(folder: Path, below: Below, error: own_list.NoLabelsError) -> Listed:
    """The classes' folders beside lists without labels, with the people of these; the error if there are no such folders."""
    try:
        rows, skipped, read_as = _from_classes(folder, below)
    except DatasetError as classes:
        raise DatasetError(f"{error} {classes}".strip()) from error
    rows = [(name, error.people.get(name) or person, *rest) for name, person, *rest in rows]
    return Listed(rows, skipped, f"{read_as} {error.said}".strip())


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _from_classes(folder: Path, below: Below) -> Listed:
    audio = [name for name in below.files if listing.is_audio(name)]
    linked = _linked(folder, audio)
    skipped = [
        (name, "By its name it is not a recording.") for name in below.files if not listing.is_audio(name)
    ]
    skipped += [(name, f"The link {link} leads to it, and is used instead.") for name, link in linked.items()]
    skipped += [(name, listing.LINK) for name in below.links] + [(name, listing.JUNK) for name in below.junk]
    layout = class_folders.find(name for name in audio if name not in linked)
    skipped += [(name, "It lies in no class's folder.") for name in layout.outside]
    none, kept = labels.missing(one.label for one in layout.placed)
    skipped += [
        (one.name, f"Its folder, “{one.label}”, names no class.")
        for one in layout.placed
        if one.label in none
    ]
    placed = [one for one in layout.placed if one.label not in none]
    read, notes = labels.read([one.label for one in placed])
    classes = set(read.values())
    besides = [f"Folders that name no class: {listed(sorted(none))}."] if none else []
    besides += _besides(folder, layout, below.files)
    if len(classes) < 2 or layout.are_people:
        besides.insert(0, _problem(folder, layout, classes))
        raise DatasetError(" ".join(besides + _other_formats(below.files)) + listing.left_alone(below))
    besides += [f"Links are not followed: {listed(below.links)}."] if below.links else []
    persons = filenames.people([(one.label, one.inside) for one in placed])
    rows = [
        (one.name, person, read[one.label], _source(one), folder / one.name)
        for one, person in zip(placed, persons, strict=True)
    ]
    said = [layout.said, f"One subfolder a class, {len(classes)} in all."]
    if any(one.source for one in placed):
        said += [own_list.FROM_NAMES.format("People"), "Sources by the folders around these."]
    else:
        said += [own_list.FROM_NAMES.format("People and sources")]
    said += [filenames.assumed([(read[one.label], one.inside) for one in placed], persons), notes, kept]
    return Listed(rows, skipped, " ".join(filter(None, said + besides)))


def _source(one: Placed) -> str:
    known = filenames.origin(one.name)
    return known[1] if known else one.source or own_list.source(one.name)


def _problem(folder: Path, layout: Layout, classes: Collection[str]) -> str:
    """Why the folders of a collection cannot be read as classes."""
    names = sorted({one.label for one in layout.placed})
    if layout.are_people:
        return (
            f"The subfolders of {folder} are named like people or dates, and so are no classes: {listed(names)}. Add a CSV file"
            " with a column of file names and one of labels, or sort the recordings into one subfolder for each class."
        )
    if not classes:
        return (
            f"{folder} has neither a list of recordings (a CSV file with a column of file names and one of labels) nor one"
            " subfolder for each class with recordings in it."
        )
    problem = (
        f"{folder} has recordings of one class only, in {next(iter(classes))}. Two are needed: one subfolder for each class, or a"
        " CSV file with a column of file names and one of labels."
    )
    # Perhaps the right folder is inside the one that was given.
    inside = {}
    for one in layout.placed:
        if parts := [part for part in one.inside.split("/")[:-1] if not name_parts.is_part(part)]:
            inside[parts[0]] = folder / one.name.partition(f"/{parts[0]}/")[0]
    if len(names) > 1 or len(inside) < 2:
        return problem
    place = next(iter(inside.values()))
    return (
        f"{problem} If the subfolders of {place} are the classes ({listed(sorted(inside))}), give that folder itself, or a ZIP of"
        " it."
    )


def _linked(folder: Path, audio: list[str]) -> dict[str, str]:
    """Recordings to which a link inside the folder leads, each with a link: a link is put where a class is."""
    root, names = os.path.realpath(folder), set(audio)
    links = [name for name in audio if (folder / name).is_symlink()]
    targets = {
        os.path.relpath(os.path.realpath(folder / link), root).replace(os.sep, "/"): link for link in links
    }
    return {target: link for target, link in targets.items() if target in names and target not in links}


def _besides(folder: Path, layout: Layout, found: list[str]) -> list[str]:
    """Sentences on folders without recordings beside those of the classes, and on lists that are not read."""
    full = {name.rpartition("/")[0] + "/" for name in found if listing.is_audio(name)}
    empty = [
        path.relative_to(folder).as_posix()
        for around in sorted(layout.around or {""})
        for path in sorted((folder / around).iterdir())
        if path.is_dir() and not path.is_symlink() and not junk.is_junk(path.name)
    ]
    empty = [name for name in empty if _is_text(name) and not any(one.startswith(f"{name}/") for one in full)]
    lists = [name for name in found if "/" in name and own_list.are_lists([name.rpartition("/")[2]])]
    said = [f"No recording is in {counted(len(empty), 'subfolder')}: {listed(empty)}."] if empty else []
    return said + ([f"Lists in subfolders are not read: {listed(lists)}. {_MOVE}"] if lists else [])


def _other_formats(found: Iterable[str]) -> list[str]:
    """A sentence on files that may be a list in a format that is not read."""
    other = [
        name
        for name in found
        if "/" not in name and name.lower().endswith(_OTHER_LISTS) and not name.lower().startswith(_NO_LIST)
    ]
    return [f"If {listed(other)} is a list of recordings, save it as a CSV file."] if other else []
