"""CoughLab: what models predict for a cough, and how reliable the predictions are.

The functions that a notebook needs first. They are loaded on first use: importing `coughlab` alone loads none of them.

>>> import coughlab
>>> recording = coughlab.load_audio(coughlab.make_cough())
>>> len(coughlab.find_coughs(recording).events)
3
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers
    from coughlab.audio.decoding import load as load_audio
    from coughlab.audio.synthetic import sample as make_cough
    from coughlab.audit.run import audit_dataset
    from coughlab.datasets import load as load_dataset
    from coughlab.detector.detect import find_coughs
    from coughlab.evaluation.bootstrap import table as measure_evidence
    from coughlab.evaluation.scoring import per_split as score_predictions
    from coughlab.evidence.steps import steps as check_reality
    from coughlab.features.acoustic import extract as extract_features
    from coughlab.features.inputs import spectrogram as extract_spectrogram
    from coughlab.serving.predictors import predict
    from coughlab.studies.store import load_study

__version__ = "0.1.0"

#: Module and name of each function that can be imported from here.
_OFFERED = {
    "load_audio": ("coughlab.audio.decoding", "load"),
    "make_cough": ("coughlab.audio.synthetic", "sample"),
    "find_coughs": ("coughlab.detector.detect", "find_coughs"),
    "extract_features": ("coughlab.features.acoustic", "extract"),
    "extract_spectrogram": ("coughlab.features.inputs", "spectrogram"),
    "predict": ("coughlab.serving.predictors", "predict"),
    "load_dataset": ("coughlab.datasets", "load"),
    "audit_dataset": ("coughlab.audit.run", "audit_dataset"),
    "load_study": ("coughlab.studies.store", "load_study"),
    "score_predictions": ("coughlab.evaluation.scoring", "per_split"),
    "measure_evidence": ("coughlab.evaluation.bootstrap", "table"),
    "check_reality": ("coughlab.evidence.steps", "steps"),
}
__all__ = [
    "audit_dataset",
    "check_reality",
    "extract_features",
    "extract_spectrogram",
    "find_coughs",
    "load_audio",
    "load_dataset",
    "load_study",
    "make_cough",
    "measure_evidence",
    "predict",
    "score_predictions",
]


def __getattr__(name: str) -> object:
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _OFFERED[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_OFFERED])
