"""Predictions of a study's models for a recording. Never imports tensorflow."""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np

from coughlab import __version__, audio, detector
from coughlab.audio import Recording, synthetic
from coughlab.classifiers import CLASSIFIERS
from coughlab.classifiers.runtime import LiteRT
from coughlab.evaluation.novelty import Novelty, Reference
from coughlab.evidence import verdict as beliefs
from coughlab.features import acoustic, inputs, quality
from coughlab.studies.definition import DEFAULT as STUDY
from coughlab.studies.store import KNOWN, MANIFEST, MODELS, NOVELTY, StoredStudy, StoreError, state
from coughlab.system import resources
from coughlab.task import Task
from coughlab.text import plain

#: A single cough is cut out of its recording with this many seconds on both sides.
MARGIN_S = 0.1
#: Limits on a recording: as for datasets, but a silent recording gets an answer too: no cough.
LIMITS = replace(audio.LIMITS, silence_peak=0.0)


@dataclass(frozen=True)
class Answer:
    """One model's answer: label, probability of the condition, and the threshold between the labels."""

    label: str
    probability: float
    threshold: float


@dataclass(frozen=True)
class Prediction:
    """The answers of a study's models about one recording, and the measurements on it.

    Attributes
    ----------
    models : dict of str to Answer
        One answer per model about the whole recording, the main model's first. Empty if there is no cough and no answer was
        forced.
    cough : coughlab.detector.Detection
        The coughs, or what is heard instead.
    each : list of dict of str to Answer
        For each cough, the models' answers about it alone. The large models do not answer about single coughs.
    audio : dict
        Duration in seconds, sample rate in hertz, channels and codec of the file.
    features : ndarray, shape (26,)
        The case study's features.
    evidence : dict of str to dict
        How reliable each answer is, by model, from `coughlab.evidence.verdict.block`.
    novelty : coughlab.evaluation.novelty.Novelty or None
        Whether the recording resembles those that the models were trained on; None if no model answers.
    """

    models: dict[str, Answer]
    cough: detector.Detection
    each: list[dict[str, Answer]]
    audio: dict[str, Any]
    quality: list[quality.Remark]
    features: np.ndarray
    study: str
    main_model: str
    task: Task
    evidence: dict[str, dict]
    novelty: Novelty | None

    @property
    def events(self) -> list[detector.Event]:
        """The coughs."""
        return self.cough.events

    def votes(self, name: str) -> dict[str, int] | None:
        """Number of coughs by label that a model gives; None if it did not answer about single coughs."""
        if any(name not in answers for answers in self.each):
            return None
        counts = Counter(answers[name].label for answers in self.each)
        return {label: counts[label] for label in self.task.labels}

    def to_dict(self) -> dict[str, Any]:
        """The answer of the API, JSON-serializable."""
        main = self.models.get(self.main_model)
        events = []
        for event, answers in zip(self.events, self.each, strict=True):
            said = {
                name: {"label": one.label, "probability": one.probability} for name, one in answers.items()
            }
            events.append(asdict(event) | {"models": said})
        return {
            "label": main and main.label,
            "probability": main and main.probability,
            "model": self.main_model,
            "cough": self.cough.to_dict(),
            "evidence": self.evidence.get(self.main_model),
            "novelty": self.novelty and asdict(self.novelty),
            "models": {
                name: asdict(answer) | {"coughs": self.votes(name), "evidence": self.evidence[name]}
                for name, answer in self.models.items()
            },
            "audio": self.audio,
            "events": events,
            "quality": [asdict(remark) for remark in self.quality],
            "study": self.study,
            "version": __version__,
        }

    def to_json(self) -> str:
        """The answer of the API and the 26 features as a JSON document."""
        measured = {name: float(value) for name, value in zip(acoustic.NAMES, self.features, strict=True)}
        return json.dumps(self.to_dict() | {"features": measured}, indent=2)


class UnknownModelError(ValueError):
    """A requested model is not available; the message lists those that are."""


def load(source: bytes | memoryview | str | os.PathLike) -> audio.Recording:
    """Decode the bytes of a file, or the file at a path, as `coughlab.audio.load` does; but silence is not an error."""
    return audio.load(source, LIMITS)


class Predictor:
    """The models of a stored study, loaded on first use. Thread-safe.

    The default study is `STUDY` in the models folder; StoreError if it is missing.
    """

    def __init__(self, study: StoredStudy | None = None):
        self.study = study or StoredStudy(MODELS / STUDY)
        main = self.study.main_model
        if not self.study.models.get(main, {}).get("serve"):
            raise StoreError(f"The study {self.study.name} lacks its main model, {main}. Train it first.")
        self._loaded: dict[str, Callable[[np.ndarray], float]] = {}
        self._lock = threading.Lock()
        resources.use_one_thread()

    @cached_property
    def names(self) -> list[str]:
        """Names of the models that always answer, the main model's first."""
        return [name for name in self.study.served if name not in self.slow]

    @cached_property
    def slow(self) -> list[str]:
        """Names of the large models that are present here. They are slow, so they answer only on request."""
        return [name for name in self.study.served if self.study.models[name]["large"]]

    @cached_property
    def known(self) -> dict[str, beliefs.Known | None]:
        """What is known about each model that can answer, from `coughlab.evidence.verdict.known`."""
        known = beliefs.load(self.study.read(KNOWN))
        return {name: known[name] for name in self.study.served}

    @cached_property
    def trained_on(self) -> Reference:
        """The reference for novelty."""
        return Reference.load(self.study.read(NOVELTY), self.study.name)

    def predict(
        self,
        recording: audio.Recording,
        *,
        cough: detector.Detection | None = None,
        also: Iterable[str] = (),
        prevalence: float | None = None,
        force: bool = False,
    ) -> Prediction:
        """Find the coughs in a recording, and run the models on it and on each cough.

        If there is no cough, no model is run. Each cough takes about 4 ms, and the longest accepted recording can have some
        hundreds.

        Parameters
        ----------
        cough : coughlab.detector.Detection, optional
            The detector's result, if it is known already.
        also : iterable of str
            Models of `slow` to run in addition, on the whole recording only.
        prevalence : float, optional
            The probability of the condition before the answer, above 0 and below 1; the task's by default.
        force : bool
            Run the models even if there is no cough.

        Raises
        ------
        UnknownModelError
            If one of `also` is not among `slow`.
        coughlab.audio.AudioError
            If an answer is forced and the recording is silent.
        coughlab.studies.store.StoreError
            If a file of the study or of the detector is missing or was changed.
        """
        if force and audio.is_silent(recording.samples):
            raise audio.error("silent")
        also = set(also)
        if unknown := also - set(self.slow):
            present = ", ".join(self.slow) or "none"
            raise UnknownModelError(
                f"The model {plain(min(unknown))} cannot be asked in addition. On this machine these can: {present}."
            )
        if cough is None:
            cough = detector.default().detect(recording)
        models, each, evidence, novelty = {}, [], {}, None
        asked = [name for name in self.study.served if name in self.names or name in also]
        asked = asked if cough.events or force else []
        measured = inputs.measure(recording, {"features", *self._kinds(asked)})
        if asked:
            models = self._answers(asked, measured)
            each = [self.ask(cut(recording, event)) for event in cough.events]
            novelty = self.trained_on.judge(measured["features"])
            block, found = partial(beliefs.block, self.study), bool(cough.events)
            evidence = {
                name: block(self.known[name], answer.label, novelty, prevalence, cough=found)
                for name, answer in models.items()
            }
        return Prediction(
            models=models,
            cough=cough,
            each=each,
            audio={
                "duration_s": round(recording.duration, 6),
                "sample_rate": recording.rate,
                "channels": recording.channels,
                "codec": recording.codec,
            },
            quality=quality.check(recording, cough.events),
            features=measured["features"],
            study=self.study.name,
            main_model=self.study.main_model,
            task=self.study.task,
            evidence=evidence,
            novelty=novelty,
        )

    def ask(self, recording: audio.Recording, names: Iterable[str] | None = None) -> dict[str, Answer]:
        """One answer per model about any sound; the models are those of `names` by default."""
        names = self.names if names is None else names
        return self._answers(names, inputs.measure(recording, self._kinds(names)))

    def warm_up(self) -> None:
        """Load every model and run each once, so that the next answer is fast."""
        self.predict(audio.load(synthetic.sample()), force=True)

    def _kinds(self, names):
        """Kinds of input that models need."""
        return {self.study.models[name]["input"] for name in names}

    def _answers(self, names, measured):
        return {name: self._answer(name, measured) for name in names}

    def _answer(self, name, measured):
        entry = self.study.models[name]
        with self._lock:
            if name not in self._loaded:
                # A model whose classifier is unknown to this version is treated as a network.
                load = CLASSIFIERS[name].load if name in CLASSIFIERS else LiteRT
                self._loaded[name] = load(self.study.served[name])
        probability = self._loaded[name](measured[entry["input"]])
        label = self.study.task.label(probability >= entry["threshold"])
        return Answer(label, probability, entry["threshold"])


def cut(recording: audio.Recording, event: detector.Event) -> audio.Recording:
    """One cough alone, with up to `MARGIN_S` before and after it."""
    start, end = (
        round(seconds * recording.rate) for seconds in (event.start_s - MARGIN_S, event.end_s + MARGIN_S)
    )
    return replace(recording, samples=recording.samples[max(start, 0) : end])


def predict(recording: Recording, **options: Any) -> Prediction:
    """Predict with the default study's models; the options are those of `Predictor.predict`.

    >>> prediction = coughlab.predict(coughlab.load_audio(coughlab.make_cough()))
    >>> list(prediction.models), prediction.evidence["mlp"]["verdict"]
    (['mlp', 'cnn', 'knn'], 'below_chance')
    """
    return default().predict(recording, **options)


def default() -> Predictor:
    """The predictor of the study `STUDY`, shared between threads, and reloaded when the study is trained again."""
    return _predictor(state(MODELS / STUDY / MANIFEST))


@lru_cache(maxsize=1)
def _predictor(manifest):
    return Predictor()


def study(name: str) -> StoredStudy:
    """A stored study, shared between threads, and reloaded when it is trained again; StoreError if there is none."""
    if name == STUDY:
        return default().study
    return _study(name, state(MODELS / name / MANIFEST))


@lru_cache(maxsize=4)
def _study(name, manifest):
    return StoredStudy(MODELS / name)
