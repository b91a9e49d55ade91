"""How rows are dealt into train and test."""

import numpy as np

#: Share of the rows that are tested on, as in the case study.
TEST_SHARE = 0.3


def published(labels, *, n_splits=5, seed=0, test_share=TEST_SHARE):
    """The case study's protocol: random rows, the share of each class kept.

    Copies of a recording and recordings of one person may fall on both sides; that is what this protocol is known for.

    Parameters
    ----------
    labels : array-like, shape (n,)
        Class of each row.
    n_splits : int
        How many times the rows are dealt.
    seed : int
        Seed of the deals.
    test_share : float
        Share of the rows that are tested on, between 0 and 1.

    Returns
    -------
    list of (ndarray, ndarray)
        Row numbers of train and test of each split, in ascending order.
    """
    from sklearn.model_selection import StratifiedShuffleSplit

    deals = StratifiedShuffleSplit(n_splits, test_size=test_share, random_state=seed)
    return [(np.sort(train), np.sort(test)) for train, test in deals.split(np.zeros(len(labels)), labels)]


PROTOCOLS = {"published": published}
#: What each protocol does, in words for the pages and the card.
DESCRIPTIONS = {
    "published": "random rows, 70% to train and 30% to test; one person, or a copy of one recording, can be on both sides",
}
