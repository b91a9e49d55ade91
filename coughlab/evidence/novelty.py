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

from dataclasses import dataclass

import numpy as np

from coughlab.evidence import copies
from coughlab.signal import features

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

        self.trained_on = trained_on
        if "audio" in table:
            table = table[copies.clean(table)]
        if len(table) > MOST_ROWS:
            table = table.sample(MOST_ROWS, random_state=0)
        values, person = table[list(features.NAMES)].to_numpy(dtype=float), table["person"].to_numpy()
        self.recordings, self.people = len(table), len(np.unique(person))
        self._folds = []
        if self.people < LEAST_PEOPLE:
            return
        # A person's recordings are alike, so together they count as one.
        weight = 1 / table.groupby("person")["person"].transform("size").to_numpy()
        for others, own in GroupKFold(FOLDS, shuffle=True, random_state=0).split(values, groups=person):
            space = _Space(values[others])
            self._folds.append((space, space.distance(values[own]), weight[own]))

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
        as_unusual = sum(
            (distances >= space.distance(values)[:, None]) @ weight
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


class _Space:
    """The coordinates in which distances from some training rows are measured."""

    def __init__(self, values):
        from scipy.spatial import KDTree
        from sklearn.covariance import LedoitWolf

        self._sorted = np.sort(values, axis=0)
        normal = self._normal(values)
        # Coordinates that do not depend on each other, so that what is measured twice does not count twice.
        self._rotation = np.linalg.cholesky(LedoitWolf().fit(normal).precision_)
        self._rows = KDTree(normal @ self._rotation)

    def distance(self, values):
        """Mean distance of each row to the nearest training rows."""
        return self._rows.query(self._normal(values) @ self._rotation, k=NEIGHBOURS)[0].mean(axis=1)

    def _normal(self, values):
        """Values by their rank among the training rows, as of a normal distribution."""
        # Not scikit-learn's QuantileTransformer, which takes milliseconds for a single row.
        from scipy.special import ndtri

        ranks = [
            np.searchsorted(column, value, "left") + np.searchsorted(column, value, "right")
            for column, value in zip(self._sorted.T, values.T, strict=True)
        ]
        shares = np.transpose(ranks) / (2 * len(self._sorted))
        return ndtri(np.clip(shares, _EDGE, 1 - _EDGE))
