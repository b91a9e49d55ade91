"""Finds the files that the names in a list mean, also where a name and its file are not written in the same way.

A name is compared exactly first, then with ever fewer details: its spelling, its ending, the zeros before its numbers. Only files
that were found below the dataset's folder can match, so that no name leads out of it.
"""

import difflib
import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from coughlab.datasets import ids, list_file, listing
from coughlab.text import counted

# Endings that a list may have from before its recordings were converted.
_ENDINGS = (*listing.AUDIO, ".raw", ".pcm", ".sph", ".spx", ".mpeg", ".mpga", ".mov", ".mkv", ".avi")
# Folders that contain all recordings of a collection: without them a path means the same.
_NEUTRAL = {"audio", "wav", "wavs", "data", "dataset", "files", "recordings", "clips", "sounds", "raw"}
#: Begins the problem of a name that may mean several files.
SEVERAL = "Several files are called so: "
_QUOTES = "\"'`´‘’‚“”„«»"
# Comparing a name with so many takes a second.
_COMPARED = 5_000
# What had to be assumed to find a file, for a sentence that starts with a number of names.
_ASSUMED = {
    "folders": "without the first folders of the path",
    "spelling": "in another spelling (capitals, accents, blanks or quotes)",
    "ending": "with another ending",
    "zeros": "with other zeros in a number, as 001 for 1 or 1.0",
}


class Match(NamedTuple):
    """The file that a name in a list means."""

    #: Path inside the dataset's folder, which may be missing; "" if there is no such path.
    path: str
    #: Why the row cannot be used; "" if it can.
    problem: str = ""
    #: What was assumed to find the file: keys of the sentences in `assumed`; none for an exact match.
    assumed: tuple[str, ...] = ()


class Files:
    """The files below a dataset's folder.

    Parameters
    ----------
    root
        The absolute path of the folder, with forward slashes.
    found, links
        As `coughlab.datasets.listing.below` returns them.
    """

    def __init__(self, root: str, found: Iterable[str], links: Iterable[str] = ()):
        self.root, self.paths = root.rstrip("/") + "/", set(found)
        self.audio = [path for path in self.paths if listing.is_audio(path)]
        self._links = {_spelled(link) for link in links}
        self._indices: dict[str, _Index] = {}

    def is_name(self, text: str) -> bool:
        """Whether a text is the name of a recording, and no word of a header."""
        text = text.strip()
        return listing.is_audio(text) or (any(map(str.isdigit, text)) and self._is_exact(text))

    def exact(self, values: Iterable[str]) -> int:
        """How many different values are names of files, with or without their endings."""
        return sum(self._is_exact(value) for value in set(values))

    def similar(self, values: Iterable[str]) -> int:
        """How many files some values mean, also in another spelling or with other endings."""
        matches = self.match(list(dict.fromkeys(values)))
        return len({match.path for match in matches if not match.problem and match.path in self.paths})

    def match(self, names: Sequence[str]) -> list[Match]:
        """The file of each name.

        What is not exact is a guess: it is made only where one file can be meant, and no other name of the list means that file.
        """
        matches = {name: self._match(name) for name in names}
        exact = {match.path for match in matches.values() if not match.assumed}
        guesses: dict[str, dict[str, str]] = defaultdict(dict)
        for name, match in matches.items():
            if match.assumed:
                # The same name in two Unicode forms is one name.
                guesses[match.path].setdefault(unicodedata.normalize("NFC", name), name)
        for name, match in matches.items():
            if match.assumed and match.path in exact:
                matches[name] = self._missing(name)
            elif match.assumed and len(guesses[match.path]) > 1:
                first, second = list(guesses[match.path].values())[:2]
                problem = f"Several names in the list may mean the file {match.path}: {first} and {second}."
                matches[name] = Match("", problem)
        return [matches[name] for name in names]

    def named_after(self, ids_of_people: Iterable[str]) -> dict[str, list[str]]:
        """The recordings whose names begin with an id, or that lie in a folder called so."""
        wanted = {ids.folded(value): value for value in ids_of_people if ids.is_given(value)}
        found: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self.audio):
            *folders, last = _stem(path).split("/")
            starts = [last[: match.start()] for match in re.finditer(r"[-_. ]|$", last)]
            # The longest beginning is the most certain: "p1_2" before "p1".
            name = next(
                (word for part in [*starts[::-1], *folders[::-1]] if (word := ids.folded(part)) in wanted),
                None,
            )
            if name is not None:
                found[wanted[name]].append(path)
        return dict(found)

    def near(self, name: str) -> str:
        """The recording whose name is most like that of a missing file; "" if none is like it."""
        by_stem = {_last(_without_ending(path)): path for path in sorted(self.audio)[:_COMPARED]}
        stem = _last(_without_ending(name.replace("\\", "/")))
        return next((by_stem[close] for close in difflib.get_close_matches(stem, by_stem, n=1)), "")

    def _is_exact(self, name: str) -> bool:
        last = _last(name.replace("\\", "/"))
        return bool(last) and any(last in self._index(form).tails for form in ("", "stem"))

    def _match(self, name: str) -> Match:
        if name in self.paths:
            return Match(name)
        place, outside = _inside(name, self.root)
        if reason := listing.name_problem(place):
            return Match("", reason)
        if place in self.paths and not outside:
            return Match(place)
        if not outside and self._is_link(place):
            return Match(place, listing.LINK)
        for stripped in (True,) if outside else (False, True):
            for form in _FORMS:
                places = self._index(form).find(place, stripped, outside)
                if len(places) > 1:
                    return Match("", f"{SEVERAL}{places[0]} and {places[1]}.")
                if places:
                    differences = _differences(place, places[0], form)
                    return Match(places[0], "", tuple(["folders"] * stripped + differences))
        return self._missing(name)

    def _missing(self, name: str) -> Match:
        place, outside = _inside(name, self.root)
        return Match("", listing.OUTSIDE) if outside else Match(place)

    def _is_link(self, place: str) -> bool:
        # Spelled differently, a link is still opened where capitals do not count.
        spelled = _spelled(place)
        return bool(self._links) and any(part in self._links for part in (spelled, *_parents(spelled)))

    def _index(self, form: str) -> "_Index":
        if form not in self._indices:
            # Only recordings are guessed.
            paths = self.audio if form else self.paths
            self._indices[form] = _Index(sorted(paths), *_FORMS[form])
        return self._indices[form]


class _Index:
    """Paths by their ends, all in one form."""

    def __init__(self, paths: list[str], of_file: Callable[[str], str], of_name: Callable[[str], str]):
        self.of_name = of_name
        self.whole: dict[str, list[str]] = defaultdict(list)
        self.tails: dict[str, list[str]] = defaultdict(list)
        self.tops = {_spelled(top) for top in {path.partition("/")[0] for path in paths}}
        for path in paths:
            key, whole = of_file(path), True
            while key:
                self.tails[key].append(path)
                if whole:
                    self.whole[key].append(path)
                top, _, key = key.partition("/")
                whole = whole and top.casefold() in _NEUTRAL

    def find(self, name: str, stripped: bool, outside: bool) -> list[str]:
        """The files whose paths end with a name, or which it ends with if its first folders are to be left out."""
        inner = self.of_name(name)
        if not stripped:
            return self.tails.get(inner, [])
        # Many lists begin paths with the dataset's own folder or its parents, here or on another computer.
        while inner not in self.whole and "/" in inner:
            top, _, rest = inner.partition("/")
            if _spelled(top) in self.tops and not outside:
                return []
            inner = rest
        return self.whole.get(inner, [])


def assumed(matches: Iterable[Match]) -> str:
    """Sentences on what was assumed to find the files of a list."""
    count = Counter(key for match in set(matches) for key in match.assumed)
    return " ".join(
        f"{counted(count[key], 'name')} {'was' if count[key] == 1 else 'were'} found {words}."
        for key, words in _ASSUMED.items()
        if count[key]
    )


def _inside(name: str, root: str) -> tuple[str, bool]:
    """A listed path without what leads out of the folder, and whether there was such a part."""
    path = name.replace("\\", "/")
    if path.startswith(root):
        path = path.removeprefix(root)
    below = re.sub(r"^([A-Za-z]:/*|/+)", "", path)
    # `normpath` drops the slash that shows a folder.
    normal = posixpath.normpath(below) + ("/" if below.endswith("/") else "") if below else ""
    plain = re.sub(r"^(\.\./)+", "", normal)
    return ("" if plain == ".." else plain), below != path or plain != normal


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _differences(name: str, path: str, form: str) -> list[str]:
    """What differs between a name and the path of its file, which agree in a form."""
    if not form:
        return []
    endings = [_spelled(one).removeprefix(_without_ending(one)) for one in (name, path)]
    # A name without an ending is usual.
    ending = ["ending"] if endings[0] and endings[0] != endings[1] else []
    other = {"spelling": ["spelling"], "ending": [] if ending else ["spelling"], "zeros": ["zeros"]}
    return other.get(form, []) + ending


def _as_it_is(path: str) -> str:
    return path


def _stem(path: str) -> str:
    return path.rpartition(".")[0]


@lru_cache(2**17)
def _spelled(path: str) -> str:
    path = list_file.INVISIBLE.sub("", unicodedata.normalize("NFKC", unquote(path)).casefold())
    parts = (re.sub(r"[\s_]+", " ", part.strip(f"{_QUOTES} \t")) for part in path.split("/"))
    return unicodedata.normalize("NFKC", "/".join(re.sub(r" (?=\.\w+$)", "", part) for part in parts))


def _without_ending(path: str) -> str:
    path = _spelled(path)
    while path.endswith(_ENDINGS):
        path = path.rpartition(".")[0].rstrip()
    return path


def _without_zeros(path: str) -> str:
    path = re.sub(r"(^|/)(\d+)[.,]0+$", r"\1\2", _without_ending(path))
    return re.sub(r"(?<![\d.,])0+(?=\d)", "", path)


# Forms in which names are compared, the strictest first: that of a file and that of a name in the list.
_FORMS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "": (_as_it_is, _as_it_is),
    "stem": (_stem, _as_it_is),
    "spelling": (_spelled, _spelled),
    "ending": (_without_ending, _without_ending),
    "zeros": (_without_zeros, _without_zeros),
}
