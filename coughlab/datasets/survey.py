"""Decodes and measures every recording of a dataset: the survey for an audit, and the table of the 26 features.

Workers of an engine decode one chunk of recordings at a time, so that each has only one chunk in memory. Results can be saved in
parts (`coughlab.system.parquet_parts`), so that a stopped run can be continued.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from coughlab import __version__, audio
from coughlab.datasets import Dataset
from coughlab.features import acoustic, fingerprint, recording_chain
from coughlab.system import parquet_parts
from coughlab.system.parallel import Engine, EngineError
from coughlab.system.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd  # takes half a second, which every worker would wait

#: Limits on a dataset's recording: longer than an upload to the server, because an audit may take long.
LIMITS = replace(audio.LIMITS, max_seconds=600.0, max_samples=600 * 96_000, max_bytes=512 * 2**20)
STAGE = "Listening to recordings"
#: Rows per part: one or two seconds of work, so that little is lost with a worker and the overhead is small.
ROWS = 64

#: Columns from the dataset's list.
LISTED = ("recording", "person", "label", "source")
FACTS = ("container", "codec", "sample_rate", "channels", "bit_depth", "duration_s", "bytes")
COLUMNS = [*LISTED, "status", "problem", *FACTS, *recording_chain.NAMES, "audio_hash", "fingerprint"]


def _schema(measured: dict[str, pa.DataType]) -> pa.Schema:
    types = dict.fromkeys(("sample_rate", "channels", "bit_depth", "bytes"), pa.int64())
    types |= {"duration_s": pa.float64()}
    known = {name: types.get(name, pa.string()) for name in (*LISTED, "status", "problem", *FACTS)}
    return pa.schema(known | measured)


#: Columns of the parts of each table.
SCHEMAS = {
    "survey": _schema(
        dict.fromkeys(recording_chain.NAMES, pa.float64())
        | {"audio_hash": pa.string(), "fingerprint": pa.binary()}
    ),
    "features": _schema(dict.fromkeys(acoustic.NAMES, pa.float32())),
}


def run(
    dataset: Dataset,
    progress: Progress = silent,
    *,
    engine: Engine | None = None,
    folder: str | PathLike | None = None,
    again: bool = False,
    load: Callable | None = None,
) -> "pd.DataFrame":
    """Decode and measure every recording of a dataset; a file that is listed several times is decoded once.

    Parameters
    ----------
    engine
        Where the work runs; in this process by default. The results are the same to the last bit.
    folder, again
        Where to save the results, in parts, and whether to measure again what is there; errors are those of
        `coughlab.system.parquet_parts.opened`.
    load
        Decodes a file; `coughlab.audio.load` by default, that of `coughlab.serving.workers` for untrusted files. Only without
        `folder`.

    Returns
    -------
    pandas.DataFrame
        One row per row of ``dataset.table``, in its order, with the columns of `COLUMNS`. ``status`` is ``ok``, ``missing`` or
        ``undecodable``, ``problem`` a sentence that says why ("" if ok). For rows that are not ok, unknown values are NaN or
        None. ``bit_depth`` is NaN if the codec has none.
    """
    import pandas as pd

    engine, table = engine or Engine(), dataset.table
    different = table.drop_duplicates("path")
    paths, measured = different["path"].tolist(), {}
    if folder is None:
        # Progress counts rows of the list.
        size, done, listed = engine.together, 0, table["path"].value_counts()
        progress(STAGE, 0, len(table))
        for number, rows in _chunks(paths, _surveyed, engine=engine, size=size, load=load):
            for path, row in zip(paths[number * size :], rows, strict=False):
                measured[path] = _known(row)
                for _ in range(listed[path]):
                    done += 1
                    progress(STAGE, done, len(table))
    else:
        with _opened(dataset, "survey", folder, again) as parts:
            for number, rows in _in_parts(different, _surveyed, parts, engine=engine, progress=progress):
                measured |= zip(paths[number * ROWS :], map(_known, rows), strict=False)
    rows = pd.DataFrame([measured[path] for path in table["path"]], columns=COLUMNS[len(LISTED) :])
    return pd.concat([table[list(LISTED)].reset_index(drop=True), rows], axis=1)


def write_features(
    dataset: Dataset,
    folder: str | PathLike,
    *,
    engine: Engine | None = None,
    again: bool = False,
    progress: Progress = silent,
) -> Counter:
    """Measure the 26 features of every recording that is not in the folder yet: ``coughlab features``.

    The columns are those of the list, ``status`` and ``problem`` as in `run`, the file's properties, and the features; the last
    two are empty for unusable recordings. ``pandas.read_parquet(folder)`` reads all parts. Only the dataset's list and the
    current chunks are in memory. Returns how many recordings are "ok", "missing" and "undecodable"; raises the errors of `run`.
    """
    count: Counter[str] = Counter()
    with _opened(dataset, "features", folder, again) as parts:
        for _, rows in _in_parts(
            dataset.table, _features, parts, engine=engine or Engine(), progress=progress
        ):
            count.update(row["status"] for row in rows)
    return count


def audio_hash(recording: audio.Recording) -> str:
    """SHA-256, in hexadecimal, of the sample rate and the samples of a recording."""
    digest = hashlib.sha256(f"{recording.rate} ".encode())
    # Adding zero turns the negative zeros that some decoders write into positive ones.
    digest.update((recording.samples + np.float32(0)).astype("<f4", copy=False).data)
    return digest.hexdigest()


def _surveyed(recording: audio.Recording) -> dict:
    return {
        **dict(zip(recording_chain.NAMES, recording_chain.measure(recording), strict=True)),
        "audio_hash": audio_hash(recording),
        "fingerprint": fingerprint.compute(recording).tobytes(),
    }


def _known(row: dict) -> dict:
    """The measured columns of a row of the survey; for an unusable file the rest is unknown."""
    if row["status"] != "ok":
        return {"status": row["status"], "problem": row["problem"]}
    known = {name: row[name] for name in COLUMNS[len(LISTED) :]}
    return known | {"fingerprint": np.frombuffer(row["fingerprint"], fingerprint.ROW)}


def _features(recording: audio.Recording) -> dict:
    return dict(zip(acoustic.NAMES, acoustic.extract(recording).tolist(), strict=True))


def _opened(
    dataset: Dataset, kind: str, folder: str | PathLike, again: bool
) -> AbstractContextManager[parquet_parts.Parts]:
    """Open the parts of one table of a dataset; the dataset is identified by its list."""
    digest = hashlib.sha256()
    for row in zip(*(dataset.table[name] for name in LISTED), strict=True):
        digest.update("\0".join([*map(_text, row), ""]).encode())
    about = {
        "kind": kind,
        "dataset": _text(dataset.name),
        "recordings": len(dataset.table),
        "list": digest.hexdigest(),
        "rows_a_part": ROWS,
        "version": __version__,
    }
    return parquet_parts.opened(folder, about, SCHEMAS[kind], again=again)


def _chunks(
    paths: list[Path],
    measure: Callable[[audio.Recording], dict],
    *,
    engine: Engine,
    size: int,
    numbers: Iterable[int] | None = None,
    load: Callable | None = None,
) -> Iterator[tuple[int, list[dict]]]:
    """Number and rows of each chunk of `size` files, or of some of these chunks, in the engine's order.

    A row has ``status`` and ``problem``; if it is ok also `FACTS` and the result of `measure`, a module-level function.
    """

    def argument(number):
        chunk = paths[number * size : (number + 1) * size]
        return load, measure, [str(Path(path).absolute()) for path in chunk]

    numbers = range(-(-len(paths) // size)) if numbers is None else numbers
    for number, rows in engine.map(_measured, numbers, argument):
        for path, row in zip(argument(number)[2], rows, strict=True):
            if row["status"] == "missing" and not engine.is_here and Path(path).exists():
                raise EngineError(
                    f"A worker does not find {path}, which is there on this machine. Every worker must see the dataset under"
                    " the same path."
                )
        yield number, rows


def _in_parts(
    table: "pd.DataFrame",
    measure: Callable[[audio.Recording], dict],
    parts: parquet_parts.Parts,
    *,
    engine: Engine,
    progress: Progress,
) -> Iterator[tuple[int, list[dict]]]:
    """Number and rows of each part: first the parts that exist, then the others as they are measured."""
    done, missing, paths = 0, [], table["path"].tolist()
    progress(STAGE, 0, len(table))
    for number in range(-(-len(table) // ROWS)):
        listed, kept = _listed(table, number), parts.read(number)
        if kept is None or not _is_of(kept, listed, paths[number * ROWS :]):
            missing.append(number)
            continue
        done += len(listed)
        progress(STAGE, done, len(table))
        yield number, kept.to_pylist()
    for number, rows in _chunks(paths, measure, engine=engine, size=ROWS, numbers=missing):
        rows = [listed | row for listed, row in zip(_listed(table, number), rows, strict=True)]
        parts.write(number, rows)
        done += len(rows)
        progress(STAGE, done, len(table))
        yield number, rows


def _listed(table: "pd.DataFrame", number: int) -> list[dict]:
    rows = table.iloc[number * ROWS : (number + 1) * ROWS]
    return [
        dict(zip(LISTED, map(_text, row), strict=True))
        for row in zip(*(rows[name] for name in LISTED), strict=True)
    ]


def _is_of(kept: pa.Table, listed: list[dict], paths: list[Path]) -> bool:
    """Whether a part has these rows, and the sizes of their files have not changed."""
    if kept.select(LISTED).to_pylist() != listed:
        return False
    rows = kept.select(["status", "bytes"]).to_pylist()
    return all(
        row["status"] == "undecodable" or row["bytes"] == _size(path)
        for row, path in zip(rows, paths, strict=False)
    )


def _size(path: Path) -> int | None:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None


def _measured(task: tuple[Callable | None, Callable[[audio.Recording], dict], list[str]]) -> list[dict]:
    load, measure, paths = task
    # A file that is listed twice in a row is decoded once.
    rows = {path: _row(Path(path), load, measure) for path in dict.fromkeys(paths)}
    return [rows[path] for path in paths]


def _row(path: Path, load: Callable | None, measure: Callable[[audio.Recording], dict]) -> dict:
    try:
        recording = (load or audio.load)(path, LIMITS)
        size = path.stat().st_size
    except audio.AudioError as error:
        status = "missing" if error.code == "not_found" else "undecodable"
        return {"status": status, "problem": str(error)}
    except OSError as error:
        return {"status": "undecodable", "problem": f"The file went away while it was read: {error}."}
    sound = (recording.container, recording.codec, recording.rate, recording.channels, recording.bit_depth)
    facts = dict(zip(FACTS, (*sound, recording.duration, size), strict=True))
    return {"status": "ok", "problem": "", **facts, **measure(recording)}


def _text(value: object) -> str:
    """A file name as text that can be stored; not every file name is valid text."""
    return str(value).encode(errors="backslashreplace").decode()
