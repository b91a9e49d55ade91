"""Makes one list of several: of parts, of people and their recordings, or of people and the files that are named after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from coughlab.datasets import columns as headers
from coughlab.datasets import ids, labels
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
    #: The column whose values begin the names of files or of folders, if no column names files.
    named_after: str = ""
    #: The names of all lists that were put together.
    parts: tuple[str, ...] = ()


def in_parts(lists: Sequence[FoundList], files: Files) -> list[FoundList]:
    """Lists without parts of others; those with the same header and different files, as for training and test, are one."""
    kept: list[FoundList] = []
    for one in lists:
        for number, other in enumerate(kept):
            if list(one.table) != list(other.table) or one.columns.file != other.columns.file:
                continue
            lines = [set(each.table.itertuples(index=False, name=None)) for each in (one, other)]
            if lines[0] <= lines[1] or lines[0] > lines[1]:
                less, more = (one, other) if lines[0] <= lines[1] else (other, one)
                said = f"{more.remarks} All lines of {less.name} are in {more.name}.".strip()
                kept[number] = replace(more, remarks=said, parts=more.parts + less.parts)
                break
            names = _names(one, files), _names(other, files)
            if all(names) and names[0].isdisjoint(names[1]):
                kept[number] = _together(other, one, files)
                break
        else:
            kept.append(one)
    return kept


def _names(one: FoundList, files: Files) -> set[str]:
    """The files of a list that are there, or its people if it has no column of files."""
    if one.columns.file:
        return {match.path for match in files.match(one.table[one.columns.file].tolist())} & files.paths
    return set(one.table[one.columns.person]) if one.columns.person else set()


def _together(one: FoundList, other: FoundList, files: Files) -> FoundList:
    import pandas as pd

    table = pd.concat([one.table, other.table], ignore_index=True)
    return replace(
        one,
        name=f"{one.name} and {other.name}",
        table=table,
        columns=headers.find(table, files),
        remarks=" ".join(dict.fromkeys(filter(None, [one.remarks, other.remarks]))),
        parts=one.parts + other.parts,
    )


def people(lists: Sequence[FoundList], files: Files) -> tuple[FoundList | None, dict[str, str]]:
    """A list of files and people, and the person of each file that it names; None if there is no such list."""
    for one in lists:
        if one.columns.file and one.columns.person:
            matches = files.match(one.table[one.columns.file].tolist())
            pairs = zip(matches, one.table[one.columns.person], strict=True)
            if found := {match.path: person for match, person in pairs if match.path in files.paths}:
                return one, found
    return None, {}


def with_people(one: FoundList, lists: Sequence[FoundList], files: Files) -> FoundList:
    """A list without people, with those that another list gives for its files."""
    other, found = (None, {}) if one.columns.person else people(lists, files)
    persons = [found.get(match.path, "") for match in files.match(one.table[one.columns.file].tolist())]
    if not other or not any(persons):
        return one
    where = f"{other.columns.person} of {other.name}"
    return replace(
        one,
        table=one.table.assign(**{where: persons}),
        columns=replace(one.columns, person=where),
        parts=one.parts + other.parts,
    )


def by_id(one: FoundList, files: Files) -> FoundList | None:
    """A list of people, with a line for each file named after a person, or in a folder that is; None if most have none."""
    for column in headers.persons(one.table):
        values = one.table[column].tolist()
        named = files.named_after(values)
        found = [named.get(value, []) for value in values]
        if len(set(map(ids.folded, values))) < len(values):
            continue
        if one.columns.file and column != one.columns.file:
            lasts = [name.replace("\\", "/").rpartition("/")[2] for name in one.table[one.columns.file]]
            found = [
                [path for path in paths if path.rpartition("/")[2] == last]
                for paths, last in zip(found, lasts, strict=True)
            ]
        if 2 * sum(map(bool, found)) <= len(found):
            continue
        rows = [(number, path) for number, paths in enumerate(found) for path in paths]
        file = f"files of “{column}”"
        table = one.table.iloc[[number for number, _ in rows]].reset_index(drop=True)
        table[file] = [path for _, path in rows]
        skipped = [
            (value, "No file or folder is named after it.")
            for value, paths in zip(values, found, strict=True)
            if not paths
        ]
        columns = replace(one.columns, file=file, person=column)
        return replace(
            one, table=table, columns=columns, skipped=[*one.skipped, *skipped], named_after=column
        )
    return None


def join(lists: Sequence[FoundList], files: Files) -> FoundList | None:
    """One list from the only two that give file names and labels together; None if there are no such two, or several.

    Labels that are a guess are no labels beside better ones in another list.
    """
    with_files = [one for one in lists if one.columns.file and one.columns.rank >= headers.GUESS]
    pairs = [
        (one, other, keys)
        for one in with_files
        if files.similar(one.table[one.columns.file])
        for other in lists
        if other.columns.label and other.columns.rank < one.columns.rank and (keys := _keys(one, other))
    ]
    pairs.sort(key=lambda pair: pair[1].columns.rank)
    if not pairs or any(
        one is not pairs[0][0] or other.columns.rank == pairs[0][1].columns.rank
        for one, other, _ in pairs[1:]
    ):
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
    said = [
        f"File names are in {files}, labels in {people}. They are joined if there is one of each, its files are in the"
        " folder, and both have a column of the same name, such as “participant”, with each value once in the list of labels."
    ]
    if len(with_files) == len(with_labels) == 1:
        said.append(_why_apart(with_files[0], with_labels[0]))
    return list(filter(None, said))


def _why_apart(one: FoundList, other: FoundList) -> str:
    for key in one.table:
        if key in other.table and key not in (one.columns.file, other.columns.label):
            values, others = (list(filter(None, found.table[key])) for found in (one, other))
            if values and others and set(map(ids.folded, values)).isdisjoint(map(ids.folded, others)):
                return (
                    f"The column “{key}” has other values in both, such as “{values[0]}” in {one.name} and “{others[0]}” in"
                    f" {other.name}: write them alike."
                )
    return ""


def _keys(one: FoundList, other: FoundList) -> tuple[str, str] | None:
    """The columns by which lines of two lists belong together, of the same name or both of people's ids."""
    people = set(headers.persons(one.table)), set(headers.persons(other.table))
    possible = []
    for key in one.table.columns.drop(one.columns.file):
        for other_key in other.table.columns.drop(other.columns.label):
            if headers.is_of_people(key) or headers.is_of_people(other_key):
                continue
            same = labels.folded(key) == labels.folded(other_key)
            values = set(map(ids.folded, filter(ids.is_given, other.table[other_key])))
            common = len(values & set(map(ids.folded, one.table[key])))
            if (
                (same or (key in people[0] and other_key in people[1]))
                and common
                and 2 * len(values) > len(other.table)
            ):
                possible.append(((same, key in people[0], common), (key, other_key)))
    return max(possible)[1] if possible else None


def _joined(one: FoundList, other: FoundList, key: str, other_key: str) -> FoundList:
    own, others = (
        [value if ids.is_given(value) else "" for value in column]
        for column in (one.table[key], other.table[other_key])
    )
    # Capitals or zeros may tell people apart.
    if len(set(map(ids.folded, others))) == len(set(others)):
        own, others = list(map(ids.folded, own)), list(map(ids.folded, others))
    people, conflicts = _people(other, others)
    skipped = []
    for name, value, spelled in zip(one.table[one.columns.file], own, one.table[key], strict=True):
        if value in conflicts:
            skipped.append((name, _CONFLICT.format(other.name, spelled, ", ".join(conflicts[value]))))
        elif value not in people:
            skipped.append((name, _NO_PERSON.format(other.name, spelled, key)))
    known = set(own)
    for value, line in people.items():
        if value not in known:
            spelled = other.table[other_key][line]
            skipped.append((spelled, _NO_RECORDING.format(other.name, spelled, one.name)))
    usable = [value in people and value not in conflicts for value in own]
    label = other.columns.label
    table = one.table[usable].reset_index(drop=True).drop(columns=label, errors="ignore")
    rows = [people[value] for value, used in zip(own, usable, strict=True) if used]
    for column in other.table.columns.difference([*table, other_key], sort=False):
        table[column] = other.table[column].to_numpy()[rows]
    person = one.columns.person or other.columns.person
    left = one.columns.label
    not_taken = (
        f"The column “{left}” of {one.name} was not taken for labels." if left and left != label else ""
    )
    columns = Columns(
        one.columns.file,
        label,
        person if person in table else key,
        one.columns.source or (other.columns.source if other.columns.source in table else ""),
        f"{other.columns.remarks} {not_taken}".strip(),
        other.columns.rank,
    )
    same = f"the column “{key}”" if key == other_key else f"the columns “{key}” and “{other_key}”"
    table.attrs = other.table.attrs
    return FoundList(
        f"{one.name}, joined with {other.name} by {same}",
        table,
        columns,
        " ".join(filter(None, [one.remarks, other.remarks])),
        skipped,
        parts=one.parts + other.parts,
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
