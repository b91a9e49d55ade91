"""Finds the person and the source of a recording from file names."""

import re
from collections import Counter
from pathlib import PurePosixPath

#: File names of collections that are copied into other collections.
_ORIGINS = {
    "audioset": re.compile(r"(?P<person>.{11})_ [\d.]+_ [\d.]+\.\w+"),
    "coswara": re.compile(r"cough-(?:heavy|shallow)-(?P<person>\w+)\.\w+"),
    "virufy": re.compile(r"(?:pos|neg)-(?P<person>\d{4}-\d+)-cough-.*\.\w+"),
}

_WORDS = "take|rec|recordings?|coughs?|heavy|shallow|deep|fast|slow|seg|segments?|part|clip|chunk|sample|audio|sound|trial|track"
# Suffix that numbers the takes of one person, after the person's name: _2, -A, _cough-03, _s1_take2, (1).
_TAKE = re.compile(
    rf"(?P<person>.+?)(?:[-_. ]{{1,3}}(?:s|ses|session|v|visit|day)[-_]?\d{{1,2}})?"
    rf"(?:[-_. ]{{1,3}}(?:{_WORDS}|[a-z])?[-_. ]?\d{{1,3}}|(?:[-_. ]{{1,3}}(?:{_WORDS}))+|[-_. ]{{1,3}}[a-z]| ?\(\d+\))",
    re.IGNORECASE,
)
# Names of folders that stand for groups of people or kinds of recordings.
_KINDS = (
    rf"{_WORDS}|male|female|men|women|adults?|child(?:ren)?|other|unknown|noise|background|original|segmented"
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Numbers that occur in the names of many people's recordings: diseases, dates and times, and numbered parts of a collection.
_NO_PERSON = re.compile(
    r"covid[-_ ]?19|sars[-_ ]?cov[-_ ]?2"
    r"|(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_T ]*(?:at)?[-_T ]*\d\d[-_:.h]?\d\d(?:[-_:.m]?\d\d)?)?"
    r"|(?<!\d)(?:19|20)\d\d(?!\d)"
    r"|(?:batch|set|dataset|data|fold|class|label|mic|device|phone|site|hospital|clinic|group|part|split|version|week|month"
    r"|year|round|wave|disc|cd|dir|folder|esc|mp|rec|recording|coughs?|audio|sound|sample|clip|file|track)[-_. ]?\d+",
    re.IGNORECASE,
)
#: More recordings than one person is likely to have: a name that they share is not a person's.
_MANY = 50


def stem(name: str) -> str:
    """File name without folders and ending."""
    return PurePosixPath(name).stem


def origin(name: str) -> tuple[str, str] | None:
    """Person, such as ``coswara:3CwioNQVDBQ6CttLyFVRJpMpVHk2``, and source of a file name of a known public collection.

    The person of an AudioSet clip is the YouTube video that it was cut from.
    """
    last = name.rpartition("/")[2]
    for source, pattern in _ORIGINS.items():
        if match := pattern.fullmatch(last):
            return f"{source}:{match['person']}", source
    return None


def people(places: list[tuple[str, str]]) -> list[str]:
    """The person of each recording of a user's own collection, as far as the names show.

    A recording is given by a folder that does not stand for a person, such as that of a class ("" for none), and by the name
    inside it, with forward slashes. Names that differ only in a take number at the end (``p07_1``, ``p07_2``; ``1-30344-A``,
    ``1-30344-B``) belong to one person if the common part has a number that may identify a person: not a date, and not a counter
    of something else. The recordings in a folder that may be named after a person (``p07/1``, ``alice/1``) belong to one person
    too. A name that very many recordings share is ignored. Counted names (``cough1``, ``rec_001``) show nothing: each counts as a
    different person.
    """
    known = {place: origin(place[1]) for place in places}
    persons = {place: found[0] if found else _person(*place) for place, found in known.items()}
    sizes = Counter(persons.values())
    largest = min(_MANY, max(10, len(persons) // 5))
    return [
        persons[place]
        if known[place] or 1 < sizes[persons[place]] <= largest
        else "/".join(filter(None, place))
        for place in places
    ]


def _person(folder: str, name: str) -> str:
    """The part of a name that may identify a person, or the whole name without its ending."""
    path = PurePosixPath(name)
    inside = path.parts[0]
    if len(path.parts) > 1 and (_may_be_person(inside) or not re.search(rf"\d|^(?:{_KINDS})$", inside, re.I)):
        person = inside
    else:
        match = None if _UUID.fullmatch(path.stem) else _TAKE.fullmatch(path.stem)
        person = match["person"] if match and _may_be_person(match["person"]) else path.stem
        folder = "/".join(filter(None, [folder, *path.parts[:-1]]))
    # Long numbers are unique; short numbers often start again in each folder.
    return person if not folder or re.search(r"\d{5}", person) else f"{folder}/{person}"


def _may_be_person(word: str) -> bool:
    return bool(re.search(r"\d", _NO_PERSON.sub("", word)))
