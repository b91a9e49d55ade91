"""Conversion of a study that an earlier version saved: no number may change; otherwise the study stays unchanged."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coughlab.evaluation import scoring
from coughlab.serving.predictors import Predictor
from coughlab.studies import definition, store
from coughlab.studies.convert import ConvertError, convert
from coughlab.studies.ledger import Ledger
from coughlab.studies.measured import Measured
from coughlab.studies.runner import defined_as
from coughlab.studies.store import StoredStudy, StoreError
from coughlab.studies.writer import replacing
from coughlab.task import Task
from tests.files import bytes_of

NAME = "kaggle-trial"
TABLES = (store.FEATURES, store.PREDICTIONS)


@pytest.fixture(scope="module")
def committed():
    return StoredStudy(store.MODELS / NAME)


@pytest.fixture(scope="module")
def defined():
    return defined_as(NAME)


@pytest.fixture(scope="module")
def few(committed):
    """Tables of the committed study with a part of its predictions."""
    rows = committed.table(store.PREDICTIONS).query("protocol == 'published' and split < 2")
    rows = rows[rows["model"].isin(committed.served)].reset_index(drop=True)
    return {store.PREDICTIONS: rows, store.METRICS: scoring.per_split(rows, committed.thresholds)}


@pytest.fixture(scope="module")
def earlier(committed, few, tmp_path_factory):
    """The committed study with a part of its predictions, as an earlier version saved it."""
    return saved(tmp_path_factory.mktemp("earlier") / NAME, committed, **few)


def saved(folder, study, *, definition_=None, **tables):
    """A study as an earlier version saved it: without the definition and the column ``positive``."""
    with replacing(folder) as writer:
        for name in study.hashes:
            if name in TABLES:
                writer.write_table(name, tables.get(name, study.table(name)).drop(columns="positive"))
            elif name in tables:
                writer.write_table(name, tables[name])
            elif name != definition.FILE:
                writer.write(name, study.read(name))
        kept = {key: value for key, value in study.manifest.items() if key not in ("definition", "files")}
        writer.manifest |= kept | ({"definition": definition_} if definition_ else {})
    return folder


@pytest.fixture
def folder(earlier, tmp_path):
    """A copy of the earlier study."""
    return shutil.copytree(earlier, tmp_path / NAME)


def test_an_earlier_study_says_how_it_is_brought_up_to_date(folder):
    study = StoredStudy(folder)
    assert "positive" not in study.features and "positive" not in study.predictions
    for ask in (lambda: study.task, lambda: study.main_model, lambda: Predictor(study)):
        with pytest.raises(StoreError, match=r"earlier version\. .*'coughlab study convert kaggle-trial'"):
            ask()


def test_nothing_is_added_to_an_earlier_study(folder, committed, defined):
    with pytest.raises(StoreError, match="coughlab study convert kaggle-trial"):
        Ledger(folder, defined, Measured(committed.features, {}), committed.manifest["seed"])


def test_a_converted_study_is_the_committed_one(committed, defined, tmp_path):
    folder = saved(tmp_path / NAME, committed)
    assert convert(folder, defined) is True
    study = StoredStudy(folder)
    assert study.definition == defined and study.manifest["definition"] == committed.manifest["definition"]
    assert set(study.hashes) == set(committed.hashes)
    for name in study.hashes:
        if name.endswith(".parquet"):
            pd.testing.assert_frame_equal(study.table(name), committed.table(name), check_exact=True)
        else:
            assert study.read(name) == committed.read(name), name
    assert list(study.features.columns) == list(committed.features.columns)
    facts = {key: value for key, value in study.manifest.items() if key != "files"}
    assert facts == {key: value for key, value in committed.manifest.items() if key != "files"}
    assert [path.name for path in folder.parent.iterdir()] == [NAME]
    assert Predictor(study).names == Predictor(committed).names


def test_a_second_time_there_is_nothing_to_do(folder, defined):
    convert(folder, defined)
    before = bytes_of(folder)
    assert convert(folder, defined) is False
    assert bytes_of(folder) == before


def test_the_committed_studies_are_up_to_date():
    for name in store.names():
        before = bytes_of(store.MODELS / name)
        assert convert(store.MODELS / name, defined_as(name)) is False
        assert bytes_of(store.MODELS / name) == before


def test_another_definition_is_adopted(folder, few, defined):
    convert(folder, defined)
    other = replace(defined, main_model="knn", about="Another text.")
    assert convert(folder, other) is True
    study = StoredStudy(folder)
    assert study.main_model == "knn" and "Another text." in study.read("README.md").decode()
    pd.testing.assert_frame_equal(study.table(store.PREDICTIONS), few[store.PREDICTIONS])


def test_a_definition_that_is_no_longer_valid_is_replaced(committed, few, defined, tmp_path):
    gone = committed.manifest["definition"] | {"without": ["a classifier of an earlier version"]}
    folder = saved(tmp_path / NAME, committed, definition_=gone, **few)
    with pytest.raises(StoreError, match="coughlab study convert kaggle-trial"):
        _ = StoredStudy(folder).definition
    assert convert(folder, defined) is True
    assert StoredStudy(folder).definition == defined


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "tp"])
def test_a_study_whose_scores_are_not_those_of_its_predictions_is_left_as_it_was(
    committed, few, defined, tmp_path, metric
):
    metrics = few[store.METRICS].copy()
    # Changed in the last bit of one split.
    there = metrics[metric].notna().idxmax()
    value = metrics.loc[there, metric]
    metrics.loc[there, metric] = value + 1 if metric == "tp" else np.nextafter(value, 2)
    folder = saved(tmp_path / NAME, committed, **few | {store.METRICS: metrics})
    before = bytes_of(folder)
    with pytest.raises(ConvertError, match=r"scores of kaggle-trial are not those .* Nothing was changed\."):
        convert(folder, defined)
    assert bytes_of(folder) == before and [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_study_of_other_labels_is_left_as_it_was(folder, defined):
    before = bytes_of(folder)
    with pytest.raises(ConvertError, match=r"labels that its definition does not name: covid, not_covid\."):
        convert(folder, replace(defined, task=Task("tb", "tuberculosis", "healthy")))
    # The positive class is exchanged, so every sensitivity would change.
    with pytest.raises(ConvertError, match="are not those of its predictions"):
        convert(folder, replace(defined, task=Task("not_covid", "no COVID", "covid")))
    assert bytes_of(folder) == before


def test_a_damaged_study_is_left_as_it_was(folder, defined):
    (folder / "knn.npz").write_bytes(b"damaged")
    before = bytes_of(folder)
    with pytest.raises(StoreError, match=r"knn\.npz was changed"):
        convert(folder, defined)
    assert bytes_of(folder) == before


def test_a_definition_file_in_the_folder_stays(folder, defined):
    text = (store.MODELS / NAME / definition.FILE).read_text() + "\n# mine\n"
    (folder / definition.FILE).write_text(text)
    convert(folder, defined)
    assert StoredStudy(folder).read(definition.FILE).decode() == text
    assert json.loads((folder / store.MANIFEST).read_text())["files"][definition.FILE]["bytes"] == len(
        text.encode()
    )
