"""The description of a dataset."""

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation import description
from tests.tables import with_positive

TABLE = with_positive(
    pd.DataFrame(
        [
            ("a1", "anna", "covid", "home", 48_000),
            ("a2", "anna", "covid", "home", 44_100),
            ("b1", "ben", "not_covid", "clinic", 48_000),
            ("c1", "cem", "not_covid", "clinic", 22_050),
            ("d1", "dora", "not_covid", "clinic", 22_050),
            ("d1", "dora", "not_covid", "home", 22_050),
        ],
        columns=["recording", "person", "label", "source", "sample_rate"],
    )
).assign(duration_s=[1.0, 3.0, 2.0, 4.0, 6.0, 8.0])


def test_counts_have_one_row_per_value_most_frequent_first():
    counted = description.counts(TABLE, "sample_rate")
    assert list(counted.index) == [22_050, 48_000, 44_100]
    assert counted["negatives"].tolist() == [3, 1, 0]
    assert counted["positives"].tolist() == [0, 1, 1]
    assert counted["people"].tolist() == [2, 2, 1]


def test_a_class_without_rows_is_counted_too():
    counted = description.counts(TABLE[TABLE["label"] == "covid"], "source")
    assert counted["negatives"].tolist() == [0]


@pytest.mark.parametrize(("column", "named"), [("source", 5), ("sample_rate", 5), ("recording", 6)])
def test_labels_predicted_from_one_column(column, named):
    # By source: three of "clinic" and two of the three of "home".
    assert description.named_by(description.counts(TABLE, column)) == named


def test_summaries_are_percentiles_of_each_class():
    summary = description.summary(TABLE, "duration_s")
    assert list(summary.index) == [False, True]
    assert summary["rows"].tolist() == [4, 2] and summary["people"].tolist() == [3, 1]
    values = TABLE.loc[TABLE["label"] == "not_covid", "duration_s"]
    expected = np.percentile(values, [0, 5, 50, 95, 100])
    np.testing.assert_allclose(summary.loc[False, ["min", "5%", "50%", "95%", "max"]].tolist(), expected)
