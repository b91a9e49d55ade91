"""Probes: how well a label can be told from columns that should not tell it.

A probe is a small model, boosted trees of four leaves, which finds thresholds, bands and kinds of file alike and needs no
scaling. It is cross-validated with every person on one side only, and every person counts once for each label they have.

The score is the ROC AUC, from comparisons *within* a test fold: scores of different folds come from different models, and
pooling them puts the AUC of a column that tells nothing below 0.5 (G. Forman and M. Scholz, "Apples-to-apples in
cross-validation studies", SIGKDD Explorations 12, 2010). The interval is Newcombe's, with people for trials. Because the folds
share most of what they were trained on, their scores scatter more than those of independent tests would, and the number of
people is divided by the factor of C. Nadeau and Y. Bengio ("Inference for the generalization error", Machine Learning 52, 2003).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coughlab.evidence import resampling

FOLDS = 5
#: How often the people are dealt into folds anew; few, where there are many people or classes to make up for it.
REPEATS = 3
MANY_PEOPLE = 2000
#: A class with fewer people cannot be both learnt and tested.
LEAST_PEOPLE = 2
#: Of a column of words, so many of the commonest are told apart.
MOST_WORDS = 30


@dataclass(frozen=True)
class Probe:
    """How well a label was told.

    Attributes
    ----------
    auc, low, high : float
        ROC AUC with its 95% interval; with more than two classes the mean over classes, each against the rest.
    recordings, people : int
        What it was measured on.
    """

    auc: float
    low: float
    high: float
    recordings: int
    people: int


def probe(table, labels, people, *, seed=0):
    """Cross-validate a small model that tells the label from some columns.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n, m)
        Columns of numbers, NaN allowed, or of words.
    labels : array-like, shape (n,)
        Class of each row; classes with fewer than two people are left out.
    people : array-like, shape (n,)
        Who is heard in each row; a person is trained on or tested on, never both.
    seed : int
        Seed of the folds and the trees.

    Returns
    -------
    Probe or None
        None if fewer than two classes have two people, or all rows have the same values.
    """
    rows = pd.DataFrame({"label": np.asarray(labels), "person": np.asarray(people)}).astype(str)
    enough = rows.groupby("label")["person"].nunique() >= LEAST_PEOPLE
    keep = rows["label"].map(enough).to_numpy()
    rows, X = rows[keep], encoded(table[keep])
    if enough.sum() < 2 or not X.shape[1]:
        return None
    # A person who has both labels is dealt with the first of them.
    everybody = rows.drop_duplicates("person").reset_index(drop=True)
    person = pd.Index(everybody["person"]).get_indexer(rows["person"])
    y, classes = pd.factorize(rows["label"], sort=True)
    weight = 1 / rows.groupby(["label", "person"])["person"].transform("size").to_numpy()
    sizes = rows.groupby("label")["person"].nunique().loc[classes].to_numpy()
    repeats = REPEATS if len(everybody) < MANY_PEOPLE and len(classes) == 2 else 1
    folds = int(min(FOLDS, max(2, sizes.min())))
    scores = _scores(X, y, weight, _dealt(everybody["label"], person, folds, repeats, seed), seed)
    if scores is None:
        return None
    # Nadeau and Bengio: the variance of J test scores is not 1 / J but 1 / J + test / train of that of one.
    fewer = folds * (1 / (folds * repeats) + 1 / (folds - 1))
    total = sizes.sum()
    intervals = [
        resampling.newcombe(auc, size / fewer, (total - size) / fewer)
        for auc, size in zip(scores, sizes, strict=True)
    ]
    low, high = np.mean(intervals, axis=0)
    return Probe(float(scores.mean()), float(low), float(high), len(rows), len(everybody))


def encoded(table):
    """Numbers as they are, and a column of zeros and ones for each of the commonest words.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n, m)
        Columns of numbers or of words.

    Returns
    -------
    ndarray, shape (n, k), float64
        Without the columns that have one value only.
    """
    columns = []
    for name in table:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values):
            columns.append(values.to_numpy(dtype=float))
        else:
            words = values.astype(str)
            columns += [
                (words == word).to_numpy(dtype=float) for word in words.value_counts().index[:MOST_WORDS]
            ]
    columns = [column for column in columns if len(np.unique(column)) > 1]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))


def _dealt(labels, person, folds, repeats, seed):
    """Row numbers of train and test, the people of each class shared out evenly over the folds."""
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(len(labels))
        order = order[np.argsort(labels.to_numpy()[order], kind="stable")]
        fold = np.empty(len(labels), dtype=int)
        fold[order] = np.arange(len(labels)) % folds
        for k in range(folds):
            test = fold[person] == k
            yield np.flatnonzero(~test), np.flatnonzero(test)


def _scores(X, y, weight, deals, seed):
    """AUC of each class against the rest, shape (n_classes,), over all deals; None if no fold could be tested."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits

    one_hot = np.eye(y.max() + 1)[y]
    right, pairs = np.zeros(one_hot.shape[1]), np.zeros(one_hot.shape[1])
    # The fits are small: threads would wait for each other longer than they work.
    with threadpool_limits(1, user_api="openmp"):
        for train, test in deals:
            if np.ptp(y[train]) == 0 or not len(test):
                continue
            model = HistGradientBoostingClassifier(
                max_iter=40, max_leaf_nodes=4, min_samples_leaf=5, early_stopping=False, random_state=seed
            )
            model.fit(X[train], y[train], sample_weight=weight[train])
            probability = np.zeros((len(test), one_hot.shape[1]))
            probability[:, model.classes_] = model.predict_proba(X[test])
            ill = one_hot[test].T @ weight[test]
            weights = ill * (weight[test].sum() - ill)
            for k in np.flatnonzero(weights):
                auc = roc_auc_score(one_hot[test, k], probability[:, k], sample_weight=weight[test])
                right[k] += weights[k] * auc
                pairs[k] += weights[k]
    return right / pairs if pairs.all() else None
