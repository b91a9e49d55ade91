"""Types of functions that report progress, and one that reports nothing."""

from collections.abc import Callable

#: Called with a stage in words, the amount done, and the total.
Progress = Callable[[str, float, float], None]
#: Called with the share of the work done, from 0 to 1.
Share = Callable[[float], None]


def silent(*_: object) -> None:
    """Report nothing."""
