"""The splits of the rows."""

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation import splits
from coughlab.evaluation.protocols import WITHIN
from tests.tables import with_positive


def labels(n, positives, seed=0):
    return np.random.default_rng(seed).permutation(np.arange(n) < positives).astype(int)


@pytest.mark.parametrize(("n", "positives"), [(170, 19), (20, 8), (101, 50), (1000, 40)])
def test_every_row_has_one_role_in_every_split(n, positives):
    made = splits.published(labels(n, positives), n_splits=5)
    assert len(made) == 5
    for train, test in made:
        assert sorted([*train, *test]) == list(range(n))
        assert np.all(np.diff(train) > 0) and np.all(np.diff(test) > 0)
        assert len(test) == np.ceil(0.3 * n)


@pytest.mark.parametrize(("n", "positives"), [(170, 19), (20, 8), (101, 50), (1000, 40)])
def test_each_class_is_split_in_the_same_shares(n, positives):
    y = labels(n, positives)
    for _, test in splits.published(y):
        assert abs(y[test].sum() - 0.3 * positives) < 1


def test_the_case_study_s_numbers():
    y = labels(170, 19)
    for train, test in splits.published(y):
        assert (len(train), len(test)) == (119, 51)
        assert (y[train].sum(), y[test].sum()) == (13, 6)


def test_the_seed_decides_the_split():
    y = labels(170, 19)
    flat = {
        name: np.stack([test for _, test in splits.published(y, seed=seed)])
        for name, seed in [("first", 3), ("again", 3), ("other", 4)]
    }
    assert np.array_equal(flat["first"], flat["again"])
    assert not np.array_equal(flat["first"], flat["other"])


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_the_share_of_test_rows_can_be_chosen(share):
    y = labels(170, 19)
    for train, test in splits.published(y, test_share=share):
        assert len(test) == np.ceil(share * 170)
        assert sorted([*train, *test]) == list(range(170))
        assert abs(y[test].sum() - share * 19) < 1


def test_the_default_share_is_the_case_study_s():
    y = labels(170, 19)
    for (_, explicit), (_, default) in zip(
        splits.published(y, test_share=0.3), splits.published(y), strict=True
    ):
        assert np.array_equal(explicit, default)


def test_splits_differ_from_one_another():
    tests = {tuple(test) for _, test in splits.published(labels(170, 19), n_splits=5)}
    assert len(tests) == 5


def test_more_splits_begin_with_the_same_ones():
    y = labels(170, 19)
    for (_, two), (_, five) in zip(
        splits.published(y, n_splits=2), splits.published(y, n_splits=5), strict=False
    ):
        assert np.array_equal(two, five)


# Stricter protocols


def dataset(seed=0):
    """Sixty people with two recordings each from three sources; some audio is duplicated, two copies contradict in label."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(60), 2)
    source = np.array(["phone", "bot", "clinic"])[person % 3]
    covid = rng.random(60)[person] < np.where(source == "phone", 0.7, 0.3)
    label = np.where(covid & (source != "clinic"), "covid", "not_covid")
    audio = np.arange(120)
    audio[[10, 11, 12]] = 0
    audio[[30, 31]] = 20
    label[[0, 10, 11, 12]] = "covid"
    label[[20, 30]], label[31] = "covid", "not_covid"
    return with_positive(
        pd.DataFrame(
            {"person": [f"p{k:02}" for k in person], "source": source, "label": label, "audio": audio}
        )
    )


OTHERS = [name for name in WITHIN if name != "published"]


@pytest.mark.parametrize("protocol", OTHERS)
def test_only_the_published_protocol_has_copies_or_contradictions(protocol):
    table = dataset()
    for train, test in WITHIN[protocol].split(table, n_splits=8, seed=3):
        rows = np.concatenate([train, test])
        assert not table["audio"].iloc[rows].duplicated().any()
        assert not np.isin(rows, [10, 11, 12, 20, 30, 31]).any()
        assert np.all(np.diff(train) > 0) and np.all(np.diff(test) > 0)
        assert len(test) / len(rows) == pytest.approx(
            0.3, abs=0.06 if protocol != "source-balanced" else 0.15
        )
        assert set(table["label"].iloc[test]) == set(table["label"].iloc[train]) == {"covid", "not_covid"}


@pytest.mark.parametrize("protocol", ["person-disjoint", "source-balanced"])
def test_no_person_is_on_both_sides(protocol):
    person = dataset()["person"].to_numpy()
    shared = [
        set(person[train]) & set(person[test])
        for train, test in WITHIN[protocol].split(dataset(), n_splits=8)
    ]
    assert shared == [set()] * 8
    # When the split ignores people, most people are on both sides.
    assert all(set(person[a]) & set(person[b]) for a, b in splits.deduplicated(dataset(), n_splits=8))


def test_with_balanced_sources_the_source_does_not_predict_the_label():
    table, drawn = dataset(), set()
    for train, test in splits.source_balanced(table, n_splits=8):
        rows = table.iloc[np.concatenate([train, test])]
        counts = rows.groupby(["source", "label"]).size().unstack()
        assert (counts["covid"] == counts["not_covid"]).all()
        # No person in the clinic has COVID.
        assert set(counts.index) == {"phone", "bot"}
        drawn.add(tuple(sorted(rows.index)))
    assert len(drawn) == 8


def test_sources_with_one_label_cannot_be_balanced():
    table = dataset().assign(source=lambda t: t["label"])
    with pytest.raises(ValueError, match="No source has recordings of both labels"):
        splits.source_balanced(table)


@pytest.mark.parametrize("protocol", WITHIN)
def test_more_splits_begin_with_the_same_and_names_of_people_do_not_matter(protocol):
    table = dataset()
    renamed = table.assign(person=table["person"].map(lambda name: f"{hash(name) % 7}{name}"))
    make_splits = WITHIN[protocol].split
    for few, many, others in zip(
        make_splits(table, n_splits=2, seed=5),
        make_splits(table, n_splits=6, seed=5),
        make_splits(renamed, n_splits=2, seed=5),
        strict=False,
    ):
        for rows, same, also in zip(few, many, others, strict=True):
            assert rows.tolist() == same.tolist() == also.tolist()
