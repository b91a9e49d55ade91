"""A dataset listened to once: what its files are, what sounds in them, and which cannot be read.

Whatever an audit or the search for copies needs to know of a sound is measured here, so that a dataset is decoded once and
never has more than one recording in memory.
"""

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa

from coughlab.datasets import measuring
from coughlab.datasets.measuring import FACTS, LIMITS  # noqa: F401 - the limits are those of whoever listens once more
from coughlab.features import fingerprint, recording_chain
from coughlab.system import parquet_parts
from coughlab.system.parallel import Engine

COLUMNS = [
    "recording",
    "person",
    "label",
    "source",
    "status",
    "problem",
    *FACTS,
    *recording_chain.NAMES,
    "audio_hash",
    "fingerprint",
]


#: Of the parts in which a survey is kept.
SCHEMA = measuring.schema(
    [
        *((name, pa.float64()) for name in recording_chain.NAMES),
        ("audio_hash", pa.string()),
        ("fingerprint", pa.binary()),
    ]
)


def run(
    dataset,
    progress=lambda stage, done, total: None,
    *,
    engine=None,
    folder=None,
    again=False,
    load=None,
):
    """Decode and measure every recording of a dataset.

    A file that is listed several times is decoded once.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The recordings; files may be missing or damaged.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.
    engine : coughlab.system.parallel.Engine, optional
        Where the work runs; in this process unless told. What is measured is the same to the last bit.
    folder : path-like, optional
        Where to keep what is measured, in parts, so that a survey that was stopped goes on there.
    again : bool
        Measure anew what is in the folder.
    load : callable
        Decodes a file where nothing is kept, as `coughlab.audio.load` does unless told; that of `coughlab.serving.workers`
        where nobody knows whom the files come from.

    Returns
    -------
    pandas.DataFrame
        One row a row of ``dataset.table``, in its order, with the columns of `COLUMNS`. ``status`` is ``ok``, ``missing`` or
        ``undecodable``, ``problem`` a sentence that says why ("" if ok); what cannot be known of a row that is not ok is NaN or
        None. ``bit_depth`` is NaN where the codec has none. ``audio_hash`` is the SHA-256 of the sample rate and the decoded
        samples, so that the same samples in another container have the same.

    Raises
    ------
    coughlab.system.parquet_parts.PartsError
        If the folder holds something else.
    coughlab.system.parallel.EngineError
        If the engine fails.
    OSError
        If the folder cannot be written to.
    """
    engine = engine or Engine()
    table = dataset.table
    different = table.drop_duplicates("path")
    if folder is None:
        measured = _measured(different["path"].tolist(), table["path"], engine, progress, load)
    else:
        about = measuring.about(dataset, "survey")
        with parquet_parts.opened(folder, about, SCHEMA, again=again) as kept:
            measured = _kept(different, kept, engine, progress)
    rows = pd.DataFrame([measured[path] for path in table["path"]], columns=COLUMNS[4:])
    listed = table[COLUMNS[:4]].reset_index(drop=True)
    return pd.concat([listed, rows], axis=1)


def _measured(paths, listed, engine, progress, load):
    """What is measured of each path; progress is told by rows of the list."""
    measured, done, rows = {}, 0, listed.value_counts()
    progress(measuring.STAGE, 0, len(listed))
    size = engine.together
    for number, heard in measuring.chunks(paths, _measure, engine=engine, size=size, load=load):
        for path, one in zip(paths[number * size :], heard, strict=False):
            measured[path] = one
            for _ in range(rows[path]):
                done += 1
                progress(measuring.STAGE, done, len(listed))
    return measured


def _kept(table, kept, engine, progress):
    """What is measured of each path, as far as it is in the parts from there."""
    measured, paths = {}, table["path"].tolist()
    for number, rows in measuring.in_parts(table, _kept_measure, kept, engine=engine, progress=progress):
        for path, row in zip(paths[number * measuring.ROWS :], rows, strict=False):
            # What is empty in the row of a file that cannot be used is not known, rather than None.
            known = COLUMNS[4:] if row["status"] == "ok" else COLUMNS[4:6]
            measured[path] = {name: row[name] for name in known}
            if row["status"] == "ok":
                measured[path]["fingerprint"] = np.frombuffer(row["fingerprint"], fingerprint.ROW)
    return measured


def audio_hash(recording):
    """SHA-256 of what a recording sounds like: its sample rate and its samples.

    Parameters
    ----------
    recording : coughlab.audio.Recording
        What was recorded.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(f"{recording.rate} ".encode())
    # Adding zero turns the negative zeros that some decoders write into positive ones.
    digest.update((recording.samples + np.float32(0)).astype("<f4", copy=False))
    return digest.hexdigest()


def _measure(recording):
    return {
        **dict(zip(recording_chain.NAMES, recording_chain.measure(recording), strict=True)),
        "audio_hash": audio_hash(recording),
        "fingerprint": fingerprint.compute(recording),
    }


def _kept_measure(recording):
    measured = _measure(recording)
    return measured | {"fingerprint": measured["fingerprint"].tobytes()}
