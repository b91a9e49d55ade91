"""What a dataset consists of, and how far facts other than the sound tell its classes apart."""

import pandas as pd

from coughlab.datasets import LABELS


def counts(table, column):
    """Rows of each class for every value of a column.

    Parameters
    ----------
    table : pandas.DataFrame
        Feature table.
    column : str
        Such as ``source``.

    Returns
    -------
    pandas.DataFrame
        Indexed by value, the commonest first; columns ``not_covid``, ``covid`` and ``people``.
    """
    rows = table.groupby([column, "label"]).size().unstack(fill_value=0).reindex(columns=LABELS, fill_value=0)
    rows = rows.assign(people=table.groupby(column)["person"].nunique())
    return rows.iloc[(-rows[list(LABELS)].sum(axis=1)).argsort(kind="stable")]


def named_by(counts):
    """How many rows' labels one can name who knows only one fact of a row, and says the commonest label of its value.

    Parameters
    ----------
    counts : pandas.DataFrame
        What `counts` returns for the fact's column.

    Returns
    -------
    int
        Rows named rightly.
    """
    return int(counts[list(LABELS)].max(axis=1).sum())


def summary(table, column):
    """Percentiles of a column in each class.

    Parameters
    ----------
    table : pandas.DataFrame
        Feature table.
    column : str
        A column of numbers.

    Returns
    -------
    pandas.DataFrame
        Indexed by label; columns ``rows``, ``people``, ``min``, ``5%``, ``50%``, ``95%`` and ``max``.
    """
    groups = table.groupby("label", observed=True)
    percentiles = groups[column].quantile([0, 0.05, 0.5, 0.95, 1]).unstack()
    percentiles.columns = ["min", "5%", "50%", "95%", "max"]
    sizes = pd.DataFrame({"rows": groups.size(), "people": groups["person"].nunique()})
    present = [label for label in LABELS if label in sizes.index]
    return sizes.join(percentiles).loc[present]
