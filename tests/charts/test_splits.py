"""Charts of splits show the numbers of their input."""

import numpy as np
import pandas as pd
import pytest

from coughlab.charts import splits
from coughlab.evaluation import comparison
from coughlab.evaluation.metrics import PER_SPLIT


def table(**models):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"model": model, "split": split, "role": role, "recordings": n}
            | {metric: value if metric == "accuracy" else rng.random() for metric in PER_SPLIT}
            for model, values in models.items()
            for split, value in enumerate(values)
            for role, n in (("train", 70), ("test", 30))
        ]
    )


@pytest.fixture
def values():
    return comparison.by_split(table(a=[0.9, 1.0, 0.8]), "a")


def named(figure, name):
    return [trace for trace in figure.data if trace.name and name in trace.name]


def test_every_metric_of_every_split_is_a_point(values):
    lucky = comparison.Lucky(values["accuracy"], 1, 2, False)
    figure = splits.distribution(values, lucky, "accuracy")
    points = named(figure, "one split")
    assert [sorted(trace.x) for trace in points] == [
        sorted(values[metric]) for metric in [*splits.SHARES, "log_loss"]
    ]
    assert all(list(trace.customdata) == [1, 2, 3] for trace in points)
    assert {*splits.SHARES, "log_loss"} == set(PER_SPLIT)


def test_the_lucky_and_the_unlucky_split_are_marked_in_every_row(values):
    figure = splits.distribution(values, comparison.Lucky(values["accuracy"], 1, 2, False), "accuracy")
    for name, split in (("split 2: best accuracy", 1), ("split 3: worst accuracy", 2)):
        above, below = named(figure, name)
        assert list(above.x) == values.loc[split, splits.SHARES].tolist()
        assert list(below.x) == [values.loc[split, "log_loss"]]
    # Distinguishable without colour.
    assert named(figure, "best")[0].marker.symbol != named(figure, "worst")[0].marker.symbol


def test_a_metric_that_a_split_lacks_is_no_point(values):
    values.loc[0, "precision"] = np.nan
    figure = splits.distribution(values, comparison.Lucky(values["accuracy"], 1, 2, False), "accuracy")
    (trace,) = [t for t in named(figure, "one split") if t.hovertemplate.startswith("Precision")]
    assert list(trace.customdata) == [2, 3]


def test_the_difference_and_both_intervals():
    result = comparison.paired(table(a=[0.9, 1.0, 0.8], b=[0.8, 0.7, 0.85]), "a", "b", "accuracy")
    figure = splits.difference(result, "MLP", "CNN", "accuracy")
    (points,) = named(figure, "one split")
    assert list(points.x) == result.differences.tolist()
    (right,), (naive,) = named(figure, "respecting the overlap"), named(figure, "naive")
    found = result.interval
    assert right.x[0] == naive.x[0] == found.mean
    assert right.error_x.array[0] == pytest.approx(found.high - found.mean)
    assert naive.error_x.array[0] == pytest.approx(found.naive_high - found.mean)
    assert figure.layout.xaxis.title.text == "Accuracy: MLP less CNN"


def test_without_an_interval_there_is_none_drawn():
    result = comparison.paired(table(a=[0.9], b=[0.8]), "a", "b", "accuracy")
    figure = splits.difference(result, "MLP", "CNN", "accuracy")
    assert [trace.name for trace in figure.data] == ["one split"]
