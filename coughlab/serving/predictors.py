"""A recording and a study's models in, a prediction out. Never imports tensorflow."""

import json
import os
import re
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

#: A single cough is cut out of its recording with so many seconds on both sides.
MARGIN_S = 0.1
#: What is listened to: as for the datasets, but silence gets an answer too, which is that there is no cough.
LIMITS = replace(audio.LIMITS, silence_peak=0.0)


@dataclass(frozen=True)
class Answer:
    """What one model says: label, probability of the condition, and the threshold between the labels."""

    label: str
    probability: float
    threshold: float


@dataclass(frozen=True)
class Prediction:
    """What a study's models say of one recording, and what was measured in it.

    Attributes
    ----------
    models : dict of str to Answer
        One answer a model about the whole recording, the main model's first. Empty where there is no cough and no answer was
        forced.
    cough : coughlab.detector.Detection
        The coughs, or what is heard instead.
    each : list of dict of str to Answer
        For each of the coughs, what the models say of it alone. The large models are not asked about each.
    audio : dict
        Duration in seconds, sample rate in hertz, channels and codec of the file.
    features : ndarray, shape (26,)
        The case study's features.
    evidence : dict of str to dict
        How far each answer can be believed, by model, as of `coughlab.evidence.verdict.block`.
    novelty : coughlab.evaluation.novelty.Novelty or None
        Whether the recording resembles those that the models were trained on; None where no model answers.
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
        """How many of the coughs a model gives each label; None where it was not asked about each."""
        if any(name not in answers for answers in self.each):
            return None
        counts = Counter(answers[name].label for answers in self.each)
        return {label: counts[label] for label in self.task.labels}

    def to_dict(self) -> dict[str, Any]:
        """The answer of the API, ready for JSON."""
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
        """The whole result as a JSON document: the answer of the API and the 26 features."""
        measured = {name: float(value) for name, value in zip(acoustic.NAMES, self.features, strict=True)}
        return json.dumps(self.to_dict() | {"features": measured}, indent=2)


class UnknownModelError(ValueError):
    """A model was asked for that is not here; the message says which are."""


def load(source: bytes | memoryview | str | os.PathLike) -> audio.Recording:
    """Decode the bytes of a file, or the file at a path: as `coughlab.audio.load` does, but a silent recording is no error."""
    return audio.load(source, LIMITS)


class Predictor:
    """The models of a stored study, loaded when first asked and then kept. May be shared between threads.

    The study is `STUDY` in the models folder unless given; StoreError if it is not there.
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
        """Names of the models that answer whenever a recording comes, the main model's first."""
        return [name for name in self.study.served if name not in self.slow]

    @cached_property
    def slow(self) -> list[str]:
        """Names of the large models that are present here: each takes its time, so they answer only when they are asked for."""
        return [name for name in self.study.served if self.study.models[name]["large"]]

    @cached_property
    def known(self) -> dict[str, beliefs.Known | None]:
        """What is known of each model that can answer, as `coughlab.evidence.verdict.known` finds it."""
        known = beliefs.load(self.study.read(KNOWN))
        return {name: known[name] for name in self.study.served}

    @cached_property
    def trained_on(self) -> Reference:
        """What a recording is compared with."""
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
        """Find the coughs in a recording, and ask the models about it and about each of them.

        Where there is no cough no model is asked. Each cough takes about 4 ms, and in the longest recording that is accepted
        there is room for some hundreds.

        Parameters
        ----------
        cough : coughlab.detector.Detection, optional
            What the detector heard in it, where that is known already.
        also : iterable of str
            Models of `slow` to ask beside the others, about the whole recording only.
        prevalence : float, optional
            The probability of the condition before the answer, above 0 and below 1; the task's unless given.
        force : bool
            Ask the models even where there is no cough.

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
            present = ", ".join(self.slow) or "none on this machine"
            # What a stranger asked for is repeated as a few plain characters.
            name = re.sub(r"[^\w .-]", "?", min(unknown))[:40]
            raise UnknownModelError(
                f"There is no model {name} to ask beside the others. There is: {present}."
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
        """One answer a model about a sound, whatever it is; from those of `names` unless other models are given."""
        names = self.names if names is None else names
        return self._answers(names, inputs.measure(recording, self._kinds(names)))

    def warm_up(self) -> None:
        """Load every model and ask each once, so that the next question is answered at full speed."""
        self.predict(audio.load(synthetic.sample()), force=True)

    def _kinds(self, names):
        """What models read of a recording."""
        return {self.study.models[name]["input"] for name in names}

    def _answers(self, names, measured):
        return {name: self._answer(name, measured) for name in names}

    def _answer(self, name, measured):
        entry = self.study.models[name]
        with self._lock:
            if name not in self._loaded:
                # A model whose classifier this version lacks is taken for a network.
                load = CLASSIFIERS[name].load if name in CLASSIFIERS else LiteRT
                self._loaded[name] = load(self.study.served[name])
        probability = self._loaded[name](measured[entry["input"]])
        label = self.study.task.label(probability >= entry["threshold"])
        return Answer(label, probability, entry["threshold"])


def cut(recording: audio.Recording, event: detector.Event) -> audio.Recording:
    """One cough alone, with `MARGIN_S` before and after it as far as there is sound."""
    start, end = (
        round(seconds * recording.rate) for seconds in (event.start_s - MARGIN_S, event.end_s + MARGIN_S)
    )
    return replace(recording, samples=recording.samples[max(start, 0) : end])


def predict(recording: Recording, **options: Any) -> Prediction:
    """What the default study's models say of a recording, with the options of `Predictor.predict`.

    >>> prediction = coughlab.predict(coughlab.load_audio(coughlab.make_cough()))
    >>> list(prediction.models), prediction.evidence["mlp"]["verdict"]
    (['mlp', 'cnn', 'knn'], 'below_chance')
    """
    return default().predict(recording, **options)


def default() -> Predictor:
    """The predictor of the study `STUDY`, shared between threads, and renewed when the study is trained again."""
    return _predictor(state(MODELS / STUDY / MANIFEST))


@lru_cache(maxsize=1)
def _predictor(manifest):
    return Predictor()


def study(name: str) -> StoredStudy:
    """A stored study, shared between threads, and read again when it is trained again; StoreError if there is none."""
    if name == STUDY:
        return default().study
    return _study(name, state(MODELS / name / MANIFEST))


@lru_cache(maxsize=4)
def _study(name, manifest):
    return StoredStudy(MODELS / name)
