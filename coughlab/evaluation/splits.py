"""How rows are split into train and test: the functions behind `coughlab.evaluation.protocols`.

Every one but `published` leaves out what would count twice or cannot be right: of the rows that hold the same audio it keeps
the first, and none where their labels contradict each other.
"""

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


def deduplicated(table, *, n_splits=5, seed=0):
    """Random rows among those that are left without copies.

    Parameters
    ----------
    table : pandas.DataFrame
        The feature table: ``positive``, ``audio``.
    n_splits, seed
        As in `published`.

    Returns
    -------
    list of (ndarray, ndarray)
        Row numbers of train and test of each split; rows left out are in neither.
    """
    rows = clean(table)
    deals = published(_labels(table)[rows], n_splits=n_splits, seed=seed)
    return [(rows[train], rows[test]) for train, test in deals]


def person_disjoint(table, *, n_splits=5, seed=0):
    """Random people, the share of the positive ones kept: nobody, and no copy, stands on both sides.

    Parameters
    ----------
    table : pandas.DataFrame
        The feature table: ``positive``, ``audio``, ``person``.
    n_splits, seed
        As in `published`.

    Returns
    -------
    list of (ndarray, ndarray)
        As of `deduplicated`.
    """
    rows = clean(table)
    return _by_person(table, rows, _labels(table)[rows], [rows] * n_splits, seed)


def source_balanced(table, *, n_splits=5, seed=0):
    """Random people, with as many recordings of either label from each source, so that the source does not tell the label.

    Sources with one label only are left out. Of the commoner label of a source, each split draws other recordings.

    Parameters
    ----------
    table : pandas.DataFrame
        The feature table: ``positive``, ``audio``, ``person``, ``source``.
    n_splits, seed
        As in `published`.

    Returns
    -------
    list of (ndarray, ndarray)
        As of `deduplicated`.

    Raises
    ------
    ValueError
        If no source has recordings of both labels.
    """
    rows = clean(table)
    labels, source = _labels(table), table["source"].to_numpy()
    cells = [
        [rows[(source[rows] == name) & (labels[rows] == label)] for label in (0, 1)]
        for name in np.unique(source[rows])
    ]
    cells = [cell for cell in cells if all(map(len, cell))]
    if not cells:
        raise ValueError("No source has recordings of both labels.")
    drawn = []
    for split in range(n_splits):
        draw = np.random.default_rng((seed, split))
        parts = [
            draw.choice(part, min(map(len, cell)), replace=False, shuffle=False)
            for cell in cells
            for part in cell
        ]
        drawn.append(np.sort(np.concatenate(parts)))
    both = np.concatenate([part for cell in cells for part in cell])
    strata = np.unique(source, return_inverse=True)[1] * 2 + labels
    return _by_person(table, both, strata[both], drawn, seed)


def clean(table):
    """Row numbers of the first recording of each audio whose labels agree, in ascending order (ndarray)."""
    # Imported late: it needs pandas, and answering a request does without.
    from coughlab.datasets import duplicates

    return np.flatnonzero(duplicates.clean(table))


def _labels(table):
    return table["positive"].to_numpy(int)


def _by_person(table, rows, strata, drawn, seed):
    """Deal the people of some rows; each split takes those of its own `drawn` rows. A person counts to their highest stratum."""
    import pandas as pd

    person = table["person"].to_numpy()
    # In order of appearance, so that a deal does not depend on what people are called.
    index, people = pd.factorize(person[rows])
    stratum = np.zeros(len(people), int)
    np.maximum.at(stratum, index, strata)
    deals = []
    for own, (_, test) in zip(drawn, published(stratum, n_splits=len(drawn), seed=seed), strict=True):
        tested = np.isin(person[own], people[test])
        deals.append((own[~tested], own[tested]))
    return deals
