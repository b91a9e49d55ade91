"""How often a cough gets another label on the page "Live" than in a file: measured by benchmarks/live_labels.py.

A listener that gets the very samples of a file gives exactly its labels. On the page the browser compresses the sound, and it
begins at another moment than a file, so that the detector's steps fall elsewhere and a cough is cut out up to a step earlier or
later.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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


def _stored() -> Measured:
    found = json.loads(Path(__file__).with_suffix(".json").read_text())
    shares = {name: Share(*numbers) for name, numbers in found["live"].items()}
    return Measured(
        **found | {"datasets": tuple(found["datasets"]), "live": shares, "whole": Share(*found["whole"])}
    )


#: What labels.json has, which the benchmark prints.
MEASURED = _stored()


def identity(study: StoredStudy) -> str:
    """A value that changes with the models that are asked on the page."""
    files = [model["serve"] for model in study.models.values() if model["serve"] and not model["large"]]
    return hashlib.sha256("".join(study.hashes[file] for file in files).encode()).hexdigest()[:16]


def sentence(study: StoredStudy) -> str:
    """How often a cough gets another label than in a file, in words for the page."""
    why = (
        "The browser compresses the sound, and where a cough begins and ends is found to"
        f" {1000 * STEP_S:.0f} ms, not at the same moments as in a file."
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
        f"About one cough in {1 / heard.share:.0f} gets another answer here than in a file, from at least one model. {why}"
        f" Measured on {MEASURED.coughs:,} coughs in {MEASURED.recordings:,} recordings of {MEASURED.people:,} people"
        f" ({', '.join(MEASURED.datasets)}), sent through the same steps: {heard.text()}; by model, {by_model};"
        f" {MEASURED.coughs - heard.of} coughs were not found. A cough alone and its whole recording differ more often: about one"
        f" time in {1 / whole.share:.0f}, {whole.text()}."
    )
