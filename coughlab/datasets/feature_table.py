"""The 26 features of every recording of a dataset, written as a table in parts: ``coughlab features``.

The columns are ``recording``, ``person``, ``label`` and ``source`` as listed, ``status`` and ``problem`` as of
`coughlab.datasets.survey.run`, the file's facts and the features, which are empty where a recording cannot be used.
"""

from collections import Counter

import pyarrow as pa

from coughlab.datasets import measuring
from coughlab.features import acoustic
from coughlab.system import parquet_parts
from coughlab.system.parallel import Engine

SCHEMA = measuring.schema((name, pa.float32()) for name in acoustic.NAMES)


def run(dataset, folder, *, engine=None, again=False, progress=lambda stage, done, total: None):
    """Measure the features of every recording, as far as they are not in the folder already.

    No more than what the workers have to do is in memory, beside the dataset's list.

    Parameters
    ----------
    dataset : coughlab.datasets.Dataset
        The recordings; files may be missing or damaged.
    folder : path-like
        Where the parts of the table go. ``pandas.read_parquet(folder)`` reads them all.
    engine : coughlab.system.parallel.Engine, optional
        Where the work runs; in this process unless told. The parts are the same to the last bit.
    again : bool
        Measure all of it anew.
    progress : callable
        Called with a stage in words, how much of it is done, and of how much.

    Returns
    -------
    collections.Counter
        How many recordings are "ok", "missing" and "undecodable".

    Raises
    ------
    coughlab.system.parquet_parts.PartsError
        If the folder holds something else.
    coughlab.system.parallel.EngineError
        If the engine fails.
    OSError
        If a part cannot be written.
    """
    count = Counter()
    with parquet_parts.opened(folder, measuring.about(dataset, "features"), SCHEMA, again=again) as kept:
        options = {"engine": engine or Engine(), "progress": progress}
        for _, rows in measuring.in_parts(dataset.table, _measure, kept, **options):
            count.update(row["status"] for row in rows)
    return count


def _measure(recording):
    return dict(zip(acoustic.NAMES, acoustic.extract(recording).tolist(), strict=True))
