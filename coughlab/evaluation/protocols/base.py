"""What a protocol is: one way to say which rows are trained on and which are tested on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coughlab.evaluation.splits import Split
from coughlab.task import Task

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Protocol:
    """A protocol, with all that pages, cards and charts say of it."""

    name: str
    #: The higher, the more a score by it proves.
    order: int
    #: The step of the Reality check.
    title: str
    #: What it takes away, for readers without statistics; ``{condition}`` stands for the condition.
    explained: str
    #: What it does, in words that go on after a colon, and the same in a few words.
    description: str
    caption: str
    #: Its name in a choice, and at the head of a column.
    choice: str
    column: str
    #: The beginning of a sentence about a score by it.
    opening: str
    #: Symbol and colour in charts.
    marker: tuple[str, str]
    #: From a feature table, with ``n_splits`` and ``seed``; None where the rows tested on are another dataset's.
    split: Callable[..., list[Split]] | None
    #: Most splits that a study makes; None for no limit.
    most_splits: int | None = 50
    #: Whether models are asked about the rows trained on, too.
    trained_rows: bool = False
    #: Why it cannot be made of a dataset, or "".
    ruled_out: Callable[[pd.DataFrame, Task], str] = lambda features, task: ""
