"""Finds the meaning of a list's columns from their headers and, for file names, from their content."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# The likeliest first. A header of several words counts if one of these words is in it.
_FILE = "file filename file_name file_path filepath path recording file_properties audio audio_file wav clip sound uuid id"
_LABEL = (
    "label class category target diagnosis covid covid19 covid_19 covid_status corona_test test_result status result outcome"
    " pcr condition disease y"
)
_PERSON = "person patient subject participant speaker user client volunteer individual pid src_file"
_SOURCE = "source site device hospital clinic microphone mic origin dataset collection corpus recorder phone platform centre"
#: Headers of required columns, for messages.
ACCEPTED = {
    "file names": "file, filename, path, recording or audio",
    "labels": "label, class, category, diagnosis, covid, result, status or condition",
}
# With another word beside them, "file" and "person" mean something else: a person's age, a file's size.
_BESIDE_FILE = "file name path audio relative full cough url"
_BESIDE_PERSON = "id no nr number code name uid key hash"


def columns(table: "pd.DataFrame", is_file: Callable[[str], bool]) -> dict[str, str]:
    """Which columns of a list, read as text, hold ``file`` and ``label``, and ``person`` and ``source`` where it has them.

    LookupError with "file names" or "labels": there is no such column.
    """
    called = _called(table, _FILE, _BESIDE_FILE)
    share = {column: sum(map(is_file, table[column])) for column in table}
    best = max(called or table, key=share.__getitem__)
    if not share[best]:
        # No column with such a name has existing files: take any other column that does, or else assume that all files are
        # missing.
        best = max(table, key=share.__getitem__) if any(share.values()) else next(iter(called), None)
    if best is None:
        raise LookupError("file names")
    rest = table.drop(columns=best)
    labels = _called(rest, _LABEL)
    if not labels:
        raise LookupError("labels")
    chosen, rest = {"file": best, "label": labels[0]}, rest.drop(columns=labels[0])
    persons = _called(rest, _PERSON, _BESIDE_PERSON)
    # An id that several files share does not identify a file.
    if not persons and "id" in rest and rest["id"].nunique() < table[best].nunique():
        persons = ["id"]
    # A value that differs for nearly every recording is not a source.
    most = max(2, len(rest) // 2)
    sources = [column for column in _called(rest, _SOURCE) if len(set(rest[column]) - {""}) <= most]
    for what, found in (
        ("person", persons),
        ("source", [column for column in sources if column not in persons]),
    ):
        if found:
            chosen[what] = found[0]
    return chosen


def _called(table: "pd.DataFrame", words: str, beside: str | None = None) -> list[str]:
    """Columns whose header is one of some words, or contains one, the likeliest first."""
    headers = {column: re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_") for column in table}
    exact = [column for word in words.split() for column in table if headers[column] == word]
    holding = [
        column
        for word in words.split()
        for column in table
        if word in (parts := set(headers[column].split("_")))
        and (beside is None or parts - {word} <= set(beside.split()))
    ]
    return list(dict.fromkeys(exact + holding))
