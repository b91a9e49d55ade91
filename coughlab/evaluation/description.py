"""What a dataset consists of, and how far facts other than the sound tell its classes apart."""

import pandas as pd

#: Columns that count the rows of either class.
CLASSES = ["negatives", "positives"]


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
        Indexed by value, the commonest first; columns ``negatives``, ``positives`` and ``people``.
    """
    rows = table.groupby([column, "positive"]).size().unstack(fill_value=0)
    rows = rows.reindex(columns=[False, True], fill_value=0).set_axis(CLASSES, axis=1)
    rows = rows.assign(people=table.groupby(column)["person"].nunique())
    return rows.iloc[(-rows[CLASSES].sum(axis=1)).argsort(kind="stable")]


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
    return int(counts[CLASSES].max(axis=1).sum())


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
        Indexed by ``positive`` (False first); columns ``rows``, ``people``, ``min``, ``5%``, ``50%``, ``95%`` and ``max``.
    """
    groups = table.groupby("positive")
    percentiles = groups[column].quantile([0, 0.05, 0.5, 0.95, 1]).unstack()
    percentiles.columns = ["min", "5%", "50%", "95%", "max"]
    sizes = pd.DataFrame({"rows": groups.size(), "people": groups["person"].nunique()})
    return sizes.join(percentiles)
