"""Finds which folders of a user's own collection are those of the classes.

They are at the top, or inside folders of parts (``train/healthy``), places (``hospital A/healthy``), kinds of recordings
(``cough/healthy``) or people (``P07/healthy``), which each have the same folders inside.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

from coughlab.datasets import labels, name_parts
from coughlab.text import listed

_HEALTH = re.compile(
    r"healthy|normal|controls?|well|ill|sick|diseased?|positive|pos|negative|neg|infected|recovered|abnormal|a?symptomatic|yes|no|none"
    r"|true|false|asthma(?:tics?)?|copd|tb|tuberculosis|pneumonia|bronch\w+|pertussis|croup|urti|lrti|flu|influenza|cold|cancer"
    r"|fibrosis|wheez\w+|crackles?|gesund|krank|sano|enfermo|sain|malade"
)
_KIND = re.compile(rf"{name_parts.KINDS}|{name_parts.HOW}")
# What folders stand for, the least likely classes first.
_ORDER = ("people", "place", "kind", "code", "unknown", "health")
#: Unknown folders with as many folders inside, or fewer, may be parts with classes; with more, classes with people.
_FEW = 3


class Placed(NamedTuple):
    """A recording in the folder of a class."""

    name: str
    label: str
    #: The rest of its path, with folders above the class that may tell people apart.
    inside: str
    #: The folder above the class that may be its source; "" if there is none.
    source: str


@dataclass
class Layout:
    """Where the classes are."""

    placed: list[Placed] = field(default_factory=list)
    #: Recordings in no class's folder.
    outside: list[str] = field(default_factory=list)
    #: The folders that have those of the classes; "" for the top.
    around: set[str] = field(default_factory=set)
    #: Sentences on what was assumed.
    said: str = ""
    #: Whether the classes' names are those of people or dates.
    are_people: bool = False


def find(recordings: Iterable[str]) -> Layout:
    """The class of each recording, given by its path inside the collection's folder, with forward slashes."""
    layout = Layout()
    # For each recording the folders that may be classes: their places in the path.
    chains: dict[str, list[int]] = {}
    for name in recordings:
        folders = PurePosixPath(name).parts[:-1]
        if chain := [place for place, part in enumerate(folders) if not name_parts.is_part(part)]:
            chains[name] = chain
        else:
            layout.outside.append(name)
    named = [[PurePosixPath(name).parts[place] for place in chain] for name, chain in chains.items()]
    kinds: list[str] = []
    around: list[str] = []
    while level := _around(named, len(kinds)):
        kinds.append(level[0])
        around += level[1]
    for name, chain in chains.items():
        *above, of_class = chain[: len(kinds) + 1]
        parts = PurePosixPath(name).parts
        # Folders of kinds and unknown ones have the same people; people may be numbered anew in parts and places.
        left_out = {
            of_class,
            *(place for place, kind in zip(above, kinds, strict=True) if kind in ("kind", "unknown")),
        }
        inside = "/".join(part for place, part in enumerate(parts) if place not in left_out)
        sources = [parts[place] for place, kind in zip(above, kinds, strict=True) if kind != "people"]
        layout.placed.append(Placed(name, parts[of_class], inside, sources[-1] if sources else ""))
        layout.around.add("/".join(parts[:of_class]))
    classes = sorted({one.label for one in layout.placed})
    layout.are_people = len(classes) > 1 and _kind(classes) == "people"
    if around:
        layout.said = (
            f"The subfolders of {listed(around)} were taken for the classes, because they have the same names:"
            f" {listed(classes)}."
        )
    elif len(classes) > 1 and _kind(classes) == "place":
        layout.said = f"The classes are named like places: {listed(classes)}. If they are none, add a CSV list with labels."
    return layout


def _around(chains: Iterable[Sequence[str]], depth: int) -> tuple[str, list[str]] | None:
    """The kind and the names of the folders at a depth, if they are around those of the classes."""
    inside: dict[str, set[str]] = defaultdict(set)
    for chain in chains:
        if len(chain) < depth + 2:
            return None
        inside[chain[depth]].add(chain[depth + 1])
    every = set().union(*inside.values())
    if len(inside) < 2 or len(every) < 2:
        return None
    outer, inner = _kind(inside), _kind(every)
    same = all(one == every for one in inside.values())
    shared = sum(map(len, inside.values())) > len(every)
    if outer == inner == "unknown":
        return (outer, sorted(inside)) if same and len(every) <= _FEW else None
    likelier = inner not in ("people", "place") and _ORDER.index(inner) > _ORDER.index(outer)
    return (outer, sorted(inside)) if likelier and (same or (shared and outer != "unknown")) else None


def _kind(names: Iterable[str]) -> str:
    """What folders stand for, as far as their names show."""
    names = list(names)
    words = [re.findall(r"[^\W\d_]+", name.casefold()) for name in names]
    if any(labels.mentions_covid(name) for name in names) or any(
        _HEALTH.fullmatch(word) for one in words for word in one
    ):
        return "health"
    if set(names) in ({"0", "1"}, {"+", "-"}):
        return "health"
    if all(re.fullmatch(r"[-+]?\d?", name) for name in names):
        return "code"
    if all(map(_is_of_people, names)):
        return "people"
    if all(one and re.fullmatch(name_parts.PLACES, one[0]) for one in words):
        return "place"
    return "kind" if all(one and all(map(_KIND.fullmatch, one)) for one in words) else "unknown"


def _is_of_people(name: str) -> bool:
    """Whether a folder's name is only the id of a person, or a date."""
    parts = name_parts.split(name)
    if re.fullmatch(r"\d{3,}", name) or (parts and all(part.kind == "date" for part in parts)):
        return True
    is_short = bool(re.fullmatch(r"[ns]\d", name, re.IGNORECASE))  # S1 may be a stage
    return len(parts) == 1 and parts[0].rank > 0 and not is_short
