"""What a metric is: a number about answers and labels, with all that is said of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: Sums over the rows of a split, arrays with one value a split: keys ``n``, ``positives``, ``negatives``, ``tp``, ``fp``,
# ``fn``, ``tn``,
#: ``concordant`` (pairs of a positive and a negative row that are ranked rightly, a tie counting half) and the metric's own
# ``terms``.
Sums = Any
#: Columns ``positive`` (bool), ``probability``, and ``at_or_above`` and ``positives_at_or_above``: how many rows and how many
#: positive rows of the same split have at least its probability.
Rows = Any


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric, with all that pages, cards and charts say of it.

    Attributes
    ----------
    name : str
        Its name in tables and addresses.
    order : int
        Its place where all are listed.
    title : str
        As it is shown.
    of : callable
        Its value from the sums over the rows of a split; missing (NaN) where it is not defined.
    explained : str
        A sentence or two on what it says; ``{condition}`` stands for the condition. Empty where the Reality check does not show
        it.
    terms : dict of str to callable
        What it sums besides counts: functions of the rows.
    chance : float or None
        What guessing reaches, where that does not depend on how one guesses.
    majority : callable or None
        What always giving the commoner label reaches: a function of its share and of whether it is the positive one.
    written : str
        Format of its value.
    most : float
        The highest it can be; the lowest is 0.
    less_is_better : bool
        Whether a lower value is the better one.
    per_split : bool
        Whether it stands in the table of all splits.
    evidence : int or None
        Its place among those whose interval comes of drawing people again and again; None for no such interval.
    share_of : {"all", "positives", "negatives"} or None
        Whose share of right answers it is.
    floor : callable or None
        The narrowest that its interval may be: a function of the values of all metrics and of the numbers of different people
        (``positives``, ``negatives``, ``all``) that gives two limits, or None where that is not defined.
    """

    name: str
    order: int
    title: str
    of: Callable[[Sums], Any]
    explained: str = ""
    terms: dict[str, Callable[[Rows], Any]] = field(default_factory=dict)
    chance: float | None = None
    majority: Callable[[float, bool], float] | None = None
    written: str = ".0%"
    most: float = 1.0
    less_is_better: bool = False
    per_split: bool = True
    evidence: int | None = None
    share_of: str | None = None
    floor: Callable[..., tuple[float, float] | None] | None = None

    @property
    def in_a_sentence(self) -> str:
        """The title as it stands inside a sentence: abbreviations and names keep their capitals."""
        return (
            self.title
            if self.title[1].isupper() or self.title[1].isdigit() or self.name == "brier"
            else self.title.lower()
        )

    def write(self, value: float) -> str:
        """A value as people read it: "0.97" or "97%"; what would round to 0 or 1 says so."""
        if 0 < value < 0.005:
            return f"under {0.01:{self.written}}"
        return f"over {0.99:{self.written}}" if 0.995 <= value < 1 else f"{value:{self.written}}"
