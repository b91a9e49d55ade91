"""Contents of a dataset, and how well properties other than the sound separate its classes."""

import pandas as pd

#: Columns with the counts of each class.
CLASSES = ["negatives", "positives"]


def counts(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """``negatives``, ``positives`` and ``people`` of every value of a column of a feature table, the commonest value first."""
    rows = table.groupby([column, "positive"]).size().unstack(fill_value=0)
    rows = rows.reindex(columns=[False, True], fill_value=0).set_axis(CLASSES, axis=1)
    rows = rows.assign(people=table.groupby(column)["person"].nunique())
    return rows.iloc[(-rows[CLASSES].sum(axis=1)).argsort(kind="stable")]


def named_by(counts: pd.DataFrame) -> int:
    """Number of rows with the commonest label of their value, from the table of `counts`."""
    return int(counts[CLASSES].max(axis=1).sum())


def summary(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Of each class (index ``positive``, False first): ``rows``, ``people``, and ``min``, ``5%``, ``50%``, ``95%``, ``max``."""
    groups = table.groupby("positive")
    percentiles = groups[column].quantile([0, 0.05, 0.5, 0.95, 1]).unstack()
    percentiles.columns = ["min", "5%", "50%", "95%", "max"]
    sizes = pd.DataFrame({"rows": groups.size(), "people": groups["person"].nunique()})
    return sizes.join(percentiles)
