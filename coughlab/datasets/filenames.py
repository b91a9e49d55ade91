"""Finds the person and the source of a recording from file names."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from coughlab.datasets import name_parts
from coughlab.datasets.name_parts import PLACES, SEXES, Part
from coughlab.text import listed

#: File names of collections that are copied into other collections.
_ORIGINS = {
    "audioset": re.compile(r"(?P<person>.{11})_ [\d.]+_ [\d.]+\.\w+"),
    "coswara": re.compile(r"cough-(?:heavy|shallow)-(?P<person>\w+)\.\w+"),
    "virufy": re.compile(r"(?:pos|neg)-(?P<person>\d{4}-\d+)-cough-.*\.\w+"),
}

_GROUP = re.compile(rf"(?:{SEXES})|(?:{PLACES})(?:[-_. ]\w+|\d+)", re.IGNORECASE)
# Numbers that occur in the names of many people's recordings: diseases, dates and times, and numbered parts of a collection.
_NO_PERSON = re.compile(
    r"covid[-_ ]?19|sars[-_ ]?cov[-_ ]?2"
    r"|(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_T ]*(?:at)?[-_T ]*\d\d[-_:.h]?\d\d(?:[-_:.m]?\d\d)?)?"
    r"|(?<!\d)(?:19|20)\d\d(?!\d)"
    r"|(?:batch|set|dataset|data|fold|class|label|mic|device|phone|site|hospital|clinic|group|part|split|version|week|month"
    r"|year|round|wave|disc|cd|dir|folder|esc|mp|rec|recording|coughs?|audio|sound|sample|clip|file|track)[-_. ]?\d+"
    rf"|(?<![a-z])(?:{PLACES}|session|ses|visit|day|take|trial)[-_. ]?\d+",
    re.IGNORECASE,
)
#: More recordings than one person is likely to have if they are nearly all of a class: then the name may be that of the study.
#: Fewer are enough if it does not look like a person's.
_MANY, _SEVERAL, _NEARLY_ALL = 50, 10, 2 / 3
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
    #: Whether it looks like the name of a person, and like no other person's.
    sure: bool = True
    unique: bool = False
    #: The class, if this is a number that may count the recordings of the class; else "".
    counted_in: str = ""


def people(places: list[tuple[str, str]]) -> list[str]:
    """The person of each recording of a user's own collection, as far as the names show.

    A recording is given by a folder that does not stand for a person, such as that of a class ("" for none), and by the name
    inside it, with forward slashes. The recordings in a folder that may be named after a person (``p07/1``, ``alice/1``) belong
    to one person. So do those whose names have the same part that `coughlab.datasets.name_parts` takes for a person's (``p07_1``,
    ``p07_2``; ``anna_1``, ``anna_2``). A name that very many recordings share is ignored. Counted names (``cough1``, ``rec_001``)
    show nothing: each counts as a different person.

    The same person's name in several folders (``ill/p07``, ``well/p07``) is one person, although people may have been numbered
    anew in each: to join two people makes groups larger than they are, but to part one person puts them on both sides of a split.
    A number alone (``ill/7.wav``, ``well/7.wav``) may also count recordings. It is a person if more numbers of the two folders
    agree than could by chance. Folders of sexes, ages and places part people always.
    """
    likely = _likely(list(dict.fromkeys(place for place in places if not origin(place[1]))))
    same = _numbered_alike(likely.values())
    spelled: dict[str, str] = {}
    persons = {}
    for place, one in likely.items():
        person = _joined(one.group, same.get(one.counted_in, ""), one.name)
        persons[place] = spelled.setdefault(name_parts.same(person), person)
    together = Counter(persons.values())
    return [
        known[0]
        if (known := origin(place[1]))
        else persons[place]
        if place in persons and together[persons[place]] > 1
        else _joined(*place)
        for place in places
    ]


def _likely(places: list[tuple[str, str]]) -> dict[tuple[str, str], _Named]:
    """The likeliest person of each recording that may have one."""
    parts = {place: name_parts.split(_own(place)) for place in places}
    possible = {place: _named(place, parts[place]) for place in places}
    shared = Counter(one for several in possible.values() for one in several)
    # An id that every recording has another of is the recording's.
    of_recordings = not any(one.unique and shared[one] > 1 for one in shared)
    for place, several in possible.items():
        # In a folder that may be a person's, an id counts only if other recordings have it too.
        possible[place] = [
            one
            for one in several
            if not (of_recordings and one.unique) and (shared[one] > 1 or one.sure == several[-1].sure)
        ]
    found = _first_likely(possible)
    unclear = [
        place for place in places if place not in found and not any(one.sure for one in possible[place])
    ]
    compared = name_parts.compared([(place[0], _folder(place), parts[place]) for place in unclear])
    possible = {}
    for place, part in zip(unclear, compared, strict=True):
        one = _of(_groups(place, parts[place]), part.text, sure=False) if part else _alone(place)
        possible[place] = [one] if one else []
    return found | _first_likely(possible)


def _first_likely(possible: Mapping[tuple[str, str], list[_Named]]) -> dict[tuple[str, str], _Named]:
    """The first possible person of each recording that has not too many recordings of a folder."""
    sizes = Counter((folder, one) for (folder, _), several in possible.items() for one in several)
    folders = Counter(folder for folder, _ in possible)

    def is_likely(folder: str, one: _Named) -> bool:
        size = sizes[folder, one]
        few = size <= (_MANY if one.sure else _SEVERAL) or size <= _NEARLY_ALL * folders[folder]
        return few and (one.sure or size <= _MANY)

    first = {
        place: next((one for one in several if is_likely(place[0], one)), None)
        for place, several in possible.items()
    }
    return {place: one for place, one in first.items() if one}


def assumed(places: Sequence[tuple[str, str]], persons: Sequence[str]) -> str:
    """What `people` assumed about names that occur in several classes, in words; "" if there are none.

    A recording is given by its class and the name inside it.
    """
    classes, named, found = defaultdict(set), defaultdict(set), defaultdict(list)
    for (label, inside), person in zip(places, persons, strict=True):
        classes[person].add(label)
        named[inside].add(person)
        found[person].append((label, inside))
    shared = [person for person, labels in classes.items() if len(labels) > 1]
    counted = [name for name, several in named.items() if len(several) > 1]
    parts = {
        person: part
        for person, own in found.items()
        if len(own) > 1 and len(classes[person]) == 1 and (part := _only_compared(person, own))
    }
    said = []
    if shared:
        said.append(
            f"A name or number in several classes was taken for one person: {listed(map(_shown, sorted(shared)), most=3)}."
        )
    if parts:
        said.append(
            "A part that comes back in the names of files was taken for the name of a person:"
            f" {listed(parts.values(), most=3)}."
        )
    if counted:
        said.append(
            "Names that several classes have, and that may only count recordings, were taken for different people:"
            f" {listed(counted, most=3)}."
        )
    return " ".join([*said, _SETTLE]) if said else ""


def _only_compared(person: str, own: Sequence[tuple[str, str]]) -> str:
    """The person in the name of a file, in words, if only a comparison of names shows it; else ""."""
    name = own[0][1].rpartition("/")[2]
    if person == stem(name) or origin(name) or _named(own[0], name_parts.split(_own(own[0]))):
        return ""
    return f"{_shown(person)} in {name}"


def _shown(person: str) -> str:
    """A person as people read it: the group is no part of the name."""
    group, _, name = person.rpartition("/")
    return f"{name} of {group}" if group else name


def _joined(*parts: str) -> str:
    return "/".join(filter(None, parts))


def _named(place: tuple[str, str], parts: Sequence[Part]) -> list[_Named]:
    """The people whom the folders or the name of a recording identify without a comparison, the likeliest first."""
    above = PurePosixPath(place[1]).parts[:-1]
    # A folder with a number first: another one around it may stand for a kind of recording.
    if person := next(filter(_may_be_person, above), None):
        return [_of(_groups(place, ()), person)]
    group, unique = _groups(place, parts), name_parts.UNIQUE
    found = [_of(group, part.text, unique=part.rank == unique) for part in name_parts.surest(parts)]
    if person := next(filter(_may_be_name, above), None):
        found.append(_of(_groups(place, ()), person, sure=False))
    return found


def _alone(place: tuple[str, str]) -> _Named | None:
    """The person that a name without further parts identifies: ``7``, ``Anna``, ``x12``."""
    group, own = _groups(place, ()), _own(place)
    if re.fullmatch(r"0*\d{1,4}", own):
        return _Named(group, own.lstrip("0") or "0", sure=False, counted_in=_folder(place))
    is_word = own.isalpha() and len(own) > 2 and _may_be_name(own)
    return _of(group, own, sure=False) if is_word or (own.isalnum() and _may_be_person(own)) else None


def _groups(place: tuple[str, str], parts: Iterable[Part]) -> str:
    folders = (place[0], *PurePosixPath(place[1]).parts[:-1])
    named = (part.text for part in parts if part.kind == "group")
    return _joined(*filter(_GROUP.fullmatch, folders), *named)


def _folder(place: tuple[str, str]) -> str:
    return _joined(place[0], *PurePosixPath(place[1]).parts[:-1])


def _own(place: tuple[str, str]) -> str:
    return _without(place[0], stem(place[1]))


def _of(group: str, name: str, sure: bool = True, unique: bool = False) -> _Named:
    # Long numbers are unique; short ones start again in each group.
    return _Named("" if unique or re.search(r"\d{5}", name) else group, name, sure, unique)


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
    # Most collections have one such set of folders, in which the number alone is the person's name.
    main, size = Counter(first.values()).most_common(1)[0] if first else ("", 0)
    return {folder: "" if other == main and size > 1 else other for folder, other in first.items()}


def _agree(one: set[int], other: set[int]) -> bool:
    """Whether more of the numbers agree than by chance: Fisher's exact test, one-sided, of all numbers between the ends."""
    from scipy.stats import hypergeom  # slow to import, and few collections need it

    every = max(one | other) - min(one | other) + 1
    # Counted without gaps, which agree by necessity; many collections are.
    if every in (len(one), len(other)):
        return False
    return hypergeom.sf(len(one & other) - 1, every, len(one), len(other)) < _CHANCE


def _may_be_name(word: str) -> bool:
    return not re.search(r"\d", word) and not name_parts.is_of_nobody(word)


def _may_be_person(word: str) -> bool:
    return bool(re.search(r"\d", _NO_PERSON.sub("", word)))
