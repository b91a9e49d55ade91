"""Updates a study that was saved by an earlier version: no number in it changes, and nothing is trained."""

import json
from pathlib import Path

import pandas as pd

from coughlab.evaluation import bootstrap, scoring
from coughlab.evaluation.metrics import PER_SPLIT, evidence_columns
from coughlab.evaluation.scoring import TEST_KEYS
from coughlab.studies import ledger, store
from coughlab.studies.definition import Definition
from coughlab.studies.writer import replacing


class ConvertError(ValueError):
    """A study cannot be updated; the message says why. The study is unchanged."""


def convert(folder: Path, defined: Definition) -> bool:
    """Write what is new into ``models/<study>``: definition, column ``positive``, metrics; False if there is nothing to do.

    Raises
    ------
    ConvertError
        If a label is not the task's, or the scores of the converted tables are not those that are stored, to the last bit.
    coughlab.studies.store.StoreError
        If the study is damaged.
    """
    folder = Path(folder)
    study = store.StoredStudy(folder)
    stored = {name: study.table(name) for name in (store.METRICS, store.EVIDENCE)}
    # Compared as JSON: a definition of an earlier version may not be valid any longer.
    same_definition = study.manifest.get("definition") == json.loads(json.dumps(defined.to_dict()))
    has_metrics = {*PER_SPLIT} <= {*stored[store.METRICS]} and {*evidence_columns()} <= {
        *stored[store.EVIDENCE]
    }
    if same_definition and has_metrics:
        return False
    tables = {
        name: _with_positive(study.table(name), defined) for name in (store.FEATURES, store.PREDICTIONS)
    }
    predictions = tables[store.PREDICTIONS]
    computed = scoring.per_split(predictions, study.thresholds)
    if not computed.reindex(columns=stored[store.METRICS].columns).equals(stored[store.METRICS]):
        raise ConvertError(
            f"The scores of {study.name} are not those of its predictions. Nothing was changed."
        )
    changed = dict(tables)
    if not has_metrics:
        # What is stored stays: another processor sums in another order, which moves the last bit of an interval.
        evidence = stored[store.EVIDENCE].set_index(TEST_KEYS)
        new = bootstrap.table(predictions, study.thresholds).set_index(TEST_KEYS)
        changed[store.METRICS] = computed
        changed[store.EVIDENCE] = evidence.join(new[new.columns.difference(evidence.columns)]).reset_index()
    with replacing(folder) as writer:
        for name in study.hashes:
            if name in changed:
                writer.write_table(name, changed[name])
            elif name not in ledger.DESCRIPTION:
                writer.write(name, study.read(name))
        kept = {key: value for key, value in study.manifest.items() if key != "files"}
        manifest = kept | {"definition": defined.to_dict()}
        ledger.describe(writer, folder, manifest, *tables.values(), (stored | changed)[store.EVIDENCE])
    return True


def _with_positive(table: pd.DataFrame, defined: Definition) -> pd.DataFrame:
    task = defined.task
    if unknown := set(table["label"]) - set(task.labels):
        raise ConvertError(
            f"The study has labels that its definition does not name: {', '.join(sorted(unknown))}."
        )
    table = table.drop(columns="positive", errors="ignore")
    table.insert(table.columns.get_loc("label") + 1, "positive", task.is_positive(table["label"]))
    return table
