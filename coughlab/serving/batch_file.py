"""Answers a folder of recordings into one file; a stopped run can be continued.

A line of the file is an answer of `coughlab.serving.batch` with two more keys: ``source``, which identifies a changed recording,
and ``asked``, the options of the prediction. A line is written as soon as it is known, so that an interruption costs one
recording at most.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from coughlab import __version__
from coughlab.datasets import DatasetError, listing
from coughlab.serving import batch
from coughlab.serving import recordings as intake
from coughlab.serving.predictors import Predictor
from coughlab.studies.store import DETECTOR, MANIFEST, MODELS
from coughlab.system import files
from coughlab.system.progress import Progress, silent
from coughlab.text import to_csv

#: Errors that may not occur in the next run.
RETRIED = ("internal", "unreadable", "not_found")
STAGE = "Recordings"
#: Reasons why earlier answers do not fit this run.
_DIFFERENCES = {
    "models": "by other models",
    "prevalence": "with another --prevalence",
    "force": "with another choice of --force",
}
_BEGINS = b'{"file": '


class BatchError(ValueError):
    """The run cannot start; the message says why."""


class Found(NamedTuple):
    """What is below a folder: the names of recordings, relative to it and sorted, and what is left out."""

    names: list[str]
    #: Number of files that are not recordings.
    others: int
    #: Links to folders or out of the folder, which may lead to recordings.
    links: list[str]


@dataclass(frozen=True)
class Result:
    """The result of a run: `batch.counts` of the file, the number of earlier answers, and what was left out."""

    counts: dict[str, int]
    earlier: int
    found: Found


def answer_folder(
    folder: Path,
    out: Path,
    predictor: Predictor,
    *,
    csv: Path | None = None,
    prevalence: float | None = None,
    force: bool = False,
    again: bool = False,
    progress: Progress = silent,
    failed: Callable[[str, str], None] = silent,
) -> Result:
    """Answer the recordings in a folder that have no answer in the file `out` yet, or all of them `again`.

    The table of all answers, `csv`, is always written at the end, even after an error. `failed` is called with the name of each
    recording that could not be answered, and the reason. BatchError if the folder, or the file of the answers, is not usable.
    """
    found = recordings(folder)
    names = found.names
    for path in (out, csv):
        if path and not path.absolute().parent.is_dir():
            raise BatchError(f"There is no folder {path.parent} for {path.name}.")
    if csv and csv.resolve() == out.resolve():
        raise BatchError("--out and --csv must be two files.")
    task = predictor.study.task
    options: dict[str, Any] = {"force": force, "prevalence": prevalence or task.prevalence}
    asked = options | {"models": identity(predictor)}
    sources = {name: _source(folder / name) for name in names}
    with _locked(out):
        earlier = _earlier(out, None if again else asked)
        # Answers for files that are no longer in the folder are kept: a disk that is not mounted must not delete them.
        kept = {
            name
            for name, (source, code) in earlier.items()
            if not again and (name not in sources or (source == sources[name] and code not in RETRIED))
        }
        _keep(out, kept)
        rewritten = _locked(out)
    pending = [name for name in names if name not in kept]
    try:
        with rewritten as file:
            if pending:
                progress(STAGE, 0, len(pending))
            for done, name in enumerate(pending, start=1):
                answer = batch.answer(name, folder / name, predictor, **options)
                file.write(json.dumps(answer | {"source": sources[name], "asked": asked}) + "\n")
                file.flush()
                if error := answer.get("error"):
                    failed(name, error["message"])
                progress(STAGE, done, len(pending))
            files.flush(file)
    finally:
        if csv:
            files.write(csv, to_csv(batch.table(_lines(out), task, predictor.names)).encode())
    return Result(batch.counts(_lines(out), task), earlier=len(names) - len(pending), found=found)


def recordings(folder: Path) -> Found:
    """What is below a folder, without hidden files and what systems and programs leave behind.

    BatchError if it is not a folder, cannot be read or has no recordings.
    """
    if folder.is_file():
        unpack = "Unpack it first, and give" if folder.suffix.lower() == ".zip" else "Give"
        raise BatchError(f"{folder} is a file. {unpack} the folder.")
    if not folder.is_dir():
        raise BatchError(f"There is no folder {folder}.")
    try:
        below = listing.below(folder)
    except DatasetError as error:
        raise BatchError(str(error)) from error
    names, others = [], 0
    for name in below.files:
        # Opening a pipe would block until a process writes to it.
        if (folder / name).is_file() and intake.is_sound(name, _head(folder / name)):
            names.append(name)
        else:
            others += 1
    if not names:
        raise BatchError(f"There are no recordings in {folder}.{listing.left_alone(below)}")
    return Found(names, others, below.links)


def _head(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(intake.HEAD)
    return b""


def _source(path: Path) -> dict[str, int] | None:
    """A value that changes with the recording; None if the file cannot be read."""
    with suppress(OSError):
        stat = path.stat()
        return {"bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
    return None


def identity(predictor: Predictor) -> str:
    """A value that changes with the models or the code."""
    digest = hashlib.sha256(__version__.encode())
    for path in (predictor.study.folder / MANIFEST, MODELS / DETECTOR / MANIFEST):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]


def _locked(out: Path) -> TextIO:
    """The file of the answers, open for appending; no other run can open it until it is closed."""
    file = out.open("a", encoding="utf-8")
    if not files.lock(file.fileno(), wait=False):
        file.close()
        raise BatchError(f"Another run is writing to {out}. Let it end, or name another file.")
    return file


def _earlier(out: Path, asked: dict | None) -> dict[str, tuple[dict | None, str | None]]:
    """For each recording in a file of answers, its source, and the error's code if it could not be answered.

    Answers with other options raise `BatchError`, unless `asked` is None.
    """
    found = {}
    for line in _lines(out):
        found[line["file"]] = line["source"], line.get("error", {}).get("code")
        if asked and line["asked"] != asked:
            other = [words for name, words in _DIFFERENCES.items() if line["asked"].get(name) != asked[name]]
            raise BatchError(
                f"The answers in {out} came about {' and '.join(other)}. Name another file with --out, or answer all anew with"
                " --again."
            )
    return found


def _lines(out: Path) -> Iterator[dict]:
    """The lines of a file of answers; the last one may be incomplete after an interruption."""
    if not out.exists():
        return
    with out.open("rb") as file:
        for number, text in enumerate(file, start=1):
            # If it is the only line, it must look like the beginning of an answer; a loss of power may leave any bytes.
            ours = number > 1 or text.startswith(_BEGINS) or _BEGINS.startswith(text)
            if not text.endswith(b"\n") and ours:
                return
            try:
                line = json.loads(text)
                complete = {"file", "source", "asked"} <= line.keys()
            except (ValueError, AttributeError):
                complete = False
            if not complete:
                raise BatchError(
                    f"Line {number} of {out} is no answer, so the file is left as it is. Name another file."
                )
            yield line


def _keep(out: Path, kept: set[str]) -> None:
    """Keep only the lines of some recordings in a file of answers; the file is replaced atomically."""
    with files.writing(out) as file:
        for line in _lines(out) if kept else ():
            if line["file"] in kept:
                file.write(json.dumps(line).encode() + b"\n")
