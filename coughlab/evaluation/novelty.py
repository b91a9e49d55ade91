"""Whether a recording resembles those that the models were trained on: a p-value that is calibrated.

How unusual a recording is, is its mean distance to the nearest training recordings in the 26 features, made normal by ranks and
decorrelated. What that distance means is found by asking the training recordings the same: cross-conformal prediction (V. Vovk,
"Cross-conformal predictors", Ann. Math. Artif. Intell. 74, 2015) of anomalies (R. Laxhammar and G. Falkman, "Conformal
prediction for distribution-independent anomaly detection in streaming vessel data", StreamKDD 2010; S. Bates et al., "Testing
for outliers with conformal p-values", Ann. Statist. 51, 2023). The training people are dealt into folds. Those of a fold and
the new recording are compared with the people of all other folds, and the p-value is the share of training people who are at
least as unusual, the new one counted among them. So of recordings that are like the training data about one in twenty has a
p-value of 0.05 or less. Comparing every training recording with all the others instead, in coordinates that it had a part in,
would call many more of them unusual.
"""

import io
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from coughlab.features import acoustic

#: From these p-values down a recording is unusual, and far from all that was trained on.
UNUSUAL, FAR = 0.05, 0.02
#: With fewer people, not even a recording far from all of them could have a p-value of 0.05.
LEAST_PEOPLE = 20
#: More rows would say little more and take time and memory in every answer.
MOST_ROWS = 2000
NEIGHBOURS = 3
FOLDS = 5
# A value beyond all training values has this rank, as scikit-learn's QuantileTransformer gives it: 5.2 standard deviations.
_EDGE = 1e-7
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Novelty:
    """How unusual a recording is.

    Attributes
    ----------
    p : float or None
        The p-value; None where too few people were trained on to tell.
    code : {"familiar", "unusual", "far", "unknown"}
        What follows from it.
    message : str
        The same in a sentence or two.
    trained_on : str
        Name of the dataset it was compared with.
    """

    p: float | None
    code: str
    message: str
    trained_on: str


class Reference:
    """What a recording is compared with. May be shared between threads.

    Parameters
    ----------
    table : pandas.DataFrame
        The feature table of the study: ``person``, the 26 features, and ``label`` and ``audio`` if copies were looked for: each
        recording then counts once.
    trained_on : str
        Name of the dataset.

    Attributes
    ----------
    recordings, people : int
        How many it is compared with.
    """

    def __init__(self, table, trained_on):
        from sklearn.model_selection import GroupKFold

        from coughlab.datasets import duplicates

        if "audio" in table:
            table = table[duplicates.clean(table)]
        if len(table) > MOST_ROWS:
            table = table.sample(MOST_ROWS, random_state=0)
        values, person = table[list(acoustic.NAMES)].to_numpy(), table["person"].to_numpy()
        people = len(np.unique(person))
        fold, rotations, distances = np.full(len(table), -1), [], np.zeros(len(table))
        # A person's recordings are alike, so together they count as one.
        weight = 1 / table.groupby("person")["person"].transform("size").to_numpy()
        if people >= LEAST_PEOPLE:
            deals = GroupKFold(FOLDS, shuffle=True, random_state=0).split(values, groups=person)
            for number, (others, own) in enumerate(deals):
                fold[own] = number
                rotations.append(_rotation(values[others]))
                distances[own] = _Space(values[others], rotations[-1]).distance(values[own])
        self._set(trained_on, people, values, weight, fold, rotations, distances)

    def _set(self, trained_on, people, values, weight, fold, rotations, distances):
        self.trained_on, self.recordings, self.people = trained_on, len(values), int(people)
        self._kept = {
            "people": people,
            "values": values,
            "weight": weight,
            "fold": fold,
            "rotations": rotations,
            "distances": distances,
        }
        self._folds = [
            (_Space(values[fold != number], rotation), distances[fold == number], weight[fold == number])
            for number, rotation in enumerate(rotations)
        ]

    def save(self):
        """What `load` makes the same reference of without learning anything anew (bytes)."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **self._kept)
        return buffer.getvalue()

    @classmethod
    def load(cls, content, trained_on):
        """A reference that was saved; takes neither pandas nor scikit-learn.

        Parameters
        ----------
        content : bytes
            What `save` returned.
        trained_on : str
            Name of the dataset.

        Returns
        -------
        Reference
        """
        reference = cls.__new__(cls)
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            reference._set(trained_on, **kept)
        return reference

    def p_values(self, values):
        """How unusual recordings of other people are.

        Parameters
        ----------
        values : array-like, shape (n, 26)
            The features of each.

        Returns
        -------
        ndarray, shape (n,)
            Between 1 / (people + 1) and 1; missing (NaN) where there are too few people to compare with.
        """
        values = np.asarray(values, dtype=float)
        if not self._folds:
            return np.full(len(values), np.nan)
        # A recording that was trained on is as unusual as itself, whatever the last digits say.
        as_unusual = sum(
            (distances >= (1 - _ROUNDING) * space.distance(values)[:, None]) @ weight
            for space, distances, weight in self._folds
        )
        return (1 + as_unusual) / (1 + self.people)

    def judge(self, values):
        """How unusual one recording is.

        Parameters
        ----------
        values : array-like, shape (26,)
            Its features.

        Returns
        -------
        Novelty
            The p-value and what follows from it.
        """
        if not self._folds:
            message = f"{self.trained_on} has too few people to tell whether this recording resembles what was trained on."
            return Novelty(None, "unknown", message, self.trained_on)
        p = float(self.p_values([values])[0])
        code = "far" if p < FAR else "unusual" if p <= UNUSUAL else "familiar"
        return Novelty(p, code, self._sentence(p, code), self.trained_on)

    def _sentence(self, p, code):
        size = f"{self.recordings:,} recordings of {self.people:,} people in {self.trained_on}"
        share = "fewer than 1" if p < 0.01 else f"about {100 * p:.0f}"
        opening = {
            "far": f"Far from anything the models were trained on, {size}",
            "unusual": f"Unusual beside what the models were trained on, {size}",
            "familiar": f"Not unlike what the models were trained on, {size}",
        }[code]
        return f"{opening}: of 100 recordings like those, {share} would be at least as unusual as this one."


def _rotation(values):
    """Coordinates that do not depend on each other, so that what is measured twice does not count twice."""
    from sklearn.covariance import LedoitWolf

    normal = _normal(values, values)
    return np.linalg.cholesky(LedoitWolf().fit(normal).precision_)


class _Space:
    """The coordinates in which distances from some training rows are measured."""

    def __init__(self, values, rotation):
        self._values, self._rotation = values, rotation
        self._rows = self._turned(values)

    def distance(self, values):
        """Mean distance of each row to the nearest training rows."""
        k = min(NEIGHBOURS, len(self._rows))
        squares = (np.square(self._rows - row).sum(axis=1) for row in self._turned(values))
        return np.array([np.sqrt(np.partition(square, k - 1)[:k]).mean() for square in squares])

    def _turned(self, values):
        return _normal(self._values, values) @ self._rotation


def _normal(rows, values):
    """Values by their rank in each column of some rows, as of a normal distribution."""
    # Not scikit-learn's QuantileTransformer, nor a search in each column: for a single row they take several times longer.
    ranks = [(rows < row).sum(axis=0) + (rows <= row).sum(axis=0) for row in values]
    return _quantiles(len(rows))[np.array(ranks, dtype=int).reshape(values.shape)]


@lru_cache
def _quantiles(n):
    """Quantiles of the normal distribution at 0, 1 / 2n, ..., 1: shape (2 n + 1,)."""
    normal = NormalDist()
    shares = np.clip(np.arange(2 * n + 1) / (2 * n), _EDGE, 1 - _EDGE)
    return np.array([normal.inv_cdf(share) for share in shares])
