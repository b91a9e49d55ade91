"""What a metric is: a number about answers and labels, with all that is said of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Sums over the rows of a split, arrays with one value a split: keys ``n``, ``positives``, ``negatives``, ``tp``, ``fp``, ``fn``,
#: ``tn``, ``concordant`` (pairs of a positive and a negative row that are ranked rightly, a tie counting half) and ``terms``.
Sums = Any
#: Columns ``positive`` (bool), ``probability``, and ``at_or_above`` and ``positives_at_or_above``: how many rows and how many
#: positive rows of the same split have at least its probability.
Rows = Any


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric, with all that pages, cards and charts say of it."""

    name: str
    order: int
    title: str
    #: Its value from the sums over the rows of a split; missing (NaN) where it is not defined.
    of: Callable[[Sums], Any]
    #: A sentence or two on what it says, with ``{condition}``; empty where the Reality check does not show it.
    explained: str = ""
    #: What it sums besides counts: functions of the rows.
    terms: dict[str, Callable[[Rows], Any]] = field(default_factory=dict)
    #: What guessing reaches, where that does not depend on how one guesses.
    chance: float | None = None
    #: What always giving the commoner label reaches, from its share and whether it is the positive one.
    majority: Callable[[float, bool], float] | None = None
    #: Format of its value.
    written: str = ".0%"
    #: The highest it can be; the lowest is 0.
    most: float = 1.0
    less_is_better: bool = False
    #: Whether it is in the table of all splits.
    per_split: bool = True
    #: Its place among those with an interval by the bootstrap.
    evidence: int | None = None
    #: Whose share of right answers it is: "all", "positives" or "negatives".
    share_of: str | None = None
    #: The narrowest interval, from the values of all metrics and the numbers of people (``positives``, ``negatives``, ``all``).
    floor: Callable[[Mapping[str, float], Mapping[str, int]], tuple[float, float] | None] | None = None

    @property
    def in_a_sentence(self) -> str:
        """The title as it stands inside a sentence: abbreviations and names keep their capitals."""
        capitals = self.title[1].isupper() or self.title[1].isdigit() or self.name == "brier"
        return self.title if capitals else self.title.lower()

    def write(self, value: float) -> str:
        """A value as people read it: "0.97" or "97%"; what would round to 0 or 1 says so."""
        if 0 < value < 0.005:
            return f"under {0.01:{self.written}}"
        return f"over {0.99:{self.written}}" if 0.995 <= value < 1 else f"{value:{self.written}}"
