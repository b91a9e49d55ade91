"""Adding to a stored study: results of other runs are kept, and results of other datasets are refused."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from coughlab.classifiers import CLASSIFIERS
from coughlab.features.acoustic import NAMES
from coughlab.studies import store
from coughlab.studies.definition import Definition
from coughlab.studies.ledger import DifferentDataError, Ledger
from coughlab.studies.measured import Measured
from coughlab.studies.store import StoredStudy, StoreError
from coughlab.studies.training import PREDICTION_COLUMNS
from tests.files import bytes_of
from tests.tables import with_positive
from tests.tasks import COVID

N = 6
DEFINED = Definition("trial", COVID, ("published",))
TABLE = with_positive(
    dict.fromkeys(NAMES, 0.5)
    | {
        "recording": [f"{k}.wav" for k in range(N)],
        "person": [f"p{k // 2}" for k in range(N)],
        "label": ["covid", "not_covid"] * (N // 2),
        "audio": np.arange(N),
        "rms": np.linspace(0.1, 0.6, N),
        "zcr": [*np.linspace(0, 1, N - 1), np.nan],
    }
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "trial"


def measured(table):
    return Measured(table, {})


def entry(name, **facts):
    return {"title": name, "summary": "One.", "threshold": 0.5, "serve": None, "large": {}} | facts


def predictions(model, splits, seed=0):
    rng = np.random.default_rng(seed)
    parts = [
        TABLE[["recording", "person", "label", "positive"]].assign(
            study="trial",
            protocol="published",
            model=model,
            split=split,
            role=["train", "train", "train", "train", "test", "test"],
            tested_on="trial",
            row=np.arange(N),
            probability=rng.random(N),
            seed=split + 1,
        )
        for split in splits
    ]
    return pd.concat(parts, ignore_index=True)[PREDICTION_COLUMNS]


def fits(model, splits, seconds=1.0):
    row = {"study": "trial", "protocol": "published", "model": model, "seconds": seconds}
    return pd.DataFrame([row | {"split": split} for split in splits])


def add(folder, model, splits, *, seed=0, table=TABLE, forget=(), seconds=1.0, **facts):
    ledger = Ledger(folder, DEFINED, measured(table), 0)
    files = facts.pop("files", None)
    ledger.add(
        entries={model: entry(model, **facts)},
        predictions=predictions(model, splits, seed),
        fits=fits(model, splits, seconds),
        files=files,
        forget=forget,
    )
    return ledger


def rows(study, model):
    table = study.table(store.PREDICTIONS)
    return table[table["model"] == model].reset_index(drop=True)


def splits_of(study, model):
    fitted = study.fits.query("model == @model")["split"].tolist()
    assert fitted == list(dict.fromkeys(rows(study, model)["split"]))
    return fitted


def test_the_first_results_make_the_study(folder):
    ledger = add(folder, "tree", [0, 1])
    assert ledger.stored.manifest["models"] == {"tree": entry("tree")}
    assert (ledger.stored.manifest["seed"], ledger.stored.manifest["recordings"]) == (0, N)
    assert ledger.stored.manifest["people"] == N // 2
    pd.testing.assert_frame_equal(ledger.stored.features, TABLE)
    pd.testing.assert_frame_equal(rows(ledger.stored, "tree"), predictions("tree", [0, 1]))


def test_another_model_changes_no_row_of_the_first(folder):
    add(folder, "tree", [0, 1])
    study = add(folder, "knn", [0, 1, 2], seed=5).stored
    pd.testing.assert_frame_equal(rows(study, "tree"), predictions("tree", [0, 1]))
    pd.testing.assert_frame_equal(rows(study, "knn"), predictions("knn", [0, 1, 2], 5))
    assert splits_of(study, "tree") == [0, 1] and splits_of(study, "knn") == [0, 1, 2]


def test_the_order_of_models_and_splits_does_not_depend_on_the_order_of_adding(tmp_path):
    parts = [("forest", [0, 1]), ("mlp", [1]), ("tree", [0]), ("mlp", [0])]
    tables = []
    for order in (parts, parts[::-1]):
        folder = tmp_path / str(len(tables)) / "trial"
        for model, splits in order:
            add(folder, model, splits)
        study = StoredStudy(folder)
        assert list(study.models) == [n for n in CLASSIFIERS if n in ("forest", "mlp", "tree")]
        tables.append(study.table(store.PREDICTIONS))
    pd.testing.assert_frame_equal(*tables)
    assert list(dict.fromkeys(zip(tables[0]["model"], tables[0]["split"], strict=True))) == [
        ("mlp", 0),
        ("mlp", 1),
        ("tree", 0),
        ("forest", 0),
        ("forest", 1),
    ]


def test_a_model_of_another_version_of_this_library_stays(folder):
    add(folder, "retired", [0])
    study = add(folder, "mlp", [0]).stored
    assert list(study.models) == ["mlp", "retired"]
    pd.testing.assert_frame_equal(rows(study, "retired"), predictions("retired", [0]))


def test_a_repeated_split_replaces_only_its_own_rows(folder):
    add(folder, "tree", [0, 1, 2])
    study = add(folder, "tree", [1], seed=9, seconds=4.0).stored
    first, again = predictions("tree", [0, 1, 2]), predictions("tree", [1], 9)
    expected = pd.concat([first.query("split == 0"), again, first.query("split == 2")], ignore_index=True)
    pd.testing.assert_frame_equal(rows(study, "tree"), expected)
    assert study.fits["seconds"].tolist() == [1.0, 4.0, 1.0]


def test_a_forgotten_model_is_replaced_completely(folder):
    add(folder, "tree", [0, 1, 2])
    add(folder, "knn", [0, 1, 2])
    study = add(folder, "tree", [1], seed=9, forget=["tree"]).stored
    assert splits_of(study, "tree") == [1] and splits_of(study, "knn") == [0, 1, 2]


def test_files_of_models_are_kept_replaced_and_dropped(folder):
    add(folder, "mlp", [0], serve="mlp.tflite", files={"mlp.keras": b"k1", "mlp.tflite": b"t1"})
    add(folder, "knn", [0], serve="knn.npz", files={"knn.npz": b"s1"})
    study = add(folder, "tree", [0]).stored
    files = {"mlp.keras": b"k1", "mlp.tflite": b"t1", "knn.npz": b"s1"}
    assert {name: study.read(name) for name in files} == files
    study = add(
        folder, "mlp", [1], serve="mlp.tflite", files={"mlp.keras": b"k2", "mlp.tflite": b"t2"}
    ).stored
    files |= {"mlp.keras": b"k2", "mlp.tflite": b"t2"}
    assert {name: study.read(name) for name in files} == files
    study = add(folder, "mlp", [2], serve="mlp.tflite", large={"mlp.tflite": "0" * 64}).stored
    assert "mlp.tflite" not in study.manifest["files"] and "mlp.keras" not in study.manifest["files"]
    assert {path.name for path in folder.iterdir()} == {*study.manifest["files"], store.MANIFEST}


def test_trials_stay_until_there_are_new_ones(folder):
    ledger = add(folder, "tree", [0])
    trials = pd.DataFrame({"trial": [0, 1], "loss": [0.5, 0.25]})
    ledger.add(trials=trials)
    study = add(folder, "knn", [0]).stored
    pd.testing.assert_frame_equal(study.trials, trials)
    pd.testing.assert_frame_equal(rows(study, "tree"), predictions("tree", [0]))
    ledger.add(trials=trials[:1])
    assert len(StoredStudy(folder).trials) == 1


def test_a_ledger_opened_earlier_keeps_results_that_were_added_later(folder):
    first, second = Ledger(folder, DEFINED, measured(TABLE), 0), Ledger(folder, DEFINED, measured(TABLE), 0)
    for ledger, model in ((first, "tree"), (second, "knn"), (first, "forest")):
        ledger.add(entries={model: entry(model)}, predictions=predictions(model, [0]), fits=fits(model, [0]))
    assert list(StoredStudy(folder).models) == ["knn", "tree", "forest"]


def _add_many(folder, model):
    for split in range(6):
        add(folder, model, [split])


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_two_parallel_writers_lose_nothing(folder, kind):
    models = ("tree", "knn")
    if kind == "threads":
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(_add_many, [folder] * 2, models))
    else:
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=_add_many, args=(folder, model)) for model in models]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
    study = StoredStudy(folder)
    for model in models:
        assert splits_of(study, model) == list(range(6))
        expected = pd.concat([predictions(model, [split]) for split in range(6)], ignore_index=True)
        pd.testing.assert_frame_equal(rows(study, model), expected)


def changed(**columns):
    return with_positive(TABLE.assign(**columns))


OTHER_DATA = {
    "a recording renamed": changed(recording=["x.wav", *TABLE["recording"][1:]]),
    "a person": changed(person=["x", *TABLE["person"][1:]]),
    "a label": changed(label=["not_covid", *TABLE["label"][1:]]),
    "rows in another order": TABLE[::-1].reset_index(drop=True),
    "a row less": TABLE[:-1],
    "a feature more": changed(more=0.0),
    "a feature less": TABLE.drop(columns="zcr"),
    "a feature measured otherwise": changed(rms=TABLE["rms"] * 1.01),
    "a feature no longer missing": changed(zcr=TABLE["zcr"].fillna(0.5)),
}


@pytest.mark.parametrize("what", OTHER_DATA)
def test_results_of_another_dataset_are_refused(folder, what):
    add(folder, "tree", [0])
    with pytest.raises(DifferentDataError, match=f"trial in {folder.parent} was trained on other recordings"):
        Ledger(folder, DEFINED, measured(OTHER_DATA[what]), 0)


def test_results_of_another_seed_are_refused(folder):
    add(folder, "tree", [0])
    with pytest.raises(DifferentDataError, match=r"splits \(seed\)"):
        Ledger(folder, DEFINED, measured(TABLE), 1)


def test_differences_in_the_last_digits_do_not_make_another_dataset(folder):
    add(folder, "tree", [0])
    Ledger(folder, DEFINED, measured(changed(rms=TABLE["rms"] * (1 + 1e-6))), 0)


def test_a_run_with_another_seed_that_came_first_is_noticed_on_adding(folder):
    late = Ledger(folder, DEFINED, measured(TABLE), 1)
    add(folder, "tree", [0])
    before = bytes_of(folder)
    with pytest.raises(DifferentDataError):
        late.add(entries={"knn": entry("knn")}, predictions=predictions("knn", [0]), fits=fits("knn", [0]))
    assert bytes_of(folder) == before


def test_anew_replaces_the_study_with_the_first_results_and_then_adds(folder):
    add(folder, "tree", [0])
    ledger = Ledger(folder, DEFINED, measured(OTHER_DATA["a label"]), 1, anew=True)
    assert ledger.stored is None
    assert list(StoredStudy(folder).models) == ["tree"]
    for model in ("knn", "forest"):
        ledger.add(entries={model: entry(model)}, predictions=predictions(model, [0]), fits=fits(model, [0]))
    assert list(StoredStudy(folder).models) == ["knn", "forest"]
    assert StoredStudy(folder).manifest["seed"] == 1


@pytest.mark.parametrize("name", [store.PREDICTIONS, store.FEATURES, "knn.npz"])
def test_nothing_is_added_to_a_damaged_study(folder, name):
    ledger = add(folder, "knn", [0], serve="knn.npz", files={"knn.npz": b"s1"})
    (folder / name).write_bytes(b"damaged")
    before = bytes_of(folder)
    with pytest.raises(StoreError, match=name):
        ledger.add(
            entries={"tree": entry("tree")}, predictions=predictions("tree", [0]), fits=fits("tree", [0])
        )
    assert bytes_of(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_card_is_rewritten(folder):
    add(folder, "tree", [0])
    study = add(folder, "knn", [0, 1]).stored
    card = study.read("README.md").decode()
    assert "| tree | published" in card and "| knn | published, 2 splits |" in card
