"""The shape all classifiers share."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Classifier:
    """A recipe for a model.

    Attributes
    ----------
    name : str
        Short name, used in tables, files and the API.
    title : str
        Name shown to people.
    summary : str
        One sentence: what it is and what it reads.
    input : str
        What it reads of a recording: a key of `coughlab.signal.inputs.INPUTS`.
    fit : callable
        ``fit(inputs, labels, *, seed, epochs=None, progress=None)``: `inputs` a sequence with one item a recording, `labels`
        0 or 1, `progress` called with the share done, from 0 to 1. Returns the fitted model.
    epochs : int or None
        Passes over the training rows, where it learns by passes.
    """

    name: str
    title: str
    summary: str
    input: str
    fit: Callable
    epochs: int | None = None
