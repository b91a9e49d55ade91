"""How rows are dealt."""

import numpy as np
import pytest

from coughlab.evidence import splits


def labels(n, positives, seed=0):
    return np.random.default_rng(seed).permutation(np.arange(n) < positives).astype(int)


@pytest.mark.parametrize(("n", "positives"), [(170, 19), (20, 8), (101, 50), (1000, 40)])
def test_every_row_has_one_role_in_every_split(n, positives):
    deals = splits.published(labels(n, positives), n_splits=5)
    assert len(deals) == 5
    for train, test in deals:
        assert sorted([*train, *test]) == list(range(n))
        assert np.all(np.diff(train) > 0) and np.all(np.diff(test) > 0)
        assert len(test) == np.ceil(0.3 * n)


@pytest.mark.parametrize(("n", "positives"), [(170, 19), (20, 8), (101, 50), (1000, 40)])
def test_each_class_is_dealt_in_the_same_shares(n, positives):
    y = labels(n, positives)
    for _, test in splits.published(y):
        assert abs(y[test].sum() - 0.3 * positives) < 1


def test_the_case_study_s_numbers():
    y = labels(170, 19)
    for train, test in splits.published(y):
        assert (len(train), len(test)) == (119, 51)
        assert (y[train].sum(), y[test].sum()) == (13, 6)


def test_the_same_seed_deals_the_same_and_another_another():
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


def test_the_share_is_the_case_study_s_unless_told():
    y = labels(170, 19)
    for (_, told), (_, untold) in zip(splits.published(y, test_share=0.3), splits.published(y), strict=True):
        assert np.array_equal(told, untold)


def test_splits_differ_from_one_another():
    tests = {tuple(test) for _, test in splits.published(labels(170, 19), n_splits=5)}
    assert len(tests) == 5


def test_more_splits_begin_with_the_same_ones():
    y = labels(170, 19)
    for (_, two), (_, five) in zip(
        splits.published(y, n_splits=2), splits.published(y, n_splits=5), strict=False
    ):
        assert np.array_equal(two, five)


def test_every_protocol_is_described():
    assert splits.PROTOCOLS.keys() == splits.DESCRIPTIONS.keys()
