"""How long work says how far it is: one type, and one function that says nothing."""

from collections.abc import Callable

#: Called with a stage in words, how much of it is done, and of how much.
Progress = Callable[[str, float, float], None]
#: Called with the share of the work that is done, from 0 to 1.
Share = Callable[[float], None]


def silent(*_: object) -> None:
    """Say nothing."""
