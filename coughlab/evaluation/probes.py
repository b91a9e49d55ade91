"""Probes: how well a label can be predicted from columns that should not predict it.

A probe is ridge regression of the label on ranks and on pieces of each column, which detects trends, thresholds, bands and kinds
of file. It is cross-validated with every person on one side only, and every person counts once per label.

The score is the ROC AUC, from comparisons *within* a test fold: pooled folds put the AUC of a column without information below
0.5 (G. Forman and M. Scholz, "Apples-to-apples in cross-validation studies", SIGKDD Explorations 12, 2010). The interval is
Newcombe's with people as trials. Because folds share training rows, their scores vary more than those of independent tests, and
the number of people is divided by the factor of C. Nadeau and Y. Bengio ("Inference for the generalization error", Machine
Learning 52, 2003).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from coughlab.evaluation.intervals import newcombe

FOLDS = 5
#: Repetitions of the split into folds, unless there are so many people that one is enough.
REPEATS, MANY_PEOPLE = 3, 5000
#: A class with fewer people cannot be in both training and test.
LEAST_PEOPLE = 2
#: Intervals with equal counts that a column of numbers is cut into; a column with fewer values is not cut.
PIECES = 8
#: Number of the commonest words of a column that get their own indicator.
MOST_WORDS = 30
#: Strength of the ridge: the number of people that outweighs the prior belief that a value has no effect.
ALPHA = 10.0


@dataclass(frozen=True)
class Probe:
    """ROC AUC with its 95% interval (for several classes, the mean of each against the rest), and what it was measured on."""

    auc: float
    low: float
    high: float
    recordings: int
    people: int


def probe(table: pd.DataFrame, labels: ArrayLike, people: ArrayLike, *, seed: int = 0) -> Probe | None:
    """Cross-validate a small model that predicts the label from some columns of numbers, NaN allowed, or of words.

    Classes with fewer than two people are left out. None if fewer than two classes are left, or all rows have the same values.
    """
    rows = pd.DataFrame({"label": np.asarray(labels), "person": np.asarray(people)}).astype(str)
    enough = rows.groupby("label")["person"].nunique() >= LEAST_PEOPLE
    keep = rows["label"].map(enough).to_numpy(dtype=bool)
    if enough.sum() < 2:
        return None
    rows, X = rows[keep], encoded(table[keep])
    if not X.shape[1]:
        return None
    y, classes = pd.factorize(rows["label"], sort=True)
    sizes = rows.groupby("label")["person"].nunique().loc[classes].to_numpy()
    weight = 1 / rows.groupby(["label", "person"])["person"].transform("size").to_numpy()
    # For the split, a person with two labels belongs to the class of the first.
    everybody = rows.drop_duplicates("person")
    person = pd.Index(everybody["person"]).get_indexer(rows["person"])
    folds = int(min(FOLDS, sizes.min()))
    repeats = REPEATS if len(everybody) < MANY_PEOPLE else 1
    aucs = _aucs(
        X, np.eye(len(classes))[y], weight, _splits(everybody["label"], person, folds, repeats, seed)
    )
    if aucs is None:
        return None
    # Nadeau and Bengio: the variance of the mean of J tests is not 1 / J but 1 / J + test / train of that of one.
    fewer = folds * (1 / (folds * repeats) + 1 / (folds - 1))
    intervals = [
        newcombe(auc, size / fewer, (sizes.sum() - size) / fewer)
        for auc, size in zip(aucs, sizes, strict=True)
    ]
    low, high = np.mean(intervals, axis=0)
    return Probe(float(aucs.mean()), float(low), float(high), len(rows), len(everybody))


def encoded(table: pd.DataFrame) -> np.ndarray:
    """The regression's inputs from some columns, shape (n, k).

    A column of zeros and ones for each of a column's commonest words, of its values if they are few, or of its `PIECES`; in the
    last case also its ranks, with mean 0 and variance 1. Missing numbers are a separate value or piece. Constant columns are left
    out.
    """
    columns = []
    for name in table:
        pieces = table[name]
        if not pd.api.types.is_numeric_dtype(pieces):
            pieces = pieces.where(pieces.isin(pieces.value_counts(dropna=False).index[:MOST_WORDS]), "others")
        elif pieces.nunique(dropna=False) > PIECES:
            rank = pieces.rank(pct=True)
            columns.append(((rank - 0.5) * np.sqrt(12)).fillna(0).to_numpy())
            pieces = np.ceil(PIECES * rank)
        columns += list(pd.get_dummies(pieces, dummy_na=True).to_numpy(dtype=float).T)
    columns = [column for column in columns if np.ptp(column)]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))


def _splits(labels, person, folds, repeats, seed):
    """Row numbers of train and test; the people of each class are spread evenly over the folds."""
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(len(labels))
        order = order[np.argsort(labels.to_numpy()[order], kind="stable")]
        fold = np.empty(len(labels), dtype=int)
        fold[order] = np.arange(len(labels)) % folds
        for k in range(folds):
            test = fold[person] == k
            yield np.flatnonzero(~test), np.flatnonzero(test)


def _aucs(X, Y, weight, splits):
    """AUC of each class against the rest over all folds, shape (n_classes,); None if a class could not be tested."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits

    right, pairs = np.zeros(Y.shape[1]), np.zeros(Y.shape[1])
    # The fits are small: several threads would spend more time waiting than computing.
    with threadpool_limits(1, user_api="blas"):
        for train, test in splits:
            score = Ridge(ALPHA).fit(X[train], Y[train], weight[train]).predict(X[test])
            w = weight[test]
            of_class = Y[test].T @ w
            compared = of_class * (w.sum() - of_class)
            for k in np.flatnonzero(compared > 1e-9):
                right[k] += compared[k] * roc_auc_score(Y[test, k], score[:, k], sample_weight=w)
                pairs[k] += compared[k]
    return right / pairs if pairs.all() else None
