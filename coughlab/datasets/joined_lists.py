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
    return _joined(one, other, key, other_key, files)


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


def _joined(one: FoundList, other: FoundList, key: str, other_key: str, files: Files) -> FoundList:
    label = other.columns.label
    by_id: dict[str, list[pd.Series]] = {}
    none, _ = labels.missing(other.table[label])
    for _, row in other.table.iterrows():
        by_id.setdefault(labels.folded(row[other_key]), []).append(row)
    conflicts = {}
    for value, rows in by_id.items():
        said = list(dict.fromkeys(row[label] for row in rows if row[label] not in none))
        if len(set(map(labels.folded, said))) > 1:
            conflicts[value] = said
        # Of several lines, one that has a label.
        rows.sort(key=lambda row: row[label] in none)
    ids = list(map(labels.folded, one.table[key]))
    skipped = []
    for name, value, shown in zip(one.table[one.columns.file], ids, one.table[key], strict=True):
        if not value or value not in by_id:
            skipped.append((name, _NO_PERSON.format(other.name, shown, key)))
        elif value in conflicts:
            skipped.append((name, _CONFLICT.format(other.name, shown, ", ".join(conflicts[value]))))
    skipped += [
        (rows[0][other_key], _NO_RECORDING.format(other.name, rows[0][other_key], one.name))
        for value, rows in by_id.items()
        if value and value not in set(ids)
    ]
    usable = [bool(value) and value in by_id and value not in conflicts for value in ids]
    table = one.table[usable].reset_index(drop=True).drop(columns=label, errors="ignore")
    further = [column for column in other.table if column not in table and column != other_key]
    for column in further:
        table[column] = [by_id[value][0][column] for value, used in zip(ids, usable, strict=True) if used]
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
