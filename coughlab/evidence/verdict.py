"""How reliable one answer is: what is known about the model, what its result means, and a verdict in words.

The knowledge about a model comes from the strictest protocol with test recordings of both labels. The verdict depends on
intervals only: a score is better than guessing, and a result informative, only if its whole 95% interval is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coughlab.evaluation import decision
from coughlab.evaluation.protocols import EXTERNAL, STRICTEST
from coughlab.evidence.wording import SHORTCUT, compared, write
from coughlab.task import Task
from coughlab.text import counted, percent, three_digits

if TYPE_CHECKING:  # the command line reads a prevalence without the features
    from coughlab.evaluation.novelty import Novelty

#: An ROC AUC whose interval begins below this is weak (D. W. Hosmer and S. Lemeshow, "Applied Logistic Regression", 2000,
#: section 5.2.4, call 0.7 to 0.8 acceptable).
MODERATE = 0.7
#: The headline of every verdict.
HEADLINES = {
    "no_basis": "No basis to answer",
    "untested": "Untested: nobody knows what this answer is worth",
    "below_chance": "Worse than guessing when it was tested",
    "chance": "No better than guessing, as far as was tested",
    "shortcut": "No evidence that the model hears an illness",
    "uninformative": "This result tells nothing, as far as was tested",
    "not_tested_elsewhere": "Never tested on recordings from elsewhere",
    "weak": "A little better than guessing when it was tested",
    "moderate": "Better than guessing when it was tested",
}
#: Verdicts under which the label has no support.
DISCREDITED = ("no_basis", "untested", "below_chance", "chance", "shortcut", "uninformative")

_TEST = ("protocol", "tested_on", "recordings", "people", "splits")
_UNKNOWN = decision.Estimate(math.nan, math.nan, math.nan)


class PrevalenceError(ValueError):
    """The given value is not a prevalence; the message says what is valid."""


def prevalence_of(text: str | float) -> float:
    """A prevalence from text, above 0 and below 1; PrevalenceError if it is not valid."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise PrevalenceError("The prevalence must be a number above 0 and below 1, such as 0.05 for 5%.")
    return value


@dataclass(frozen=True)
class Known:
    """What is known about a model under the strictest protocol it was tested by, independent of a recording.

    `study` is the study it was trained in, `auc` its ROC AUC, `ratios` the likelihood ratio of each label as its result (NaN if
    it is not defined), and `shortcut` the ROC AUC of the baseline `SHORTCUT` in the same test.
    """

    study: str
    title: str
    protocol: str
    tested_on: str
    recordings: int
    people: int
    splits: int
    auc: decision.Estimate
    ratios: dict[str, decision.Estimate]
    shortcut: decision.Estimate | None


def known(study: Any, model: str) -> Known | None:
    """What is known about a model of a `coughlab.studies.store.StoredStudy`; None if it was never tested on both labels."""
    evidence = study.evidence.dropna(subset="roc_auc")
    own = evidence[evidence["model"] == model]
    if own.empty:
        return None
    # Of several test datasets under the same protocol, the one with most people is used.
    proof = own["protocol"].map(STRICTEST.index)
    best = own.assign(proof=proof, fewer=-own["people"]).sort_values(["proof", "fewer"]).iloc[0]
    protocol, tested_on = best["protocol"], best["tested_on"]
    same_test = (evidence["protocol"] == protocol) & (evidence["tested_on"] == tested_on)
    shortcut = evidence[same_test & (evidence["model"] == SHORTCUT)]
    rows = study.predictions
    rows = rows[(rows["model"] == model) & (rows["protocol"] == protocol) & (rows["tested_on"] == tested_on)]
    (at,) = decision.at(rows[rows["role"] == "test"], [study.thresholds[model]]).to_dict("records")
    return Known(
        study=study.name,
        title=study.models[model]["title"],
        protocol=protocol,
        tested_on=tested_on,
        **{size: int(best[size]) for size in ("recordings", "people", "splits")},
        auc=_estimate(best, "roc_auc"),
        ratios={
            study.task.positive: _estimate(at, "positive_ratio"),
            study.task.negative: _estimate(at, "negative_ratio"),
        },
        shortcut=None if shortcut.empty or model == SHORTCUT else _estimate(shortcut.iloc[0], "roc_auc"),
    )


def dump(known: Mapping[str, Known | None]) -> bytes:
    """`Known` of models, by name, as JSON for `load`."""
    return json.dumps({name: one and _written(vars(one)) for name, one in known.items()}).encode()


def load(content: bytes) -> dict[str, Known | None]:
    """Read what `dump` wrote."""
    return {name: one and Known(**one | _estimates(one)) for name, one in json.loads(content).items()}


def _written(value):
    """An estimate as JSON values: NaN and infinity become None."""
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, decision.Estimate):
        return [number if math.isfinite(number) else str(number) for number in value]
    return value


def _estimates(one):
    def estimate(numbers):
        return numbers and decision.Estimate(*map(float, numbers))

    ratios = {label: estimate(numbers) for label, numbers in one["ratios"].items()}
    return {"auc": estimate(one["auc"]), "ratios": ratios, "shortcut": estimate(one["shortcut"])}


def block(
    study: Any,
    known: Known | None,
    label: str,
    novelty: Novelty,
    prevalence: float | None = None,
    *,
    cough: bool = True,
) -> dict:
    """The evidence beside one model's answer, ready for JSON.

    Parameters
    ----------
    study : coughlab.studies.store.StoredStudy
        The study.
    label : str
        The model's answer: one of the task's labels.
    prevalence : float, optional
        The probability of the condition before the answer, above 0 and below 1; the task's unless given.
    cough : bool
        Whether there is a cough in the recording.

    Returns
    -------
    dict
        ``study``, ``protocol``, ``tested_on``, ``recordings``, ``people``, ``splits``, ``auc``, ``auc_interval``,
        ``likelihood_ratio`` of the result, ``likelihood_ratio_interval``, ``prevalence``, ``probability_after`` the result,
        ``probability_after_interval``, ``verdict`` (a key of `HEADLINES`) and ``message``. Unknown values are None. There is no
        likelihood ratio if the recording has no cough or is far from the training data. Intervals are 95% intervals, [low, high];
        that of the probability treats the prevalence as known.
    """
    no_basis = _no_basis(novelty, cough)
    task = study.task
    prevalence = task.prevalence if prevalence is None else prevalence
    verdict = "no_basis" if no_basis else _verdict(known, label, task)
    test = {name: getattr(known, name, None) for name in _TEST}
    auc = ratio = _UNKNOWN
    if known is not None:
        auc = known.auc
        # The test results do not apply to a recording that is unlike all test recordings.
        ratio = _UNKNOWN if no_basis else known.ratios[label]
    after = decision.Estimate(*(float(decision.post_test(prevalence, value)) for value in ratio))
    return (
        {"study": study.name}
        | test
        | _numbers("auc", auc)
        | _numbers("likelihood_ratio", ratio)
        | {"prevalence": prevalence}
        | _numbers("probability_after", after)
        | {"verdict": verdict, "message": no_basis or _message(verdict, known, label, task)}
    )


def meaning(block: dict, label: str, task: Task) -> str:
    """A sentence on what a result changes, from what `block` returned; also says if that is not known."""
    before, result = percent(block["prevalence"]), f'the result "{task.title(label)}"'
    if block["likelihood_ratio"] is None:
        return f"What {result} makes of a probability of {task.condition} of {before} is not known."
    ratio, after = block["likelihood_ratio"], block["probability_after"]
    between, after_between = (
        [shown(value) for value in block[f"{name}_interval"]]
        for name, shown in (("likelihood_ratio", three_digits), ("probability_after", percent))
    )
    return (
        f"If that test held here, {result} would make of a probability of {task.condition} of {before} one of {percent(after)}"
        f" (95% interval {' to '.join(after_between)}; likelihood ratio {three_digits(ratio)}, {' to '.join(between)})."
    )


def agreement(votes: dict[str, int], label: str, task: Task) -> str:
    """Whether the labels of the coughs agree with that of the recording: "All 3 coughs and the recording: not asthma"."""
    n, recording = sum(votes.values()), task.title(label)
    everyone = {1: "The cough", 2: "Both coughs"}.get(n, f"All {n} coughs")
    if votes[label] == n:
        return f"{everyone} and the recording: {recording}"
    positives = votes[task.positive]
    if 0 < positives < n:
        verb = "says" if positives == 1 else "say"
        return f"{positives} of {n} coughs {verb} {task.condition}, the recording says {recording}"
    other = task.title(task.label(label == task.negative))
    return f"{everyone} {'says' if n == 1 else 'say'} {other}, the recording says {recording}"


def _no_basis(novelty, cough):
    """Why the test results do not apply to this recording; "" if they do."""
    if cough and novelty.code != "far":
        return ""
    why = (
        novelty.message
        if cough
        else "No cough is heard in this recording, and the models were tested on recordings of coughs."
    )
    return f"{why} What the models say of such a recording means nothing."


def _verdict(known, label, task):
    if known is None:
        return "untested"
    score = compared(known.auc.low, known.auc.high, 0.5)
    if score != "better":
        return {"compatible": "chance", "worse": "below_chance", "unknown": "untested"}[score]
    if known.shortcut and compared(known.auc.low, known.auc.high, known.shortcut.high) != "better":
        return "shortcut"
    if not _tells(known.ratios[label], label == task.positive):
        return "uninformative"
    if known.protocol != EXTERNAL:
        return "not_tested_elsewhere"
    return "moderate" if round(known.auc.low, 2) >= MODERATE else "weak"


def _tells(ratio, positive):
    """Whether the whole interval shows that the result is commoner where it should be; uses the rounded limits that are shown."""
    if positive:
        return round(ratio.low, 2) > 1
    return round(ratio.high, 2) < 1


def _message(verdict, known, label, task):
    if known is None:
        return "The model was not tested on recordings of both labels, so nothing can be said of its answers."
    tested = _tested(known)
    if verdict == "chance":
        return f"{tested} That is compatible with guessing."
    if verdict == "below_chance":
        return f"{tested} That is worse than guessing: it ranks recordings the wrong way round more often than not."
    if verdict == "shortcut":
        low, high = write(known.shortcut.low), write(known.shortcut.high)
        return (
            f"{tested} A baseline that knows only how a recording was made, such as its file format, loudness and background"
            f" noise, reaches {write(known.shortcut.value)} ({low} to {high}) in the same test. The model is not clearly"
            " above that."
        )
    if verdict == "uninformative":
        known_ratio = not math.isnan(known.ratios[label].value)
        why = (
            f"may be as common with {task.condition} as without it" if known_ratio else "was given to nobody"
        )
        return f'{tested} But the result "{task.title(label)}" {why} in that test.'
    if verdict == "not_tested_elsewhere":
        return f"{tested} How it does on recordings that somebody else made, such as this one may be, is not known."
    return (
        f"{tested} That is better than guessing on these recordings, and does not show the same for others."
    )


def _tested(known):
    size = f"{known.recordings:,} recordings of {known.people:,} people"
    if known.protocol == EXTERNAL:
        where = f"On {known.tested_on}, a dataset it was not trained on ({size})"
    else:
        splits = counted(known.splits, "split")
        where = f"Within {known.tested_on}, by the protocol {known.protocol} ({splits}, {size})"
    auc = f"{write(known.auc.value)} (95% interval {write(known.auc.low)} to {write(known.auc.high)})"
    return f"{where}, {known.title} has an ROC AUC of {auc}; 0.5 is guessing, 1 is perfect."


def _estimate(row, name):
    return decision.Estimate(*(float(row[f"{name}{end}"]) for end in ("", "_low", "_high")))


def _numbers(name, estimate):
    """An estimate as two entries of the block; NaN and infinity become None."""
    if not all(map(math.isfinite, estimate)):
        return {name: None, f"{name}_interval": None}
    return {name: float(estimate.value), f"{name}_interval": [float(estimate.low), float(estimate.high)]}
