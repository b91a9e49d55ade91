"""Joins a list of people, with their labels, and a list of their recordings, with file names, by the column that both have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coughlab.datasets import columns as headers
from coughlab.datasets import labels
from coughlab.datasets.columns import Columns
from coughlab.datasets.matching import Files

if TYPE_CHECKING:
    import pandas as pd

_NO_PERSON = "The list of labels, {}, has no line for “{}” of the column “{}”."
_CONFLICT = "The list {} gives “{}” several labels: {}."
_NO_RECORDING = "The list {} has “{}”, but the list of files, {}, names no recording of it."


@dataclass(frozen=True)
class FoundList:
    """A list of recordings."""

    #: The name of its file, or of both.
    name: str
    table: pd.DataFrame
    columns: Columns
    #: Sentences on how it was read.
    remarks: str = ""
    #: Names and reasons of rows that cannot be used.
    skipped: list[tuple[str, str]] = field(default_factory=list)


def join(lists: Sequence[FoundList], files: Files) -> FoundList | None:
    """One list from the only two that give file names and labels together; None if there are no such two, or several."""
    with_files = [one for one in lists if one.columns.file and not one.columns.label]
    with_labels = [one for one in lists if one.columns.label]
    pairs = [
        (one, other, keys)
        for one in with_files
        if files.similar(one.table[one.columns.file])
        for other in with_labels
        if one is not other and (keys := _keys(one, other))
    ]
    if len(pairs) != 1:
        return None
    one, other, (key, other_key) = pairs[0]
    return _joined(one, other, key, other_key)


def apart(lists: Sequence[FoundList]) -> list[str]:
    """Why lists that give file names and labels together are not joined."""
    with_files = [one for one in lists if one.columns.file and not one.columns.label]
    with_labels = [one for one in lists if one.columns.label and not one.columns.file]
    if not with_files or not with_labels:
        return []
    files, people = (" and ".join(one.name for one in some) for some in (with_files, with_labels))
    return [
        f"File names are in {files}, labels in {people}. They are joined if there is one of each, its files are in the"
        " folder, and both have a column of the same name, such as “participant”, with each value once in the list of labels."
    ]


def _keys(one: FoundList, other: FoundList) -> tuple[str, str] | None:
    """The columns by which lines of two lists belong together, of the same name or both of people's ids."""
    ids = set(headers.persons(one.table)), set(headers.persons(other.table))
    possible = []
    for key in one.table.columns.drop(one.columns.file):
        for other_key in other.table.columns.drop(other.columns.label):
            same = labels.folded(key) == labels.folded(other_key)
            values = set(map(labels.folded, other.table[other_key])) - {""}
            common = len(values & set(map(labels.folded, one.table[key])))
            if (
                (same or (key in ids[0] and other_key in ids[1]))
                and common
                and 2 * len(values) > len(other.table)
            ):
                possible.append(((same, key in ids[0], common), (key, other_key)))
    return max(possible)[1] if possible else None


def _joined(one: FoundList, other: FoundList, key: str, other_key: str) -> FoundList:
    ids, other_ids = one.table[key].tolist(), other.table[other_key].tolist()
    # Capitals may tell people apart.
    if set(ids).isdisjoint(other_ids):
        ids, other_ids = list(map(labels.folded, ids)), list(map(labels.folded, other_ids))
    people, conflicts = _people(other, other_ids)
    skipped = []
    for name, value in zip(one.table[one.columns.file], ids, strict=True):
        if value in conflicts:
            skipped.append((name, _CONFLICT.format(other.name, value, ", ".join(conflicts[value]))))
        elif value not in people:
            skipped.append((name, _NO_PERSON.format(other.name, value, key)))
    without = people.keys() - set(ids)
    skipped += [
        (value, _NO_RECORDING.format(other.name, value, one.name)) for value in people if value in without
    ]
    usable = [value in people and value not in conflicts for value in ids]
    label = other.columns.label
    table = one.table[usable].reset_index(drop=True).drop(columns=label, errors="ignore")
    rows = [people[value] for value, used in zip(ids, usable, strict=True) if used]
    for column in other.table.columns.difference([*table, other_key], sort=False):
        table[column] = other.table[column].to_numpy()[rows]
    person = one.columns.person or other.columns.person
    columns = Columns(
        one.columns.file,
        label,
        person if person in table else key,
        one.columns.source or (other.columns.source if other.columns.source in table else ""),
        other.columns.remarks,
    )
    same = f"the column “{key}”" if key == other_key else f"the columns “{key}” and “{other_key}”"
    return FoundList(
        f"{one.name}, joined with {other.name} by {same}",
        table,
        columns,
        " ".join(filter(None, [one.remarks, other.remarks])),
        skipped,
    )


def _people(other: FoundList, ids: Sequence[str]) -> tuple[dict[str, int], dict[str, list[str]]]:
    """For each id in a list of labels a line, one with a label if there is one, and the labels of each id that has several."""
    said = other.table[other.columns.label].tolist()
    none, _ = labels.missing(said)
    lines: dict[str, int] = {}
    found: dict[str, dict[str, str]] = {}
    for line, (value, label) in enumerate(zip(ids, said, strict=True)):
        if value and label not in none:
            if value not in found:
                lines[value] = line
            found.setdefault(value, {}).setdefault(labels.folded(label), label)
        elif value:
            lines.setdefault(value, line)
    return lines, {value: list(several.values()) for value, several in found.items() if len(several) > 1}
