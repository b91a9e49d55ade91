"""A user's own folder: a list of recordings with file and label columns, or one subfolder per class.

Labels that say COVID become those of `coughlab.datasets.labels`; all others stay as they are.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from coughlab.datasets import filenames, labels, listing, own_list
from coughlab.datasets.listing import DatasetError, Listed

NAME = "folder"
TITLE = "your own folder"
LICENCE = ""
CITE = ""
ORDER = 99

# Folders that contain the classes' folders in many collections.
_AROUND = (
    "train training test testing val valid validation dev data dataset audio wav wavs raw clips recordings"
)


def recognises(folder: Path) -> bool:
    """Accepts any folder."""
    return True


def load(folder: Path) -> Listed:
    """Read the list of recordings, or the classes' folders where there is no list."""
    below = listing.below(folder)
    # Names with bytes that are not UTF-8, as in old archives, cannot be stored in a table.
    found, links, junk = ([name for name in part if _is_text(name)] for part in below)
    garbled = [name for part in below[:2] for name in part if not _is_text(name)]
    if own_list.are_lists(found):
        try:
            rows, skipped, read_as = own_list.read(folder, found, links)
        except own_list.NoLabelsError as error:
            rows, skipped, read_as = _beside_list(folder, found, listing.left_alone(below), error)
    else:
        rows, skipped, read_as = _from_classes(folder, found, listing.left_alone(below))
        skipped += [(name, listing.LINK) for name in links] + [(name, listing.JUNK) for name in junk]
    skipped += [
        (name.encode(errors="backslashreplace").decode(), "Its name cannot be read as text. Rename it.")
        for name in garbled
    ]
    return Listed(rows, skipped, read_as)


def _beside_list(folder: Path, found: list[str], left_alone: str, error: own_list.NoLabelsError) -> Listed:
    """The classes' folders beside lists without labels, with the people of these; the error if there are no such folders."""
    try:
        rows, skipped, read_as = _from_classes(folder, found, left_alone)
    except DatasetError as classes:
        raise DatasetError(str(error) or str(classes)) from error
    rows = [(name, error.people.get(name) or person, *rest) for name, person, *rest in rows]
    return Listed(rows, skipped, f"{read_as} {error.said}".strip())


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _from_classes(folder: Path, found: list[str], left_alone: str) -> Listed:
    kept, skipped, around = [], [], set(_AROUND.split())
    for name in found:
        *above, last = PurePosixPath(name).parts
        inside = [part for part in above if part.lower() not in around]
        if not listing.is_audio(name):
            skipped.append((name, "By its name it is not a recording."))
        elif not inside:
            skipped.append((name, "It lies in no class's folder."))
        else:
            kept.append((name, inside[0], "/".join([*inside[1:], last])))
    read, notes = labels.read([label for _, label, _ in kept])
    classes = set(read.values())
    if len(classes) == 1:
        raise DatasetError(
            f"{folder} has recordings of one class only, in {next(iter(classes))}.{left_alone} Two are needed: one subfolder for"
            " each class, or a CSV file with a column of file names and one of labels."
        )
    if not classes:
        raise DatasetError(
            f"{folder} has neither a list of recordings (a CSV file with a column of file names and one of labels) nor one"
            f" subfolder for each class with recordings in it.{left_alone}"
        )
    places = [(label, inside) for _, label, inside in kept]
    persons = filenames.people(places)
    rows = [
        (name, person, read[label], own_list.source(name), folder / name)
        for (name, label, _), person in zip(kept, persons, strict=True)
    ]
    guessed = own_list.FROM_NAMES.format("People and sources")
    same = filenames.assumed([(read[label], inside) for label, inside in places], persons)
    said = f"One subfolder a class, {len(classes)} in all. {guessed}"
    return Listed(rows, skipped, " ".join(filter(None, [said, same, notes])))
