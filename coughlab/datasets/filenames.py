"""Finds the person and the source of a recording from file names."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from coughlab.text import listed

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
# Groups that a person is in only one of: the same number in two of them is two people.
_GROUPS = "male|female|men|women|boys?|girls?|adults?|child(?:ren)?|kids"
_PLACES = "site|hospital|clinic|cent(?:er|re)|cohort|group|school|ward"
_GROUP = re.compile(rf"(?:{_GROUPS})|(?:{_PLACES})(?:[-_. ]\w+|\d+)", re.IGNORECASE)
# Names of folders and files that stand for groups of people, parts of a dataset or kinds of recordings.
_KINDS = (
    rf"{_WORDS}|{_GROUPS}|other|unknown|noise|background|original|segmented|train(?:ing)?|test(?:ing)?|val(?:id(?:ation)?)?|dev"
    r"|data(?:set)?|wavs?|raw|clips|breath(?:ing)?|breaths|speech|vowels?|counting|sneezes?|laugh(?:ter|ing)?"
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Numbers that occur in the names of many people's recordings: diseases, dates and times, and numbered parts of a collection.
_NO_PERSON = re.compile(
    r"covid[-_ ]?19|sars[-_ ]?cov[-_ ]?2"
    r"|(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_T ]*(?:at)?[-_T ]*\d\d[-_:.h]?\d\d(?:[-_:.m]?\d\d)?)?"
    r"|(?<!\d)(?:19|20)\d\d(?!\d)"
    r"|(?:batch|set|dataset|data|fold|class|label|mic|device|phone|site|hospital|clinic|group|part|split|version|week|month"
    r"|year|round|wave|disc|cd|dir|folder|esc|mp|rec|recording|coughs?|audio|sound|sample|clip|file|track)[-_. ]?\d+"
    rf"|(?<![a-z])(?:{_PLACES}|session|ses|visit|day|take|trial)[-_. ]?\d+",
    re.IGNORECASE,
)
#: More recordings of a class than one person is likely to have: a name that they share is not a person's.
_MANY = 50
#: Numbers of two classes name the same people if so many would agree by chance in fewer than this share of cases.
_CHANCE = 0.001
_SETTLE = "If that is wrong, add a CSV list with columns of files, labels and people."


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


class _Named(NamedTuple):
    """The person that a name may identify."""

    #: Groups of people that the person is in, as far as the folders show.
    group: str
    name: str
    #: The class, if this is a number that may count the recordings of the class; else "".
    counted_in: str = ""


def people(places: list[tuple[str, str]]) -> list[str]:
    """The person of each recording of a user's own collection, as far as the names show.

    A recording is given by a folder that does not stand for a person, such as that of a class ("" for none), and by the name
    inside it, with forward slashes. Names that differ only in a take number at the end (``p07_1``, ``p07_2``; ``1-30344-A``,
    ``1-30344-B``) belong to one person if the common part has a number that may identify a person: not a date, and not a counter
    of something else. The recordings in a folder that may be named after a person (``p07/1``, ``alice/1``) belong to one person
    too. A name that very many recordings share is ignored. Counted names (``cough1``, ``rec_001``) show nothing: each counts as a
    different person.

    The same person's name in several folders (``ill/p07``, ``well/p07``) is one person, although people may have been numbered
    anew in each: to join two people makes groups larger than they are, but to part one person puts them on both sides of a split.
    A number alone (``ill/7.wav``, ``well/7.wav``) may also count recordings. It is a person if more numbers of the two folders
    agree than could by chance. Folders of sexes, ages and places part people always.
    """
    named = {place: None if origin(place[1]) else _named(*place) for place in places}
    sizes = Counter((folder, one) for (folder, _), one in named.items())
    most = min(_MANY, max(10, len(named) // 5))
    likely = {place: one for place, one in named.items() if one is not None and sizes[place[0], one] <= most}
    same = _numbered_alike(likely.values())
    spelled: dict[str, str] = {}
    persons = {}
    for place, one in likely.items():
        person = _joined(one.group, same.get(one.counted_in, ""), one.name)
        persons[place] = spelled.setdefault(person.casefold(), person)
    together = Counter(persons.values())
    return [
        known[0]
        if (known := origin(place[1]))
        else persons[place]
        if place in persons and together[persons[place]] > 1
        else _joined(*place)
        for place in places
    ]


def assumed(places: Sequence[tuple[str, str]], persons: Sequence[str]) -> str:
    """What `people` assumed about names that occur in several classes, in words; "" if there are none.

    A recording is given by its class and the name inside it.
    """
    classes, named = defaultdict(set), defaultdict(set)
    for (label, inside), person in zip(places, persons, strict=True):
        classes[person].add(label)
        named[inside].add(person)
    shared = sorted(person for person, labels in classes.items() if len(labels) > 1)
    counted = [name for name, several in named.items() if len(several) > 1]
    said = []
    if shared:
        said.append(
            f"A name or number in several classes was taken for one person: {listed(shared, most=3)}."
        )
    if counted:
        said.append(
            f"Names that only count recordings were taken for different people: {listed(counted, most=3)}."
        )
    return " ".join([*said, _SETTLE]) if said else ""


def _joined(*parts: str) -> str:
    return "/".join(filter(None, parts))


def _named(folder: str, name: str) -> _Named | None:
    """The person that a recording may be of; None if its name only counts recordings, or says what is heard."""
    *above, last = PurePosixPath(name).parts
    group = _joined(*(part for part in (folder, *above) if _GROUP.fullmatch(part)))
    # A folder with a number first: another one around it may stand for a kind of recording.
    for is_person in (_may_be_person, _may_be_name):
        if person := next(filter(is_person, above), None):
            return _of(group, person)
    own = _without(folder, stem(last))
    match = None if _UUID.fullmatch(own) else _TAKE.fullmatch(own)
    if match and _may_be_person(match["person"]):
        return _of(group, match["person"])
    if re.fullmatch(r"0*\d{1,4}", own):
        return _Named(group, str(int(own)), _joined(folder, *above))
    is_name = _may_be_person(own) or (own.isalpha() and len(own) > 2 and _may_be_name(own))
    return _of(group, own) if is_name and not match else None


def _of(group: str, name: str) -> _Named:
    # Long numbers are unique; short ones start again in each group.
    return _Named("" if re.search(r"\d{5}", name) or _UUID.fullmatch(name) else group, name)


def _without(folder: str, name: str) -> str:
    """A name without that of its folder, which many files repeat: ``p07_hand`` in ``hand``."""
    if not folder:
        return name
    rest = re.sub(rf"(?:^|[-_. ]+){re.escape(folder)}(?=$|[-_. ])", "", name, flags=re.IGNORECASE)
    return rest.strip("-_. ") or name


def _numbered_alike(named: Iterable[_Named]) -> dict[str, str]:
    """For each folder with numbers that may count recordings: the first folder whose numbers name the same people."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for one in named:
        if one.counted_in:
            numbers[one.counted_in].add(int(one.name))
    first: dict[str, str] = {}
    for folder, own in numbers.items():
        alike = (other for other in first if _agree(numbers[other], own))
        first[folder] = first[other] if (other := next(alike, None)) is not None else folder
    return first


def _agree(one: set[int], other: set[int]) -> bool:
    """Whether more of the numbers agree than by chance: Fisher's exact test, one-sided, of all numbers between the ends."""
    from scipy.stats import hypergeom  # slow to import, and few collections need it

    every = max(one | other) - min(one | other) + 1
    # Counted without gaps, which agree by necessity; many collections are.
    if every in (len(one), len(other)):
        return False
    return hypergeom.sf(len(one & other) - 1, every, len(one), len(other)) < _CHANCE


def _may_be_name(word: str) -> bool:
    return not re.search(rf"\d|^(?:{_KINDS})$", word, re.IGNORECASE)


def _may_be_person(word: str) -> bool:
    return bool(re.search(r"\d", _NO_PERSON.sub("", word)))
