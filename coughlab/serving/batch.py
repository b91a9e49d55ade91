"""Answers for many recordings, one each; a bad recording does not stop the others.

An answer is the API's answer about a recording, with the file's name before it: ``{"file": name, "label": ..., ...}``, or
``{"file": name, "error": {"code", "message"}}``. Tables, counts and sentences are pure functions of answers, so that they work on
new answers and on answers read from a file.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from coughlab import audio
from coughlab.serving import predictors
from coughlab.studies.store import StoreError
from coughlab.task import Task

if TYPE_CHECKING:
    import pandas as pd

#: The code of an unforeseen error, and its sentence.
INTERNAL = "internal"
_UNFORESEEN = "Something went wrong here, not with the recording. Try this file once more by itself."
#: A cough below the first probability, and a recording without a cough above the second, should be checked by a person. The
#: detector's threshold is between the two.
SURE_COUGH, SURE_NONE = 0.75, 0.4

_log = logging.getLogger(__name__)


def answer(
    name: str,
    source: bytes | memoryview | str | os.PathLike,
    predictor: predictors.Predictor,
    *,
    prevalence: float | None = None,
    force: bool = False,
    load: Callable[..., audio.Recording] = predictors.load,
) -> dict[str, Any]:
    """Answer one of many recordings, or report the error of the file; `source` is its bytes or its path.

    `load` decodes it; for untrusted files, use that of `coughlab.serving.workers`. The other options are those of
    `coughlab.serving.predictors.Predictor.predict`. StoreError if a model's file is missing or was changed, because then no file
    can be answered.
    """
    try:
        prediction = predictor.predict(load(source), prevalence=prevalence, force=force)
        return {"file": name} | prediction.to_dict()
    except audio.AudioError as error:
        return failure(name, error.code, error.message)
    except StoreError:
        raise
    except Exception:
        # An error of any kind in one file must not stop the others.
        _log.exception("Unexpected error in a recording")
        return failure(name, INTERNAL, _UNFORESEEN)


def failure(name: str, code: str, message: str) -> dict[str, Any]:
    """The answer for a failed file: its name, a stable code and a sentence."""
    return {"file": name, "error": {"code": code, "message": message}}


def to_json(answers: Iterable[dict]) -> str:
    """Answers as a JSON list, each with the keys of the API."""
    return json.dumps(list(answers), indent=1)


def doubts(answer: dict, task: Task) -> list[str]:
    """Reasons to listen to a recording. A poor model is not a reason, because it applies to all recordings."""
    if "error" in answer:
        return [answer["error"]["message"]]
    found = [remark["message"] for remark in answer["quality"]]
    cough = answer["cough"]
    if unsure := sum(event["probability"] < SURE_COUGH for event in answer["events"]):
        found.append(f"{unsure} of the coughs found may be something else.")
    if not cough["found"] and cough["probability"] > SURE_NONE:
        found.append("Something in it may be a cough after all.")
    labels: dict[str, list[str]] = {label: [] for label in task.labels}
    for name, said in answer["models"].items():
        labels[said["label"]].append(name)
    if all(labels.values()):
        sides = (f"{task.title(label)} say {', '.join(names)}" for label, names in labels.items())
        found.append(f"The models disagree: {'; '.join(sides)}.")
    return found


def _found(answer):
    return "error" not in answer and answer["cough"]["found"] > 0


def kinds(task: Task) -> dict[str, tuple[str, Callable[[dict], bool]]]:
    """Kinds of answers by name: title, and whether an answer belongs to the kind."""
    return {
        "all": ("All", lambda answer: True),
        "coughs": ("Coughs found", _found),
        "none": ("No cough", lambda answer: "error" not in answer and not _found(answer)),
        "errors": ("Errors", lambda answer: "error" in answer),
        "look": ("Needs a look", lambda answer: bool(doubts(answer, task))),
    } | {
        label: (f"Said to be {task.title(label)}", lambda answer, label=label: answer.get("label") == label)
        for label in reversed(task.labels)
    }


def counts(answers: Iterable[dict], task: Task) -> dict[str, int]:
    """Number of answers of each of `kinds`."""
    asked = kinds(task)
    found = dict.fromkeys(asked, 0)
    for answer in answers:
        for kind, (_, belongs) in asked.items():
            found[kind] += belongs(answer)
    return found


def summary(count: dict[str, int]) -> str:
    """The result of `counts` in one or two sentences."""
    said = [f"coughs in {count['coughs']:,}" if count["coughs"] else "coughs in none"]
    if count["none"]:
        said.append(f"no cough in {count['none']:,}")
    if count["errors"]:
        said.append(f"{count['errors']:,} could not be read")
    text = f"{count['all']:,} {'file' if count['all'] == 1 else 'files'}: {', '.join(said)}."
    if count["look"]:
        text += f" {count['look']:,} {'needs' if count['look'] == 1 else 'need'} a look."
    return text


def table(answers: Iterable[dict], task: Task, models: Iterable[str] = ()) -> pd.DataFrame:
    """Answers as a flat table, one row per file. Cells without a value are empty, such as the label if no cough was found.

    The answers are read once and not kept. Each of `models` has its columns, even if it answered no file.
    """
    import pandas as pd

    rows = [_row(answer, task) for answer in answers]
    last = ("study", "version")
    columns = dict.fromkeys(_ALWAYS)
    columns |= dict.fromkeys(f"{name}_{part}" for name in models for part in (*_OF_A_MODEL, *_votes(task)))
    columns |= dict.fromkeys(column for row in rows for column in row if column not in last)
    frame = pd.DataFrame(rows, columns=[*columns, *last])
    # Without this, an empty cell in the column would turn 2 coughs into 2.0.
    return frame.astype({column: "Int64" for column in frame if "coughs" in column.split("_")})


_ALWAYS = (
    *("file", "status", "error_code", "error", "duration_s", "coughs", "cough_probability", "heard_code"),
    *("heard", "events", "quality_codes", "quality", "doubts", "model", "label", "probability", "verdict"),
    *("verdict_message", "prevalence", "probability_after", "novelty", "novelty_p"),
)
_OF_A_MODEL = ("label", "probability", "verdict")


def _votes(task):
    return {f"coughs_{label}": label for label in reversed(task.labels)}


def _row(answer, task):
    # A cell must be text, but not every file name is valid text.
    file = answer["file"].encode(errors="replace").decode()
    if error := answer.get("error"):
        code, message = error["code"], error["message"]
        return {"file": file, "status": "error", "error_code": code, "error": message, "doubts": message}
    evidence, novelty, heard = (
        part or {} for part in (answer["evidence"], answer["novelty"], answer["cough"]["heard"])
    )
    row = {
        "file": file,
        "status": "ok",
        "duration_s": answer["audio"]["duration_s"],
        "coughs": answer["cough"]["found"],
        "cough_probability": answer["cough"]["probability"],
        "heard_code": heard.get("code"),
        "heard": heard.get("message"),
        "events": times(answer),
        "quality_codes": " ".join(remark["code"] for remark in answer["quality"]),
        "quality": " ".join(remark["message"] for remark in answer["quality"]),
        "doubts": " ".join(doubts(answer, task)),
        "model": answer["model"],
        "label": answer["label"],
        "probability": answer["probability"],
        "verdict": evidence.get("verdict"),
        "verdict_message": evidence.get("message"),
        "prevalence": evidence.get("prevalence"),
        "probability_after": evidence.get("probability_after"),
        "novelty": novelty.get("code"),
        "novelty_p": novelty.get("p"),
        "study": answer["study"],
        "version": answer["version"],
    }
    for name, said in answer["models"].items():
        row |= {
            f"{name}_label": said["label"],
            f"{name}_probability": said["probability"],
            f"{name}_verdict": said["evidence"]["verdict"],
        } | {f"{name}_{column}": said["coughs"][label] for column, label in _votes(task).items()}
    return row


def times(answer: dict) -> str:
    """Times of the coughs of an answer in seconds: "0.48-0.88; 1.38-1.78"."""
    return "; ".join(f"{event['start_s']:.2f}-{event['end_s']:.2f}" for event in answer["events"])
