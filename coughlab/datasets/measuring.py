"""Recordings decoded and measured a chunk at a time, wherever an engine runs, and kept in parts where they are to be kept."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from coughlab import __version__, audio
from coughlab.system.parallel import EngineError

#: What a recording of a dataset may be: longer than what is sent to a server, since nobody waits for an answer.
LIMITS = replace(audio.LIMITS, max_seconds=600.0, max_samples=600 * 96_000, max_bytes=512 * 2**20)
STAGE = "Listening to recordings"
#: Rows of a part. It takes a second or two, so that little is lost with a worker, and handing it out costs next to nothing.
ROWS = 64

FACTS = ("container", "codec", "sample_rate", "channels", "bit_depth", "duration_s", "bytes")
#: What the dataset's list says of a recording.
LISTED = ("recording", "person", "label", "source")
_WHOLE = ("sample_rate", "channels", "bit_depth", "bytes")


def schema(measured):
    """Columns of the parts: what is listed, what the file is, and what is measured in it.

    Parameters
    ----------
    measured : iterable of (str, pyarrow.DataType)
        Names and types of what is measured.

    Returns
    -------
    pyarrow.Schema
    """
    types = dict.fromkeys(_WHOLE, pa.int64()) | {"duration_s": pa.float64()}
    known = [(name, types.get(name, pa.string())) for name in (*LISTED, "status", "problem", *FACTS)]
    return pa.schema([*known, *measured])


def about(dataset, kind):
    """What tells the parts of one table from those of another.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The dataset.
    kind : str
        What is measured.

    Returns
    -------
    dict of str to str or int
    """
    digest = hashlib.sha256()
    for row in zip(*(dataset.table[name] for name in LISTED), strict=True):
        digest.update("\0".join([*map(_text, row), ""]).encode())
    return {
        "kind": kind,
        "dataset": _text(dataset.name),
        "recordings": len(dataset.table),
        "list": digest.hexdigest(),
        "rows_a_part": ROWS,
        "version": __version__,
    }


def chunks(paths, measure, *, engine, size, numbers=None, load=None):
    """Decode and measure recordings, a chunk at a time.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        The files, which may be missing or damaged. On a cluster every worker must see them under the same paths.
    measure : callable
        A function of a module that returns, for a recording, a dict of what is measured.
    engine : coughlab.system.parallel.Engine
        Where the work runs.
    size : int
        Files of a chunk.
    numbers : iterable of int, optional
        Which chunks; all of them unless told.
    load : callable
        Decodes a file within limits, as `coughlab.audio.load` does unless told: a function of a module.

    Yields
    ------
    (int, list of dict)
        The chunk's number, and for each of its files ``status`` ("ok", "missing" or "undecodable") and ``problem``, a sentence
        that says why ("" if ok); if ok also `FACTS` and what is measured. In the order of the engine.

    Raises
    ------
    coughlab.system.parallel.EngineError
        If a worker does not see a file that is there.
    """

    def argument(number):
        return (
            load,
            measure,
            [str(Path(path).absolute()) for path in paths[number * size : (number + 1) * size]],
        )

    numbers = range(-(-len(paths) // size)) if numbers is None else numbers
    for number, heard in engine.map(_heard, numbers, argument):
        for path, one in zip(argument(number)[2], heard, strict=True):
            if one["status"] == "missing" and not engine.is_here and Path(path).exists():
                raise EngineError(
                    f"A worker does not find {path}, which is there on this machine. Every worker must see the dataset under"
                    " the same path."
                )
        yield number, heard


def in_parts(table, measure, parts, *, engine, progress):
    """Decode and measure what is missing in the parts of a table, and give out all of it.

    Parameters
    ----------
    table : pandas.DataFrame
        The columns `LISTED` and ``path``.
    measure, engine
        As of `chunks`.
    parts : coughlab.system.parquet_parts.Parts
        Where what is measured is kept.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Yields
    ------
    (int, list of dict)
        Number and rows of each part: those that are there already, then the others as they come.

    Raises
    ------
    coughlab.system.parallel.EngineError
        As of `chunks`.
    OSError
        If a part cannot be written.
    """
    done, missing = 0, []
    paths = table["path"].tolist()
    progress(STAGE, 0, len(table))
    for number in range(-(-len(table) // ROWS)):
        listed, kept = _listed(table, number), parts.read(number)
        if kept is None or not _is_of(kept, listed, paths[number * ROWS :]):
            missing.append(number)
            continue
        done += len(listed)
        progress(STAGE, done, len(table))
        yield number, kept.to_pylist()
    for number, heard in chunks(paths, measure, engine=engine, size=ROWS, numbers=missing):
        rows = [known | one for known, one in zip(_listed(table, number), heard, strict=True)]
        parts.write(number, rows)
        done += len(rows)
        progress(STAGE, done, len(table))
        yield number, rows


def _listed(table, number):
    rows = table.iloc[number * ROWS : (number + 1) * ROWS]
    return [
        dict(zip(LISTED, map(_text, row), strict=True))
        for row in zip(*(rows[name] for name in LISTED), strict=True)
    ]


def _is_of(kept, listed, paths):
    """Whether a part is of these rows, and their files are as they were as far as their sizes tell."""
    if kept.select(LISTED).to_pylist() != listed:
        return False
    told = kept.select(["status", "bytes"]).to_pylist()
    return all(
        one["status"] == "undecodable" or one["bytes"] == _size(path)
        for one, path in zip(told, paths, strict=False)
    )


def _size(path):
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None


def _heard(task):
    load, measure, paths = task
    # A file that is listed twice in a row is decoded once.
    heard = {path: _one(Path(path), load, measure) for path in dict.fromkeys(paths)}
    return [heard[path] for path in paths]


def _one(path, load, measure):
    try:
        recording = (load or audio.load)(path, LIMITS)
        size = path.stat().st_size
    except audio.AudioError as error:
        status = "missing" if error.code == "not_found" else "undecodable"
        return {"status": status, "problem": str(error)}
    except OSError as error:
        return {"status": "undecodable", "problem": f"The file went away while it was read: {error}."}
    return {
        "status": "ok",
        "problem": "",
        "container": recording.container,
        "codec": recording.codec,
        "sample_rate": recording.rate,
        "channels": recording.channels,
        "bit_depth": recording.bit_depth,
        "duration_s": recording.duration,
        "bytes": size,
        **measure(recording),
    }


def _text(value):
    """A name as text that can be stored, which names of files need not be."""
    return str(value).encode(errors="backslashreplace").decode()
