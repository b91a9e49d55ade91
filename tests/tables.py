"""Common parts of the tables that tests make and of stored tables."""

import pandas as pd

from tests.tasks import COVID


def with_positive(table, task=COVID):
    """A table with the column ``positive`` after its labels, as in stored tables.

    Parameters
    ----------
    table : pandas.DataFrame
        Has the column ``label``.
    task : coughlab.task.Task
        Which label is positive.

    Returns
    -------
    pandas.DataFrame
        Another table.
    """
    table = pd.DataFrame(table).drop(columns="positive", errors="ignore")
    table.insert(table.columns.get_loc("label") + 1, "positive", task.is_positive(table["label"]))
    return table
