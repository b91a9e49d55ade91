"""The table of `make bench`: each program prints its rows, our figure beside a yardstick from the same run."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

#: Environment variable with the file in which `make bench` collects the rows.
SETTING = "COUGHLAB_BENCH"


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes
    ----------
    what : str
        What was measured.
    ours, yardstick : float
        Our figure, and the figure it is compared to: the published stack's in this run, or a limit.
    unit : str
        Unit of both, such as "ms".
    goal : float or None
        The ratio to reach: how many times better ours is than the yardstick. None without a goal.
    floor : float or None
        The physical limit in the same unit, if there is one.
    more : bool
        Whether more is better, as for answers per second.
    against : str
        What the yardstick is.
    """

    what: str
    ours: float
    yardstick: float
    unit: str
    goal: float | None = None
    floor: float | None = None
    more: bool = False
    against: str = "published stack"

    @property
    def ratio(self):
        """How many times better ours is."""
        return self.ours / self.yardstick if self.more else self.yardstick / self.ours

    @property
    def met(self):
        """Whether the goal is reached; None without one."""
        return None if self.goal is None else self.ratio >= self.goal

    def cells(self):
        """The row as text, one string per column of `HEAD`."""
        floor = "" if self.floor is None else f"{_number(self.floor)} {self.unit}"
        return [
            self.what,
            f"{_number(self.ours)} {self.unit}",
            f"{_number(self.yardstick)} {self.unit} ({self.against})",
            f"{_number(self.ratio)}",
            "" if self.goal is None else f"{self.goal:g}",
            floor,
            {True: "yes", False: "no", None: ""}[self.met],
        ]


HEAD = ["what", "ours", "yardstick", "times better", "goal", "floor", "met"]


def show(row):
    """Print a row, and store it for `make bench`."""
    what, ours, yardstick, ratio, goal, floor, met = row.cells()
    goal = f" (goal {goal}, met: {met})" if goal else ""
    floor = f"; floor {floor}" if floor else ""
    print(f"{what}: {ours} against {yardstick}, {ratio} times better{goal}{floor}", flush=True)
    if path := os.environ.get(SETTING):
        with Path(path).open("a") as file:
            print(json.dumps(asdict(row)), file=file)


def markdown(rows):
    """Rows as a table in Markdown."""
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"
