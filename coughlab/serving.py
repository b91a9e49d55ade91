"""A recording and a study's models in, a prediction out. Never imports tensorflow."""

import json
import threading
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache

import numpy as np

from coughlab import __version__, audio, synthetic
from coughlab.datasets import LABELS
from coughlab.signal import events, features, quality, spectrum
from coughlab.signal.inputs import INPUTS
from coughlab.store import MANIFEST, MODELS, StoredStudy

STUDY = "kaggle-trial"
#: The case study's final model: its label is the label of the answer.
MAIN_MODEL = "mlp"


@dataclass(frozen=True)
class Answer:
    """What one model says: label, probability of covid, and the threshold between the labels."""

    label: str
    probability: float
    threshold: float


@dataclass(frozen=True)
class Prediction:
    """What a study's models say of one recording, and what was measured in it.

    Attributes
    ----------
    models : dict of str to Answer
        One answer a model, the main model's first.
    audio : dict
        Duration in seconds, sample rate in hertz, channels and codec of the file.
    events : list of coughlab.signal.events.Event
        The coughs.
    quality : list of coughlab.signal.quality.Remark
        What is wrong with the recording.
    features : ndarray, shape (26,)
        The case study's features.
    study : str
        Name of the study.
    """

    models: dict
    audio: dict
    events: list
    quality: list
    features: np.ndarray
    study: str

    def to_dict(self):
        """The answer of the API, ready for JSON."""
        main = self.models[MAIN_MODEL]
        return {
            "label": main.label,
            "probability": main.probability,
            "model": MAIN_MODEL,
            "models": {name: asdict(answer) for name, answer in self.models.items()},
            "audio": self.audio,
            "events": [asdict(event) for event in self.events],
            "quality": [asdict(remark) for remark in self.quality],
            "study": self.study,
            "version": __version__,
        }

    def to_json(self):
        """The whole result as a JSON document: the answer of the API and the 26 features."""
        measured = {name: float(value) for name, value in zip(features.NAMES, self.features, strict=True)}
        return json.dumps(self.to_dict() | {"features": measured}, indent=2)


class Predictor:
    """The models of a stored study, loaded when first asked and then kept. May be shared between threads.

    Parameters
    ----------
    study : coughlab.store.StoredStudy, optional
        The study; `STUDY` in the models folder unless given.

    Raises
    ------
    coughlab.store.StoreError
        If there is no such study.
    """

    def __init__(self, study=None):
        self.study = study or StoredStudy(MODELS / STUDY)
        spectrum.use_one_thread()

    def predict(self, recording):
        """Ask every model about a recording.

        Parameters
        ----------
        recording : coughlab.audio.Recording
            What was recorded.

        Returns
        -------
        Prediction
            The answers.

        Raises
        ------
        coughlab.store.StoreError
            If a file of the study is missing or was changed.
        """
        inputs = {kind: extract(recording) for kind, extract in INPUTS.items()}
        found = events.detect(recording)
        return Prediction(
            models={name: self._answer(name, inputs) for name in self.study.models},
            audio={
                "duration_s": round(recording.duration, 6),
                "sample_rate": recording.rate,
                "channels": recording.channels,
                "codec": recording.codec,
            },
            events=found,
            quality=quality.check(recording, found),
            features=inputs["features"],
            study=self.study.name,
        )

    def warm_up(self):
        """Load every model and ask each once, so that the next question is answered at full speed."""
        self.predict(audio.load(synthetic.sample()))

    @cached_property
    def _models(self):
        entries = self.study.models.items()
        return {name: _load(entry["serve"], self.study.read(entry["serve"])) for name, entry in entries}

    def _answer(self, name, inputs):
        entry = self.study.models[name]
        probability = self._models[name](inputs[entry["input"]])
        label = LABELS[int(probability >= entry["threshold"])]
        return Answer(label, probability, entry["threshold"])


def _load(name, content):
    """A function from one recording's input to its probability."""
    return {"tflite": LiteRT, "skops": Skops}[name.rpartition(".")[2]](content)


def default():
    """The predictor of the study `STUDY`, shared by all who ask, and renewed when the study is trained again.

    Returns
    -------
    Predictor
        Shared between threads.

    Raises
    ------
    coughlab.store.StoreError
        If there is no such study.
    """
    manifest = MODELS / STUDY / MANIFEST
    return _predictor(manifest.stat().st_ino if manifest.exists() else None)


@lru_cache(maxsize=1)
def _predictor(manifest_inode):
    return Predictor()


class LiteRT:
    """A LiteRT model that reads one input of any length.

    Parameters
    ----------
    content : bytes
        The ``.tflite`` file.
    """

    def __init__(self, content):
        from ai_edge_litert.interpreter import Interpreter

        # One thread: the same sums in the same order, so the same digits, wherever it runs.
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._shape = None
        self._lock = threading.Lock()

    def __call__(self, x):
        """Probability of covid for one input."""
        batch = np.asarray(x, dtype=np.float32)[None]
        with self._lock:
            if batch.shape != self._shape:
                self._interpreter.resize_tensor_input(self._input, batch.shape)
                self._interpreter.allocate_tensors()
                self._shape = batch.shape
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            return float(self._interpreter.get_tensor(self._output)[0, 0])


class Skops:
    """A scikit-learn pipeline saved by skops; types skops does not trust by itself are refused.

    Parameters
    ----------
    content : bytes
        The ``.skops`` file.
    """

    def __init__(self, content):
        import skops.io

        self._pipeline = skops.io.loads(content)

    def __call__(self, x):
        """Probability of covid for one input."""
        return float(self._pipeline.predict_proba(np.asarray(x)[None])[0, 1])
