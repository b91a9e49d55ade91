"""A folder of recordings answered into one file, which goes on where it was stopped.

A line of the file is an answer of `coughlab.serving.batch`, and two things more: ``source``, by which a changed recording is
known, and ``asked``, how it was asked. A line is written when it is known, so that whatever ends the work costs one recording
at most.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from coughlab import __version__
from coughlab.audio import archive
from coughlab.datasets import DatasetError, listing
from coughlab.serving import batch
from coughlab.serving import recordings as intake
from coughlab.serving.predictors import Predictor
from coughlab.studies.store import DETECTOR, MANIFEST, MODELS
from coughlab.system import files
from coughlab.system.progress import Progress, silent
from coughlab.text import to_csv

#: Errors that may be gone the next time.
RETRIED = ("internal", "unreadable", "not_found")
STAGE = "Recordings"
#: How earlier answers may have come about otherwise.
_DIFFERENCES = {
    "models": "by other models",
    "prevalence": "with another --prevalence",
    "force": "with another choice of --force",
}
_BEGINS = b'{"file": '


class BatchError(ValueError):
    """The work cannot begin; the message says why."""


@dataclass(frozen=True)
class Result:
    """What is there in the end: `batch.counts` of the file, and how many recordings were answered earlier, or are none."""

    counts: dict[str, int]
    earlier: int
    others: int


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

    The table of all answers, `csv`, is written in whatever way the work ends. `failed` is called with the name of a recording
    that could not be answered, and the reason. BatchError if the folder, or the file of the answers, is not what it should be.
    """
    names, others = recordings(folder)
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
        # What is no longer in the folder stays in the file: a disk that is not there must not cost its answers.
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
    return Result(batch.counts(_lines(out), task), earlier=len(names) - len(pending), others=others)


def recordings(folder: Path) -> tuple[list[str], int]:
    """Names of the recordings below a folder, relative to it and sorted, and how many other files there are.

    Hidden files, and what leads out of the folder, are not among the recordings. BatchError if it is no folder, cannot be read or
    holds no recordings.
    """
    if folder.is_file():
        unpack = "Unpack it first, and give" if folder.suffix.lower() == ".zip" else "Give"
        raise BatchError(f"{folder} is a file. {unpack} the folder.")
    if not folder.is_dir():
        raise BatchError(f"There is no folder {folder}.")
    try:
        found, links = listing.below(folder)
    except DatasetError as error:
        raise BatchError(str(error)) from error
    names, others = [], len(links)
    for name in found:
        if any(part.startswith(".") or archive.JUNK.fullmatch(part) for part in name.split("/")):
            continue
        # Opening a pipe would wait for what is written into it.
        if (folder / name).is_file() and intake.is_sound(name, _head(folder / name)):
            names.append(name)
        else:
            others += 1
    if not names:
        raise BatchError(f"There are no recordings in {folder}.")
    return names, others


def _head(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(intake.HEAD)
    return b""


def _source(path: Path) -> dict[str, int] | None:
    """What tells a changed recording; None if it cannot be asked."""
    with suppress(OSError):
        stat = path.stat()
        return {"bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
    return None


def identity(predictor: Predictor) -> str:
    """What tells other models or other code than those of earlier answers."""
    digest = hashlib.sha256(__version__.encode())
    for path in (predictor.study.folder / MANIFEST, MODELS / DETECTOR / MANIFEST):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]


def _locked(out: Path) -> TextIO:
    """The file of the answers, open to write on; no other run can open it until it is closed."""
    file = out.open("a", encoding="utf-8")
    if not files.lock(file.fileno(), wait=False):
        file.close()
        raise BatchError(f"Another run is writing to {out}. Let it end, or name another file.")
    return file


def _earlier(out: Path, asked: dict | None) -> dict[str, tuple[dict | None, str | None]]:
    """Of each recording in a file of answers its source, and the error's code if it could not be answered.

    Answers that were asked for otherwise raise `BatchError`, unless `asked` is None.
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
    """The lines of a file of answers; the last one may be half of one, if something ended the work while it was written."""
    if not out.exists():
        return
    with out.open("rb") as file:
        for number, text in enumerate(file, start=1):
            # Where there was no answer before it, it must look like the beginning of one; a loss of power may leave anything.
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
    """Leave only the lines of some recordings in a file of answers, whole or not at all."""
    with files.writing(out) as file:
        for line in _lines(out) if kept else ():
            if line["file"] in kept:
                file.write(json.dumps(line).encode() + b"\n")
