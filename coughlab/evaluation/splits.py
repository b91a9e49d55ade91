"""How rows are split into train and test: the functions behind `coughlab.evaluation.protocols`.

All except `published` leave out copies and contradictions: of the rows with the same audio they keep the first, or none if the
labels contradict each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd

#: Row numbers of train and test of one split, in ascending order; rows that are left out are in neither.
Split = tuple[np.ndarray, np.ndarray]

#: Share of test rows, as in the case study.
TEST_SHARE = 0.3


def published(
    labels: np.ndarray, *, n_splits: int = 5, seed: int = 0, test_share: float = TEST_SHARE
) -> list[Split]:
    """The case study's protocol: random rows, the share of each class kept. Copies and one person may be on both sides."""
    from sklearn.model_selection import StratifiedShuffleSplit

    splitter = StratifiedShuffleSplit(n_splits, test_size=test_share, random_state=seed)
    return [(np.sort(train), np.sort(test)) for train, test in splitter.split(np.zeros(len(labels)), labels)]


def deduplicated(table: pd.DataFrame, *, n_splits: int = 5, seed: int = 0) -> list[Split]:
    """Random rows of a feature table after copies are removed."""
    rows = clean(table)
    found = published(_labels(table)[rows], n_splits=n_splits, seed=seed)
    return [(rows[train], rows[test]) for train, test in found]


def person_disjoint(table: pd.DataFrame, *, n_splits: int = 5, seed: int = 0) -> list[Split]:
    """Random people, stratified by class: no person, and no copy, is on both sides."""
    rows = clean(table)
    return _by_person(table, rows, _labels(table)[rows], [rows] * n_splits, seed)


def source_balanced(table: pd.DataFrame, *, n_splits: int = 5, seed: int = 0) -> list[Split]:
    """Random people, with equal numbers of both labels from each source, so that the source does not predict the label.

    Sources with one label only are left out; without any other source this is a ValueError. Each split draws different recordings
    of a source's commoner label.
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


def clean(table: pd.DataFrame) -> np.ndarray:
    """Row numbers of the first recording of each audio whose labels agree, in ascending order."""
    # Imported late: it needs pandas, which answering a request does not need.
    from coughlab.datasets import duplicates

    return np.flatnonzero(duplicates.clean(table))


def _labels(table):
    return table["positive"].to_numpy(int)


def _by_person(table, rows, strata, drawn, seed):
    """Split the people of some rows; each split uses only its own `drawn` rows. A person belongs to their highest stratum."""
    import pandas as pd

    person = table["person"].to_numpy()
    # In order of appearance, so that a split does not depend on people's names.
    index, people = pd.factorize(person[rows])
    stratum = np.zeros(len(people), int)
    np.maximum.at(stratum, index, strata)
    found = []
    for own, (_, test) in zip(drawn, published(stratum, n_splits=len(drawn), seed=seed), strict=True):
        tested = np.isin(person[own], people[test])
        found.append((own[~tested], own[tested]))
    return found
