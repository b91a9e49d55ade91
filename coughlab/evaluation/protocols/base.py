"""What a protocol is: one way to say which rows are trained on and which are tested on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coughlab.task import Task

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd

#: Row numbers of train and test of one split, in ascending order; rows left out are in neither.
Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Protocol:
    """A protocol, with all that pages, cards and charts say of it.

    Attributes
    ----------
    name : str
        Its name in tables and addresses.
    order : int
        The higher, the more a score by it proves.
    title : str
        The step of the Reality check.
    explained : str
        What it takes away, for people who read no protocol; ``{condition}`` stands for the condition.
    description : str
        What it does, in words that go on after a colon.
    caption : str
        The same in a few words.
    choice, column : str
        How it is called where one chooses, and at the head of a column.
    opening : str
        The beginning of a sentence about a score by it.
    marker : (str, str)
        Symbol and colour in charts.
    split : callable or None
        Function of a feature table with the keywords ``n_splits`` and ``seed``, which returns a list of `Split`; None where the
        rows tested on are another dataset's.
    most_splits : int or None
        Most splits of it that a study makes.
    trained_rows : bool
        Whether models are asked about the rows trained on, too.
    ruled_out : callable
        Function of a feature table and a `Task`: why the protocol cannot be made of the dataset, or "".
    """

    name: str
    order: int
    title: str
    explained: str
    description: str
    caption: str
    choice: str
    column: str
    opening: str
    marker: tuple[str, str]
    split: Callable[..., list[Split]] | None
    most_splits: int | None = 50
    trained_rows: bool = False
    ruled_out: Callable[[pd.DataFrame, Task], str] = lambda features, task: ""
