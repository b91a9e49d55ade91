"""``coughlab batch``: every recording in a folder answered into one file, which goes on where it was stopped.

A line of the file is an answer of `coughlab.serving.batch`, and two things more: ``source``, by which a changed recording is
known, and ``asked``, how it was asked. A line is written when it is known, so that whatever ends the work costs one recording
at most.
"""

import hashlib
import json
import sys

from coughlab import __version__
from coughlab.system import files

#: Errors that may be gone the next time.
RETRIED = ("internal", "unreadable", "not_found")
STAGE = "Recordings"
#: How earlier answers may have come about otherwise.
_OTHER = {
    "models": "by other models",
    "prevalence": "with another --prevalence",
    "force": "with another choice of --force",
}
_BEGINS = b'{"file": '


class BatchError(ValueError):
    """The work cannot begin; the message says why."""


def run(arguments, predictor, progress, say):
    """Answer what is not yet answered.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of the command.
    predictor : coughlab.serving.predictors.Predictor
        Who answers.
    progress : callable
        Called with stage, number done and number in all.
    say : callable
        Called with a line about a recording that could not be answered.

    Returns
    -------
    int
        1 if any recording could not be answered, now or earlier, else 0.

    Raises
    ------
    BatchError
        If the folder, or the file of the answers, is not what it should be.
    """
    from coughlab.serving import batch

    folder, out = arguments.folder, arguments.out
    names, others = recordings(folder)
    for file in (out, arguments.csv):
        if file and not file.absolute().parent.is_dir():
            raise BatchError(f"There is no folder {file.parent} for {file.name}.")
    if arguments.csv and arguments.csv.resolve() == out.resolve():
        raise BatchError("--out and --csv must be two files.")
    options = {
        "force": arguments.force,
        "prevalence": arguments.prevalence or predictor.study.task.prevalence,
    }
    asked = options | {"models": identity(predictor)}
    wanted = {name: facts(folder / name) for name in names}
    with claimed(out):
        answered = earlier(out, None if arguments.again else asked)
        # What is gone from the folder stays in the file: a disk that is not there must not cost its answers.
        kept = {
            name
            for name, (source, code) in answered.items()
            if not arguments.again
            and (name not in wanted or (source == wanted[name] and code not in RETRIED))
        }
        rewrite(out, kept)
        rewritten = claimed(out)
    pending = [name for name in names if name not in kept]
    try:
        with rewritten as file:
            if pending:
                progress(STAGE, 0, len(pending))
            for done, name in enumerate(pending, start=1):
                answer = batch.answer(name, folder / name, predictor, **options)
                line = answer | {"source": wanted[name], "asked": asked}
                file.write(json.dumps(line) + "\n")
                file.flush()
                if error := answer.get("error"):
                    say(f"{printable(name)}: {error['message']}")
                progress(STAGE, done, len(pending))
            files.flush(file)
    finally:
        if arguments.csv:
            write_csv(arguments.csv, out, predictor)
    count = batch.counts(_answers(out), predictor.study.task)
    if others:
        print(f"Left out, as they are no recordings: {others:,}.")
    if earlier_ones := len(names) - len(pending):
        print(f"Answered earlier, and not changed since: {earlier_ones:,}.")
    print(f"{batch.summary(count)} The answers are in {out}.")
    return 1 if count["errors"] else 0


def recordings(folder):
    """The recordings below a folder.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.

    Returns
    -------
    names : list of str
        Relative to the folder, sorted. Hidden files, and what leads out of the folder, are not among them.
    others : int
        How many other files there are.

    Raises
    ------
    BatchError
        If it is no folder, cannot be read or holds no recordings.
    """
    from coughlab.audio import archive
    from coughlab.datasets import DatasetError, listing
    from coughlab.serving import recordings as intake

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
        parts = name.split("/")
        if any(part.startswith(".") or archive.JUNK.fullmatch(part) for part in parts):
            continue
        # Opening a pipe would wait for somebody to write into it.
        if (folder / name).is_file() and intake.is_sound(name, _head(folder / name)):
            names.append(name)
        else:
            others += 1
    if not names:
        raise BatchError(f"There are no recordings in {folder}.")
    return names, others


def _head(path):
    from coughlab.serving import recordings as intake

    try:
        with path.open("rb") as file:
            return file.read(intake.HEAD)
    except OSError:
        return b""


def facts(path):
    """What tells a changed recording: its size, and when it was changed, in nanoseconds (dict); None if it cannot be asked."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return {"bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}


def identity(predictor):
    """What tells other models or other code than those of earlier answers (str)."""
    from coughlab.studies.store import MANIFEST, MODELS

    digest = hashlib.sha256(__version__.encode())
    for path in (predictor.study.folder / MANIFEST, MODELS / "detector" / MANIFEST):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]


def claimed(out):
    """Open the file of the answers to write on, so that no other run does.

    Parameters
    ----------
    out : pathlib.Path
        The file; made if it is not there.

    Returns
    -------
    file object
        Others may claim the file once this is closed.

    Raises
    ------
    BatchError
        If another run has it.
    """
    file = out.open("a", encoding="utf-8")
    if not files.lock(file.fileno(), wait=False):
        file.close()
        raise BatchError(f"Another run is writing to {out}. Let it end, or name another file.")
    return file


def earlier(out, asked):
    """What a file of answers holds.

    Parameters
    ----------
    out : pathlib.Path
        The file; it need not be there.
    asked : dict or None
        How is asked now; None if it does not matter how it was.

    Returns
    -------
    dict of str to (dict, str or None)
        Of each recording ``source`` and, if it could not be answered, the error's code.

    Raises
    ------
    BatchError
        If it is another file, or its answers came about otherwise.
    """
    found = {}
    for line in _lines(out):
        found[line["file"]] = line["source"], line.get("error", {}).get("code")
        if asked and line["asked"] != asked:
            other = [words for name, words in _OTHER.items() if line["asked"].get(name) != asked[name]]
            raise BatchError(
                f"The answers in {out} came about {' and '.join(other)}. Name another file with --out, or answer all anew with"
                " --again."
            )
    return found


def _lines(out):
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


def _answers(out):
    for line in _lines(out):
        del line["source"], line["asked"]
        yield line


def rewrite(out, kept):
    """Leave only the lines of some recordings in a file of answers, whole or not at all.

    Parameters
    ----------
    out : pathlib.Path
        The file; it need not be there.
    kept : set of str
        Names of the recordings.
    """
    with files.writing(out) as file:
        for line in _lines(out) if kept else ():
            if line["file"] in kept:
                file.write(json.dumps(line).encode() + b"\n")


def write_csv(file, out, predictor):
    """Write the answers as a table.

    Parameters
    ----------
    file : pathlib.Path
        The table.
    out : pathlib.Path
        The file of answers.
    predictor : coughlab.serving.predictors.Predictor
        Its models have columns in any case.
    """
    from coughlab.serving import batch
    from coughlab.text import to_csv

    files.write(file, to_csv(batch.table(_answers(out), predictor.study.task, predictor.names)).encode())


def printable(name):
    """A file's name without characters that would move the terminal's cursor (str)."""
    return "".join(c if c.isprintable() else "?" for c in name)


def say(line):
    """Write a line above the progress bar, if there is one."""
    from tqdm import tqdm

    tqdm.write(f"coughlab: {line}", file=sys.stderr)
