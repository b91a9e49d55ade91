"""The shape all classifiers share."""

from collections.abc import Callable
from dataclasses import dataclass

from coughlab.classifiers import runtime


class NotReadyError(RuntimeError):
    """A classifier cannot be trained on this machine; the message says what it lacks and how to get it."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A recipe for a model."""

    #: Its place where all are listed.
    order: int
    #: Short name, used in tables, files and the API.
    name: str
    #: Name shown to people.
    title: str
    #: One sentence: what it is and what it reads; ``{condition}`` stands for the condition.
    summary: str
    #: What it reads of a recording: a key of `coughlab.features.inputs.INPUTS`.
    input: str
    #: ``fit(inputs, labels, *, seed, epochs=None, progress=silent)``: `inputs` a sequence with one item a recording, `labels`
    #: 0 or 1, `progress` a `coughlab.system.progress.Share`. Returns the fitted model.
    fit: Callable
    #: ``fit_many(inputs, labels, trains, *, seeds, epochs=None, progress=silent)``, where many are trained faster together than
    #: one after another: `inputs` and `labels` of all recordings, and of each model the numbers of its training rows and its
    #: seed. Returns the fitted models; none depends on which others are asked for.
    fit_many: Callable | None = None
    #: Passes over the training rows, where it learns by passes.
    epochs: int | None = None
    #: ``embed(inputs, progress)``: the part of a network that never learns, run once over all recordings of a dataset. Where
    #: there is one, `fit` and the fitted model's ``predict`` get its outputs in place of the inputs.
    embed: Callable | None = None
    #: How many splits of a protocol it is measured on unless a study sets another number, a matter of how long a fit takes.
    splits: int = 5
    #: Whether a model fitted on all recordings is kept for answering.
    keep: bool = True
    #: Whether that model is too large to be committed with the study.
    large: bool = False
    #: ``load(content)``: the file that serves, bytes or where it is, as a function from one input to its probability.
    load: Callable = runtime.LiteRT
    #: Raises `NotReadyError` if this machine lacks what `fit` needs, before hours of other work.
    ready: Callable | None = None
