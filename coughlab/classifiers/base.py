"""The shape all classifiers share."""

from collections.abc import Callable
from dataclasses import dataclass

from coughlab.classifiers import runtime


class NotReadyError(RuntimeError):
    """A classifier cannot be trained on this machine; the message says what it lacks and how to get it."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A recipe for a model.

    Attributes
    ----------
    order : int
        Its place where all are listed.
    name : str
        Short name, used in tables, files and the API.
    title : str
        Name shown to people.
    summary : str
        One sentence: what it is and what it reads; ``{condition}`` stands for the condition.
    input : str
        What it reads of a recording: a key of `coughlab.features.inputs.INPUTS`.
    fit : callable
        ``fit(inputs, labels, *, seed, epochs=None, progress=None)``: `inputs` a sequence with one item a recording, `labels`
        0 or 1, `progress` called with the share done, from 0 to 1. Returns the fitted model.
    fit_many : callable or None
        ``fit_many(inputs, labels, trains, *, seeds, epochs=None, progress=None)``, where many are trained faster together than
        one after another: `inputs` and `labels` of all recordings, and of each model the numbers of its training rows and its
        seed. Returns the fitted models; none depends on which others are asked for.
    epochs : int or None
        Passes over the training rows, where it learns by passes.
    embed : callable or None
        ``embed(inputs, progress)``: the part of a network that never learns, run once over all recordings of a dataset. Where
        there is one, `fit` and the fitted model's ``predict`` get its outputs in place of the inputs.
    splits : int
        How many splits of a protocol it is measured on unless told, a matter of how long a fit takes.
    keep : bool
        Whether a model fitted on all recordings is kept for answering.
    large : bool
        Whether that model is too large to be committed with the study.
    load : callable
        ``load(content)``: the file that serves, bytes or where it is, as a function from one input to its probability. Networks
        are LiteRT models unless another is given.
    ready : callable or None
        Raises `NotReadyError` if this machine lacks what `fit` needs, before hours of other work.
    """

    order: int
    name: str
    title: str
    summary: str
    input: str
    fit: Callable
    fit_many: Callable | None = None
    epochs: int | None = None
    embed: Callable | None = None
    splits: int = 5
    keep: bool = True
    large: bool = False
    load: Callable = runtime.LiteRT
    ready: Callable | None = None
