"""Whether a recording resembles those that the models were trained on: a calibrated p-value.

The measure of how unusual a recording is: its mean distance to the nearest training recordings in the 26 features, made normal by
ranks and decorrelated. Its p-value is that of cross-conformal prediction (V. Vovk, "Cross-conformal predictors", Ann. Math.
Artif. Intell. 74, 2015) of anomalies (R. Laxhammar and G. Falkman, "Conformal prediction for distribution-independent anomaly
detection in streaming vessel data", StreamKDD 2010; S. Bates et al., "Testing for outliers with conformal p-values", Ann.
Statist. 51, 2023): training people are split into folds, the people of a fold and the new recording are compared with the people
of all other folds, and the p-value is the share of people, including the new one, who are at least as unusual. So about one in
twenty recordings that are like the training data has a p-value of 0.05 or less. A comparison of every training recording with all
others, in coordinates computed from it too, would find many more of them unusual.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from coughlab.features import acoustic

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd

#: A recording with at most these p-values is unusual, and far from all training recordings.
UNUSUAL, FAR = 0.05, 0.02
#: With fewer people, not even a recording far from all of them could have a p-value of 0.05.
LEAST_PEOPLE = 20
#: More rows would hardly improve the result, but cost time and memory in every answer.
MOST_ROWS = 2000
NEIGHBOURS = 3
FOLDS = 5
# A value beyond all training values is limited to 5.2 standard deviations, as in scikit-learn's QuantileTransformer.
_EDGE = 1e-7
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Novelty:
    """How unusual a recording is: p-value (None if the training people are too few), a code, and a sentence."""

    p: float | None
    #: "familiar", "unusual", "far" or "unknown".
    code: str
    message: str
    trained_on: str


class Reference:
    """The training data that a recording is compared with. Thread-safe.

    Parameters
    ----------
    table : pandas.DataFrame
        The feature table of the study: ``person``, the 26 features, and, if copies were searched for, ``label`` and ``audio``:
        each recording then counts once.
    trained_on : str
        Name of the dataset.
    """

    def __init__(self, table: pd.DataFrame, trained_on: str):
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
            splits = GroupKFold(FOLDS, shuffle=True, random_state=0).split(values, groups=person)
            for number, (others, own) in enumerate(splits):
                fold[own] = number
                rotations.append(_rotation(values[others]))
                distances[own] = _Space(values[others], rotations[-1]).distance(values[own])
        self.trained_on = trained_on
        self._set(
            people=people, values=values, weight=weight, fold=fold, rotations=rotations, distances=distances
        )

    def _set(self, **kept):
        self._kept, values, fold = kept, kept["values"], kept["fold"]
        self.recordings, self.people = len(values), int(kept["people"])
        self._folds = [
            (_Space(values[fold != k], rotation), kept["distances"][fold == k], kept["weight"][fold == k])
            for k, rotation in enumerate(kept["rotations"])
        ]

    def save(self) -> bytes:
        """The reference as bytes, for `load`."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **self._kept)
        return buffer.getvalue()

    @classmethod
    def load(cls, content: bytes, trained_on: str) -> Self:
        """A saved reference; needs neither pandas nor scikit-learn."""
        reference = cls.__new__(cls)
        reference.trained_on = trained_on
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            reference._set(**kept)
        return reference

    def p_values(self, values: ArrayLike) -> np.ndarray:
        """p-values of recordings of other people: features (n, 26) to (n,); missing (NaN) if there are too few people."""
        values = np.asarray(values, dtype=float)
        if not self._folds:
            return np.full(len(values), np.nan)
        # A tolerance, so that rounding does not make a training recording more unusual than itself.
        as_unusual = sum(
            (distances >= (1 - _ROUNDING) * space.distance(values)[:, None]) @ weight
            for space, distances, weight in self._folds
        )
        return (1 + as_unusual) / (1 + self.people)

    def judge(self, values: np.ndarray) -> Novelty:
        """How unusual one recording is, from its 26 features."""
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
    """Decorrelating rotation, so that correlated features do not count twice."""
    from sklearn.covariance import LedoitWolf

    normal = _normal(values, values)
    return np.linalg.cholesky(LedoitWolf().fit(normal).precision_)


class _Space:
    """The coordinates in which distances from some training rows are measured."""

    def __init__(self, values, rotation):
        self._values, self._rotation = values, rotation
        self._rows = self._turned(values)

    def distance(self, values: np.ndarray) -> np.ndarray:
        """Mean distance of each row to the nearest training rows."""
        k = min(NEIGHBOURS, len(self._rows))
        squares = (np.square(self._rows - row).sum(axis=1) for row in self._turned(values))
        return np.array([np.sqrt(np.partition(square, k - 1)[:k]).mean() for square in squares])

    def _turned(self, values):
        return _normal(self._values, values) @ self._rotation


def _normal(rows, values):
    """Values converted to a normal distribution by their rank in each column of some rows."""
    # For a single row, scikit-learn's QuantileTransformer, or a search in each column, takes several times longer.
    ranks = [(rows < row).sum(axis=0) + (rows <= row).sum(axis=0) for row in values]
    return _quantiles(len(rows))[np.array(ranks, dtype=int).reshape(values.shape)]


@lru_cache
def _quantiles(n):
    """Quantiles of the normal distribution at 0, 1 / 2n, ..., 1: shape (2 n + 1,)."""
    normal = NormalDist()
    shares = np.clip(np.arange(2 * n + 1) / (2 * n), _EDGE, 1 - _EDGE)
    return np.array([normal.inv_cdf(share) for share in shares])
