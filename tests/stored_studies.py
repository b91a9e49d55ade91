"""Studies that the tests make themselves."""

import pandas as pd

from coughlab.studies import store
from coughlab.studies.store import MODELS, StoredStudy


def with_large(folder):
    """A copy of the committed study with one more model, ``big``, whose file is large: in truth the small CNN.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of studies to make it in.

    Returns
    -------
    pathlib.Path
        The large file.
    """
    committed = StoredStudy(MODELS / "kaggle-trial")
    sha = store.write_large(folder / committed.name, "big.tflite", committed.read("cnn.tflite"))
    entry = committed.models["cnn"] | {"title": "Big", "serve": "big.tflite", "large": {"big.tflite": sha}}
    with store.replacing(folder / committed.name) as writer:
        # What was computed from the tables is computed anew, since they change.
        for name in set(committed.manifest["files"]) - {store.METRICS, store.SCORES, store.KNOWN}:
            writer.write(name, committed.read(name))
        table = committed.table(store.PREDICTIONS)
        of_big = table[table["model"] == "cnn"].assign(model="big")
        writer.write_table(store.PREDICTIONS, pd.concat([table, of_big], ignore_index=True))
        known = committed.table(store.EVIDENCE)
        known_of_big = known[known["model"] == "cnn"].assign(model="big")
        writer.write_table(store.EVIDENCE, pd.concat([known, known_of_big], ignore_index=True))
        writer.manifest |= committed.manifest | {"models": committed.models | {"big": entry}}
    return folder / store.LARGE / committed.name / "big.tflite"
