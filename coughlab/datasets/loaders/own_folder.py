"""A user's own folder: a list of recordings with file and label columns, or one subfolder per class.

If every label is a usual word for positive or negative, the labels become those of `coughlab.datasets.labels`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from coughlab import text
from coughlab.datasets import columns as headers
from coughlab.datasets import filenames, listing
from coughlab.datasets.labels import standard, title
from coughlab.datasets.listing import DatasetError, Listed

if TYPE_CHECKING:
    import pandas as pd

NAME = "folder"
TITLE = "your own folder"
LICENCE = ""
CITE = ""
ORDER = 99

# Folders that contain the classes' folders in many collections.
_AROUND = (
    "train training test testing val valid validation dev data dataset audio wav wavs raw clips recordings"
)
_FROM_NAMES = "{} as far as the file names tell."
_SETTLE = "If that is wrong, add a CSV list with columns of files, labels and people."
# Values for an unknown label.
_NO_LABEL = ("", "unknown", "n/a", "na", "nan", "none", "?", "-", "missing")


def recognises(folder: Path) -> bool:
    """Accepts any folder."""
    return True


def load(folder: Path) -> Listed:
    """Read the list of recordings, or the classes' folders where there is no list."""
    below = listing.below(folder)
    # Names with bytes that are not UTF-8, as in old archives, cannot be stored in a table.
    found, links, junk = ([name for name in part if _is_text(name)] for part in below)
    garbled = [name for part in below[:2] for name in part if not _is_text(name)]
    lists = [name for name in found if "/" not in name and name.lower().endswith((".csv", ".tsv"))]
    if lists:
        rows, skipped, read_as = _from_list(folder, lists, found, set(links))
    else:
        rows, skipped, read_as = _from_classes(folder, found, listing.left_alone(below))
        skipped += [(name, listing.LINK) for name in links] + [(name, listing.JUNK) for name in junk]
    skipped += [
        (name.encode(errors="backslashreplace").decode(), "Its name cannot be read as text. Rename it.")
        for name in garbled
    ]
    labels = standard({label for _, _, label, _, _ in rows})
    rows = [(*row[:2], labels.get(row[2], row[2]), *row[3:]) for row in rows]
    return Listed(rows, skipped, read_as + _translated(labels))


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
    classes = {label for _, label, _ in kept}
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
        (name, person, label, _source(name), folder / name)
        for (name, label, _), person in zip(kept, persons, strict=True)
    ]
    guessed = _FROM_NAMES.format("People and sources")
    read_as = f"One subfolder a class, {len(classes)} in all. {guessed}{_same_names(places, persons)}"
    return Listed(rows, skipped, read_as)


def _same_names(places: list[tuple[str, str]], persons: list[str]) -> str:
    """What was assumed about names that occur in several classes, in words; "" if there are none."""
    classes, people = defaultdict(set), defaultdict(set)
    for (label, inside), person in zip(places, persons, strict=True):
        classes[person].add(label)
        people[inside].add(person)
    shared = sorted(person for person, labels in classes.items() if len(labels) > 1)
    counted = [name for name, several in people.items() if len(several) > 1]
    said = ""
    if shared:
        said += (
            f" A name or number in several classes was taken for one person: {text.listed(shared, most=3)}."
        )
    if counted:
        said += f" Names that only count recordings were taken for different people: {text.listed(counted, most=3)}."
    return f"{said} {_SETTLE}" if said else ""


def _from_list(folder: Path, lists: list[str], found: list[str], links: set[str]) -> Listed:
    audio = _Audio(found)
    usable, problems = [], []
    for name in lists:
        try:
            table = listing.read_list(folder / name)
            usable.append((name, table, headers.columns(table, audio.knows)))
        except DatasetError as error:
            problems.append(str(error))
        except LookupError as error:
            accepted = headers.ACCEPTED[error.args[0]]
            problems.append(
                f"{folder / name} has no column of {error.args[0]}. Its header must be or hold a word such as {accepted}."
            )
    if not usable:
        raise DatasetError(" ".join(problems))
    if len(usable) > 1:
        together = " and ".join(name for name, _, _ in usable)
        raise DatasetError(f"{folder} has several lists of recordings: {together}. Leave one of them there.")
    called, table, columns = usable[0]
    rows, skipped, seen = [], [], set()
    root = f"{folder.absolute().as_posix()}/"
    for number, (name, label) in enumerate(zip(table[columns["file"]], table[columns["label"]], strict=True)):
        place, reason = _place(root, name, audio, links)
        seen.add(place)
        if reason := reason or _label_problem(label):
            skipped.append((name, reason))
        else:
            rows.append((number, name, label, place))
    numbers, recordings, labels, places = zip(*rows, strict=True) if rows else [()] * 4
    persons = _given(table, columns.get("person"), numbers, _people(places, labels))
    sources = _given(table, columns.get("source"), numbers, map(_source, places))
    paths = [folder / place for place in places]
    skipped += [(name, listing.NOT_LISTED) for name in found if listing.is_audio(name) and name not in seen]
    skipped += [(name, listing.LINK) for name in sorted(links - seen)]
    listed = list(zip(recordings, persons, labels, sources, paths, strict=True))
    return Listed(listed, skipped, _read_as(called, columns))


def _label_problem(label: str) -> str:
    if label.lower() not in _NO_LABEL:
        return ""
    return f"The list gives it no label{f', but says “{label}”' if label else ''}."


def _read_as(called: str, columns: dict[str, str]) -> str:
    """Which columns of a list were read, in words."""
    plural = {"file": "files", "label": "labels", "person": "people", "source": "sources"}
    read = ", ".join(f"{plural[what]} from the column “{column}”" for what, column in columns.items())
    lacking = [plural[what] for what in ("person", "source") if what not in columns]
    guessed = _FROM_NAMES.format(" and ".join(lacking).capitalize()) if lacking else ""
    return f"By the list {called}: {read}. {guessed}".strip()


def _translated(labels: dict[str, str]) -> str:
    read = [f"“{label}” as {title(meant)}" for label, meant in sorted(labels.items()) if label != meant]
    return f" Labels: {', '.join(read)}." if read else ""


def _place(root: str, name: str, audio: _Audio, links: set[str]) -> tuple[str, str]:
    """Path inside the folder of a row's file, which may be missing, and why it cannot be used."""
    place = name.replace("\\", "/")
    place = place.removeprefix(root) if place.startswith(root) else re.sub(r"^(\./)+", "", place)
    if reason := listing.name_problem(place):
        return "", reason
    if links and not links.isdisjoint([place, *map(str, PurePosixPath(place).parents)]):
        return place, listing.LINK
    return audio.find(place)


def _people(places: Sequence[str], labels: Sequence[str]) -> list[str]:
    """People as far as the paths show; if there are no more folders than labels, the folders do not stand for people."""
    split = [place.rpartition("/")[::2] for place in places]
    if len({folder for folder, _ in split}) > len(set(labels)):
        return filenames.people([("", place) for place in places])
    return filenames.people(split)


def _given(
    table: pd.DataFrame, column: str | None, numbers: Sequence[int], otherwise: Iterable[str]
) -> list[str]:
    """Values of a column in some rows, with a default for empty cells."""
    values = [""] * len(table) if column is None else table[column].tolist()
    return [values[number] or other for number, other in zip(numbers, otherwise, strict=True)]


def _source(name: str) -> str:
    known = filenames.origin(name)
    return known[1] if known else "unknown"


class _Audio:
    """Finds the file that a list means: by its path, or by its name in any folder, with or without its ending."""

    def __init__(self, found: list[str]):
        self.paths = set(found)
        self.tops = {path.partition("/")[0] for path in found}
        self.called: dict[str, list[str]] = {}
        for path in found:
            keys = {path, path.rpartition("/")[2]}
            if listing.is_audio(path):
                keys |= {key.rpartition(".")[0] for key in keys}
            for key in keys:
                self.called.setdefault(key, []).append(path)

    def find(self, name: str) -> tuple[str, str]:
        """Path of the file, which may be missing, and what is unclear about it."""
        if name in self.paths:
            return name, ""
        inner = name
        # Many lists begin paths with the dataset's own folder or its parents.
        while "/" in inner and inner.partition("/")[0] not in self.tops:
            inner = inner.partition("/")[2]
        places = self.called.get(inner, [])
        if "/" in name:
            places = [path for path in places if inner in (path, path.rpartition(".")[0])]
        if len(places) > 1:
            return "", f"Several files are called so: {places[0]} and {places[1]}."
        return (places or [name])[0], ""

    def knows(self, name: str) -> bool:
        """Whether a file has this name."""
        return bool(name) and name.replace("\\", "/").rpartition("/")[2] in self.called
