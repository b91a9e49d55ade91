"""The ids of people, and the names of devices and places, in a list: which spellings mean the same, and which mean nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from coughlab.datasets import labels
from coughlab.text import counted, listed


def folded(value: str) -> str:
    """An id in one spelling: capitals, blanks, and zeros before a number do not count: "P 01" is "p1", and "1.0" is 1."""
    value = re.sub(r"(?<=[^\W\d_])[\s_-]+(?=\d)", "", labels.folded(value))
    return re.sub(r"(?<![\d.,])0+(?=\d)", "", value)


def is_given(value: str) -> bool:
    """Whether a cell names something, and is not empty or a word for what is not known."""
    word = labels.folded(value)
    return bool(word.strip("-")) and word != "none" and not labels.is_placeholder(word)


def one_spelling(values: Sequence[str]) -> tuple[list[str], str]:
    """Values in the commonest of their spellings, "" for those that name nothing, and a sentence on what was joined.

    Different spellings of one id are one person: to part one person puts them on both sides of a split, to join two does not.
    """
    spelled = {value: folded(value) for value in set(values) if is_given(value)}
    commonest: dict[str, str] = {}
    for value, _ in Counter(values).most_common():
        if value in spelled:
            commonest.setdefault(spelled[value], value)
    one = {value: commonest[word] for value, word in spelled.items()}
    pairs = [f"“{value}” and “{one[value]}”" for value in sorted(one) if one[value] != value]
    said = f"Taken for the same: {listed(pairs, most=3)}." if pairs else ""
    return [one.get(value, "") for value in values], said


def not_given(values: Iterable[str], column: str) -> str:
    """A sentence on how many lines name nothing in a column; "" if all name something."""
    without = [value for value in values if not is_given(value)]
    if not without:
        return ""
    words = sorted({f"“{value}”" for value in without if value})
    said = f" or only {listed(words, most=3)}" if words else ""
    return (
        f"{counted(len(without), 'line')} {'has' if len(without) == 1 else 'have'} nothing{said} in the column “{column}”: there"
        " the file name tells."
    )
