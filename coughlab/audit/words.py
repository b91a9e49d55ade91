"""Words used in several sentences of an audit."""

from collections.abc import Mapping

from coughlab.datasets.labels import title


def people(n: int) -> str:
    """A number of people."""
    return "1 person" if n == 1 else f"{n:,} people"


def about(expected: float) -> str:
    """An expected number of people, rounded; it is above 0."""
    return f"about {people(round(expected))}" if round(expected) else "less than 1 person on average"


def verb(n: int, one: str, several: str) -> str:
    """The form of a verb that goes with a number."""
    return one if n == 1 else several


def counts(numbers: Mapping[str, int], most: int | None = None) -> str:
    """Labels or sources with their counts, the commonest first; only a few of them, and the number of further ones."""
    ordered = sorted(numbers.items(), key=lambda pair: -pair[1])
    listed = ", ".join(f"{title(name)} {n:,}" for name, n in ordered[:most])
    return listed + (f" and {len(ordered) - most:,} more" if most and len(ordered) > most else "")
