"""The definition of a metric: a formula and its descriptions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Sums over the rows of a split, arrays with one value per split: keys ``n``, ``positives``, ``negatives``, ``tp``, ``fp``,
#: ``fn``, ``tn``, ``concordant`` (pairs of a positive and a negative row that are ranked correctly, a tie counting half) and
#: ``terms``.
Sums = Any
#: Columns ``positive`` (bool), ``probability``, and ``at_or_above`` and ``positives_at_or_above``: number of rows, and of
#: positive rows, of the same split with at least its probability.
Rows = Any


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric, with its texts for pages, cards and charts."""

    name: str
    order: int
    title: str
    #: Its value from the sums over the rows of a split; missing (NaN) if it is not defined.
    of: Callable[[Sums], Any]
    #: One or two sentences on its meaning, with ``{condition}``; empty if the Reality check does not show it.
    explained: str = ""
    #: Additional sums that it needs: functions of the rows.
    terms: dict[str, Callable[[Rows], Any]] = field(default_factory=dict)
    #: The value of guessing, if that does not depend on the way of guessing.
    chance: float | None = None
    #: The value of always predicting the commoner label, from its share and whether it is the positive one.
    majority: Callable[[float, bool], float] | None = None
    #: Format of its value.
    written: str = ".0%"
    #: Its highest possible value; the lowest is 0.
    most: float = 1.0
    less_is_better: bool = False
    #: Whether it is in the table of all splits.
    per_split: bool = True
    #: Its position among those with an interval by the bootstrap.
    evidence: int | None = None
    #: The rows whose share of right answers it is: "all", "positives" or "negatives".
    share_of: str | None = None
    #: The narrowest interval, from the values of all metrics and the numbers of people (``positives``, ``negatives``, ``all``).
    floor: Callable[[Mapping[str, float], Mapping[str, int]], tuple[float, float] | None] | None = None

    @property
    def in_a_sentence(self) -> str:
        """The title for use inside a sentence: abbreviations and names keep their capitals."""
        capitals = self.title[1].isupper() or self.title[1].isdigit() or self.name == "brier"
        return self.title if capitals else self.title.lower()

    @property
    def axis(self) -> str:
        """Plotly's format of its values on an axis."""
        return self.written if self.written.endswith("%") else ".2~f"

    def write(self, value: float) -> str:
        """A formatted value: "0.97" or "97%"; if it would wrongly round to 0 or 1, "under 0.01" or "over 0.99"."""
        if 0 < value < 0.005:
            return f"under {0.01:{self.written}}"
        return f"over {0.99:{self.written}}" if 0.995 <= value < 1 else f"{value:{self.written}}"
