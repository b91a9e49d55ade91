"""Studies made by the tests."""

from dataclasses import replace

import pandas as pd

from coughlab.evidence import verdict
from coughlab.studies import store
from coughlab.studies.store import MODELS, StoredStudy
from coughlab.studies.writer import replacing, write_large


def with_large(folder):
    """A copy of the committed study with one more model, ``big``, that has a large file: a copy of the small CNN.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of studies for the copy.

    Returns
    -------
    pathlib.Path
        The large file.
    """
    committed = StoredStudy(MODELS / "kaggle-trial")
    sha = write_large(folder / committed.name, "big.tflite", committed.read("cnn.tflite"))
    entry = committed.models["cnn"] | {"title": "Big", "serve": "big.tflite", "large": {"big.tflite": sha}}
    with replacing(folder / committed.name) as writer:
        for name in committed.manifest["files"]:
            writer.write(name, committed.read(name))
        for name in (store.PREDICTIONS, store.EVIDENCE, store.METRICS, store.SCORES):
            table = committed.table(name)
            of_big = table[table["model"] == "cnn"].assign(model="big")
            writer.write_table(name, pd.concat([table, of_big], ignore_index=True))
        known = verdict.load(committed.read(store.KNOWN))
        writer.write(store.KNOWN, verdict.dump(known | {"big": replace(known["cnn"], title="Big")}))
        writer.manifest |= committed.manifest | {"models": committed.models | {"big": entry}}
    return folder / store.LARGE / committed.name / "big.tflite"
