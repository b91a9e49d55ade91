"""The interface of all classifiers."""

from collections.abc import Callable
from dataclasses import dataclass

from coughlab.classifiers import runtime


class NotReadyError(RuntimeError):
    """A classifier cannot be trained on this machine; the message says what is missing and how to get it."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """How to fit, save and load one kind of model."""

    #: Its position in lists of classifiers.
    order: int
    #: Short name, used in tables, files and the API.
    name: str
    #: Name shown to users.
    title: str
    #: One sentence: what it is and what input it takes; ``{condition}`` is replaced by the condition.
    summary: str
    #: Its input, computed from a recording: a key of `coughlab.features.inputs.INPUTS`.
    input: str
    #: ``fit(inputs, labels, *, seed, epochs=None, progress=silent)``: `inputs` is a sequence with one item per recording,
    #: `labels` are 0 or 1, `progress` is a `coughlab.system.progress.Share`. Returns the fitted model.
    fit: Callable
    #: ``fit_many(inputs, labels, trains, *, seeds, epochs=None, progress=silent)``, for classifiers that train faster together
    #: than one after another. It takes `inputs` and `labels` of all recordings, and for each model the numbers of its training
    #: rows and its seed. Returns the fitted models; the result of each does not depend on the others.
    fit_many: Callable | None = None
    #: Passes over the training rows, if it is trained in passes.
    epochs: int | None = None
    #: ``embed(inputs, progress)``: the frozen part of a network, run once over all recordings of a dataset. If there is one,
    #: `fit` and the fitted model's ``predict`` take its outputs instead of the inputs.
    embed: Callable | None = None
    #: Default number of splits of a protocol to measure it on; it depends on how long a fit takes.
    splits: int = 5
    #: Whether a model fitted on all recordings is saved for serving.
    keep: bool = True
    #: Whether that model is too large to be committed to git with the study.
    large: bool = False
    #: ``load(content)``: a function from one input to its probability; `content` is the serving file's bytes or path.
    load: Callable = runtime.LiteRT
    #: Raises `NotReadyError` if this machine lacks something that `fit` needs; called before other long work.
    ready: Callable | None = None
