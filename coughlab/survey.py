"""A dataset listened to once: what its files are, what sounds in them, and which cannot be read.

Whatever an audit or the search for copies needs to know of a sound is measured here, so that a dataset is decoded once and
never has more than one recording in memory.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from coughlab import audio
from coughlab.signal import chain, fingerprint, spectrum

#: What a recording of a dataset may be: longer than what is sent to a server, since nobody waits for an answer.
LIMITS = replace(audio.LIMITS, max_seconds=600.0, max_samples=600 * 96_000, max_bytes=512 * 2**20)

FACTS = ("container", "codec", "sample_rate", "channels", "bit_depth", "duration_s", "bytes")
COLUMNS = [
    "recording",
    "person",
    "label",
    "source",
    "status",
    "problem",
    *FACTS,
    *chain.NAMES,
    "audio_hash",
    "fingerprint",
]


def run(dataset, progress=lambda stage, done, total: None):
    """Decode and measure every recording of a dataset.

    A file that is listed several times is decoded once.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The recordings; files may be missing or damaged.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Returns
    -------
    pandas.DataFrame
        One row a row of ``dataset.table``, in its order, with the columns of `COLUMNS`. ``status`` is ``ok``, ``missing`` or
        ``undecodable``, ``problem`` a sentence that says why ("" if ok); what cannot be known of a row that is not ok is NaN or
        None. ``bit_depth`` is NaN where the codec has none. ``audio_hash`` is the SHA-256 of the sample rate and the decoded
        samples, so that the same samples in another container have the same.
    """
    spectrum.use_one_thread()
    table, measured = dataset.table, {}
    for done, path in enumerate(table["path"]):
        progress("Listening to recordings", done, len(table))
        if path not in measured:
            measured[path] = _measured(Path(path))
    progress("Listening to recordings", len(table), len(table))
    rows = pd.DataFrame([measured[path] for path in table["path"]], columns=COLUMNS[4:])
    listed = table[COLUMNS[:4]].reset_index(drop=True)
    return pd.concat([listed, rows], axis=1)


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


def _measured(path):
    try:
        recording = audio.load(path, LIMITS)
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
        **dict(zip(chain.NAMES, chain.measure(recording), strict=True)),
        "audio_hash": audio_hash(recording),
        "fingerprint": fingerprint.compute(recording),
    }
