"""How often a cough gets another label on the page "Live" than in a file: measured by benchmarks/live_labels.py.

A listener that gets the very samples of a file gives exactly its labels. On the page the browser compresses the sound, and it
begins at another moment than a file, so that the detector's steps fall elsewhere and a cough is cut out up to a step earlier or
later.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from coughlab.detector.events import STEP_S
from coughlab.studies.store import StoredStudy


@dataclass(frozen=True)
class Share:
    """A number of coughs, of how many, and the 95% interval of the share, by a bootstrap over people."""

    changed: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share, from 0 to 1."""
        return self.changed / self.of

    def text(self) -> str:
        """The share and its interval in percent."""
        return f"{self.share:.1%} (95% interval {self.low:.1%} to {self.high:.1%})"


@dataclass(frozen=True)
class Measured:
    """The measurement.

    Attributes
    ----------
    models : str
        `identity` of the study whose models were asked.
    coughs : int
        Coughs that are found in the files.
    live : dict of str to Share
        Of those that are found on "Live" too: coughs that got another label there, by model, and from ``any`` model.
    whole : Share
        Coughs of a file that got another label than the whole file, from any model.
    """

    models: str
    datasets: tuple[str, ...]
    recordings: int
    people: int
    coughs: int
    live: Mapping[str, Share]
    whole: Share


MEASURED = Measured(
    models="7732250803257f7b",
    datasets=("covid19-cough", "kaggle-trial", "coswara-sample"),
    recordings=410,
    people=362,
    coughs=1338,
    live={
        "any": Share(107, 1310, 0.0629, 0.0999),
        "mlp": Share(14, 1310, 0.005, 0.0176),
        "cnn": Share(41, 1310, 0.0189, 0.045),
        "knn": Share(57, 1310, 0.0299, 0.0568),
    },
    whole=Share(370, 1338, 0.2312, 0.3258),
)


def identity(study: StoredStudy) -> str:
    """A value that changes with the models that are asked on the page."""
    files = [model["serve"] for model in study.models.values() if model["serve"] and not model["large"]]
    return hashlib.sha256("".join(study.hashes[file] for file in files).encode()).hexdigest()[:16]


def sentence(study: StoredStudy) -> str:
    """How often a cough gets another label than in a file, in words for the page."""
    why = (
        f"The browser compresses the sound, and a cough is cut out of it in steps of {1000 * STEP_S:.0f} ms."
    )
    if identity(study) != MEASURED.models:
        return f"{why} How often a label changes because of that was not measured with these models."
    by_model = ", ".join(
        f"{study.models[name]['title']} {one.share:.1%}"
        for name, one in MEASURED.live.items()
        if name != "any"
    )
    heard, whole = MEASURED.live["any"], MEASURED.whole
    return (
        f"{why} Of {MEASURED.coughs:,} coughs in {MEASURED.recordings:,} recordings of {MEASURED.people:,} people"
        f" ({', '.join(MEASURED.datasets)}) that were sent through the same steps, {MEASURED.coughs - heard.of} were not found,"
        f" and {heard.text()} of the others got another label from at least one model than in a file ({by_model}). The models"
        f" differ more between a whole recording and its coughs: {whole.text()} of the coughs alone got another label than their"
        " recording from at least one model."
    )
