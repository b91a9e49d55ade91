"""The definition of a protocol: how to choose training rows and test rows."""

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
    """A protocol, with its texts for pages, cards and charts."""

    name: str
    #: The higher, the more a score under it proves.
    order: int
    #: The step of the Reality check.
    title: str
    #: What it removes, for readers without statistics; ``{condition}`` is replaced by the condition.
    explained: str
    #: What it does, as text after a colon, and a short form.
    description: str
    caption: str
    #: Its name in a selection, and as a column header.
    choice: str
    column: str
    #: The beginning of a sentence about a score under it.
    opening: str
    #: Symbol and colour in charts.
    marker: tuple[str, str]
    #: Makes the splits of a feature table, with ``n_splits`` and ``seed``; None if the test rows are another dataset's.
    split: Callable[..., list[Split]] | None
    #: Most splits that a study makes; None for no limit.
    most_splits: int | None = 50
    #: Whether predictions for the training rows are made too.
    trained_rows: bool = False
    #: Why it is impossible for a dataset, or "".
    ruled_out: Callable[[pd.DataFrame, Task], str] = lambda features, task: ""
