"""The parts of file names, and which of them tells who was recorded.

A part may show by itself what it is: a date, the kind of recording, or an id (``P07``, ``patient 7``, a UUID). Where no part
does, names of the same shape are compared, such as ``anna_1``, ``anna_2`` and ``ben_1``: the person is the part that varies and
comes back. If several parts do, such as the number of the take, it is the first of them, unless a later one has more different
values and looks more like people: each value is in one class only, it is a word and the first is a number, or its numbers do not
count from 1.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

WORDS = "take|rec|recordings?|coughs?|heavy|shallow|deep|fast|slow|seg|segments?|part|clip|chunk|sample|audio|sound|trial|track"
# Groups that a person is in only one of: the same number in two of them is two people.
SEXES = "male|female|men|women|boys?|girls?|adults?|child(?:ren)?|kids"
PLACES = "site|hospital|clinic|cent(?:er|re)|cohort|group|school|ward"
#: Names that stand for groups of people, parts of a dataset or kinds of recordings.
KINDS = (
    rf"{WORDS}|{SEXES}|other|unknown|noise|background|original|segmented|train(?:ing)?|test(?:ing)?|val(?:id(?:ation)?)?|dev"
    r"|data(?:set)?|wavs?|raw|clips|breath(?:ing)?|breaths|speech|vowels?|counting|sneezes?|laugh(?:ter|ing)?"
)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

#: How, when and with what a recording was made: words that say nothing of who was recorded.
HOW = (
    "pre|post|before|after|baseline|follow|up|followup|morning|noon|evening|night|left|right|front|back|upper|lower|phone"
    "|smartphone|mobile|iphone|android|stetho|stethoscope|mic|microphone|near|far|mask|nomask|with|without|mono|stereo|inhal(?:e|ation)"
    "|exhal(?:e|ation)|nose|nasal|mouth|oral|throat|chest|trachea|lung|heart|forced|voluntary|spontaneous|induced|dry|wet"
    "|productive|whoop(?:ing)?|bark(?:ing)?|normal|loud|quiet|soft|hard|long|short|single|multiple|final|new|old|copy|edited|clean"
    "|cleaned|denoised|filtered|aug|augmented|orig|file|mp3|flac|ogg|webm|hz|khz|cut|trim|trimmed|silence|talk|talking|speaking"
    "|reading|counts?|vocal|voice"
)
# What a person may have several of, with its number.
_COUNTED = "mic|phone|session|ses|sess|visit|day|take|trial|version|ver|week|month|year"
# Parts of a collection, in which recordings may be counted anew.
_CONTAINERS = "batch|set|dataset|data|fold|class|label|device|part|split|round|wave|disc|dir|folder"
_MARKS = "patients?|pat|subjects?|subj?|participants?|speakers?|spk|users?|proband|person|paciente|sujet|volunteer|case"
# Letters before a number that mark people, the surest last.
_LETTERS = ("s", "n", "id", "pp", "pt", "p")
_DATE = re.compile(
    r"covid[-_ ]?19|sars[-_ ]?cov[-_ ]?2"
    r"|(?<!\d)(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_T ]*(?:at)?[-_T ]*\d\d[-_:.h]?\d\d(?:[-_:.m]?\d\d)?)?"
    r"|(?<!\d)[0-3]\d[-_.]?[01]\d[-_.]?(?:19|20)\d\d(?!\d)|(?<!\d)(?:19|20)\d\d(?!\d)"
    r"|(?<!\d)1[4-9]\d{8}(?:\d{3})?(?!\d)",  # seconds or milliseconds since 1970
    re.IGNORECASE,
)
_SHORT_DATE = re.compile(r"\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])|(?:[0-2]\d|3[01])(?:0[1-9]|1[0-2])\d\d")
_UNKNOWING = re.compile(rf"(?:{KINDS}|{HOW}|{_COUNTED}|{_CONTAINERS})", re.IGNORECASE)
_SPLITS = "train|training|test|testing|val|valid|validation|eval|evaluation|dev"
_PARTS = (
    rf"{_SPLITS}|data|dataset|audio|audios|wav|wavs|raw|clips|recordings"
    "|files|sounds"
)
# In these a collection is split; together with another such word, or with a number, they are no class: train_set, fold1.
_SPLIT = "set|fold|split|part|batch|cv"
# A name or number that is written together with what follows: 001a, anna1, P1a, P1cough2, 01cough.
_TOGETHER = re.compile(
    r"(?P<a>\d+)(?P<b>[a-z])|(?P<c>[^\W\d_]{3,})(?P<d>\d+)"
    rf"|(?P<e>[a-z]{{1,2}}\d{{1,4}})(?P<f>[a-z]{{1,2}}\d{{1,3}})|(?P<g>(?:[a-z]{{1,2}})?\d{{1,4}})(?P<h>[a-z]|(?:{KINDS}|{HOW}|{_COUNTED}|{_CONTAINERS})\d*)",
    re.IGNORECASE,
)
_HERE = "\ue000"  # stands for a date
#: Ranks of parts that are a person's: one after a word such as "patient", an id that is long enough to be unique, and a short one
#: after a letter such as P. A unique id may also be the recording's.
UNIQUE, NAMED, MARKED = 100, 99, 50


class Part(NamedTuple):
    """A part of a name."""

    text: str
    #: ``person``, ``number``, ``letter``, ``word``, ``mixed``, ``group`` of people; ``container`` or ``date``, in which
    #: recordings may be counted anew.
    kind: str
    #: How likely it is that of a person; 0 if only other names can show it.
    rank: int = 0


def split(name: str) -> list[Part]:
    """The parts of a name, without those that say how and of what a recording was made.

    >>> [(part.text, part.kind) for part in split("20210301_P07_cough_2")]
    [('20210301', 'date'), ('P07', 'person'), ('2', 'number')]
    """
    found: list[Part] = []
    name = name.replace(_HERE, " ")
    if match := UUID.search(name):
        found.append(Part(match[0], "person", UNIQUE))
        name = name.replace(match[0], " ")
    name = re.sub(r"vowels?[-_ ]?[aeiou](?![^\W_])", " ", name, flags=re.IGNORECASE)
    dates = [match[0] for match in _DATE.finditer(name)]
    name = _DATE.sub(f" {_HERE} ", name)
    words = [part for word in re.findall(rf"[^\W_]+|{_HERE}", name) for part in _taken_apart(word)]
    while words:
        word = words.pop(0)
        if word == _HERE:
            found.append(Part(dates.pop(0), "date"))
            continue
        plain, after = word.casefold(), words[0] if words else ""
        number = bool(re.fullmatch(r"\d{1,4}", after))
        if re.fullmatch(_MARKS, plain) and (any(map(str.isdigit, after)) or re.fullmatch("[A-Z]", after)):
            found.append(Part(word + words.pop(0), "person", NAMED))
        elif re.fullmatch(PLACES, plain) and after:
            found.append(Part(word + words.pop(0), "group"))
        elif re.fullmatch(SEXES, plain):
            found.append(Part(word, "group"))
        elif re.fullmatch(_CONTAINERS, plain) and number:
            found.append(Part(word + words.pop(0), "container"))
        elif re.fullmatch(_COUNTED, plain) and number:
            words.pop(0)
        elif re.fullmatch(_SPLITS, plain):
            found.append(Part(word, "container"))
        elif not _UNKNOWING.fullmatch(plain):
            # A letter after something else is often that of a take.
            is_letter = found and len(word) == 1 and word.isalpha()
            found.append(Part(word, "letter") if is_letter else _part(word))
    return found


def _taken_apart(word: str) -> list[str]:
    match = _TOGETHER.fullmatch(word)
    if not match:
        return [word]
    first, second = filter(None, match.groups())
    if re.fullmatch(f"{WORDS}|{HOW}", first, re.IGNORECASE) and len(second) < 5:
        return []  # cough1 counts coughs
    return [first, *_taken_apart(second)]


def _part(word: str) -> Part:
    if word.isdecimal():
        sure = len(word.lstrip("0")) > 4 and not _SHORT_DATE.fullmatch(word)
        return Part(word, "person" if sure else "number", UNIQUE if sure else 0)
    if word.isalpha():
        sure = len(word) > 15
        return Part(word, "person" if sure else "word", UNIQUE if sure else 0)
    match = re.fullmatch(r"([a-z]{1,2})\d{1,4}", word, re.IGNORECASE)
    if match and (letters := match[1].casefold()) in _LETTERS:
        return Part(word, "person", MARKED + _LETTERS.index(letters))
    return Part(word, "person", UNIQUE) if len(word) > 7 else Part(word, "mixed")


def is_part(name: str) -> bool:
    """Whether a folder's name is that of a part of a collection, which has all classes."""
    words = re.findall(r"[a-z]+|\d+", name.casefold())
    known = [word for word in words if re.fullmatch(f"{_PARTS}|{_SPLIT}", word)]
    others = [word for word in words if word not in known]
    if not known or not all(word.isdecimal() or len(word) == 1 for word in others):
        return False
    return len(words) > 1 or bool(re.fullmatch(_PARTS, words[0]))


def is_of_nobody(name: str) -> bool:
    """Whether a folder's name is that of a part, a place or a kind of recordings."""
    words = re.findall(r"[^\W_]+", name.casefold())
    if not words or is_part(name):
        return True
    return bool(re.fullmatch(f"{PLACES}|{SEXES}", words[0])) or all(map(_UNKNOWING.fullmatch, words))


def surest(parts: Iterable[Part]) -> list[Part]:
    """The parts that show by themselves that they are a person's, the surest first."""
    return sorted((part for part in parts if part.rank), key=lambda part: -part.rank)


def compared(names: Sequence[tuple[str, str, Sequence[Part]]]) -> list[Part | None]:
    """The part of each name that may be a person's, found by comparing names of the same shape.

    A name is given by its class, its folder and its parts, none of which is sure.
    """
    shapes: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, (_, _, parts) in enumerate(names):
        shapes[tuple(part.kind for part in parts)].append(number)
    chosen: list[Part | None] = [None] * len(names)
    for shape, numbers in shapes.items():
        columns = [
            _Column(
                place, [(label, folder, parts[place]) for label, folder, parts in (names[n] for n in numbers)]
            )
            for place in range(len(shape))
        ]
        if (column := _of_people(columns)) is not None:
            for n, part in zip(numbers, column.parts, strict=True):
                chosen[n] = part
    known = {same(part.text) for part in chosen if part}
    for n, (_, _, parts) in enumerate(names):
        # A name of another shape: "anna" beside "anna_2", or "anna_again_3".
        if chosen[n] is None and parts and same(parts[0].text) in known:
            chosen[n] = parts[0]
    return chosen


# Kinds of parts that a comparison may find to be a person's, the least likely first.
_KINDS_OF_NAMES = ("letter", "number", "word", "mixed")


class _Column:
    """The parts at one place of all names of a shape."""

    def __init__(self, place: int, found: list[tuple[str, str, Part]]):
        self.place, self.parts = place, [part for _, _, part in found]
        self.kind = self.parts[0].kind
        classes: dict[str, set[str]] = defaultdict(set)
        values: dict[str, set[str]] = defaultdict(set)
        for label, _, part in found:
            classes[label].add(same(part.text))
            values[same(part.text)].add(label)
        self.different = len(values)
        # A value that stands for its class, such as the class's number, is the same in all of it.
        self.varies = any(len(inside) > 1 for inside in classes.values())
        self.repeats = self.different < len(found)
        self.repeats_inside = len({(folder, same(part.text)) for _, folder, part in found}) < len(found)
        self.nested = len(classes) > 1 and all(len(labels) == 1 for labels in values.values())

    def counts(self) -> bool:
        """Whether the values are numbers from 0 or 1 without gaps, all after the same letters or none."""
        return _counts(self.parts, 1)

    def counts_in(self, columns: Sequence["_Column"]) -> bool:
        """Whether the values are counted anew in each value of dates or containers before them."""
        before = [column for column in columns[: self.place] if column.kind in ("date", "container")]
        if not before:
            return False
        inside: dict[tuple[str, ...], list[Part]] = defaultdict(list)
        for part, *places in zip(self.parts, *(column.parts for column in before), strict=True):
            inside[tuple(place.text for place in places)].append(part)
        return all(_counts(parts, 1) for parts in inside.values())

    def is_running(self) -> bool:
        """Whether the values are numbers without gaps, each used once."""
        return not self.repeats and _counts(self.parts, sys.maxsize)


def _counts(parts: Iterable[Part], first: int) -> bool:
    """Whether parts are numbers without gaps, the lowest at most `first`, all after the same letters or none."""
    letters = {re.sub(r"\d+$", "", part.text.casefold()) for part in parts}
    numbers = {int(found[0].lstrip("0") or "0") for part in parts if (found := re.search(r"\d+$", part.text))}
    if len(letters) > 1 or not numbers or min(numbers) > first:
        return False
    return max(numbers) - min(numbers) < len(numbers)


def _of_people(columns: Sequence[_Column]) -> _Column | None:
    """The column that names people; None if none does."""
    varying = [column for column in columns if column.kind in _KINDS_OF_NAMES and column.varies]
    # Numbers that do not count, each used once, are ids, and a number before them is no person's.
    likely = [
        column
        for column in varying
        if column.repeats or (column.kind == "number" and not column.is_running())
    ]
    if len(varying) == 1 and varying[0].kind in ("number", "letter"):
        # It alone may only count the recordings, of the class or of what stands before it.
        likely = [column for column in likely if column.repeats_inside and not column.counts_in(columns)]
    if not likely:
        constant = [column for column in columns if column.kind in ("number", "mixed") and not column.varies]
        return constant[-1] if constant and varying and varying[-1].place > constant[-1].place else None
    best = likely[0]
    for column in likely[1:]:
        if _is_likelier(column, best):
            best = column
    return best if best.repeats else None


def _is_likelier(column: _Column, best: _Column) -> bool:
    """Whether a later part than the likeliest so far is likelier."""
    nested = column.nested and not best.nested
    if column.different <= best.different:
        return nested and column.kind == "word" and best.kind == "number"
    if not column.repeats and best.kind == "word":
        return False
    kinds = _KINDS_OF_NAMES.index(column.kind) > max(1, _KINDS_OF_NAMES.index(best.kind))
    return nested or kinds or (best.counts() and not column.counts())


def same(text: str) -> str:
    """A part in one spelling: capitals and zeros before a number do not count."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", text.casefold())
