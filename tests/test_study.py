"""A study from end to end: on a small dataset made here, and on the real one where it lies."""

import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from coughlab import audio, datasets, store, study, synthetic
from coughlab.classifiers import CLASSIFIERS
from coughlab.datasets import DatasetError
from coughlab.evidence.metrics import SCORES
from coughlab.serving import Predictor
from coughlab.signal import features
from coughlab.store import StoredStudy
from tests.recordings import float_wav, kaggle_trial_tree

N_COVID, N_NOT = 8, 12
N = N_COVID + N_NOT
SPLITS = 2
MODELS = list(CLASSIFIERS)


def tiny_dataset(folder):
    """Short synthetic coughs under the names of the published layout."""
    names = [f"pos-0421-{k:03}-cough-m-50.wav" for k in range(N_COVID)]
    names += [f"AudioSet{k:03}_ 0.000_ 10.000.wav" for k in range(N_NOT)]
    samples = {
        name: synthetic.recording(onsets_s=(0.05,), duration_s=0.4 + 0.05 * (k % 6), rate=16_000, seed=k)
        for k, name in enumerate(names)
    }
    lines = [f"{name},{'covid' if name.startswith('pos') else 'not_covid'}" for name in names]
    listed = "\n".join(["file_properties,class", *lines]) + "\n"
    return kaggle_trial_tree(folder / "data", samples, listed=listed)


def run(data, models, *, seed=0, **options):
    return study.run("kaggle-trial", data, models=models, seed=seed, n_splits=SPLITS, epochs=1, **options)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_dataset(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def ran(data, tmp_path_factory):
    """A study of the tiny dataset, and what its progress was."""
    reports = []
    folder = run(data, tmp_path_factory.mktemp("models"), progress=lambda *report: reports.append(report))
    return StoredStudy(folder), reports


@pytest.fixture(scope="module")
def stored(ran):
    return ran[0]


def test_all_files_are_there_and_listed(stored):
    expected = {
        "mlp.keras",
        "mlp.tflite",
        "cnn.keras",
        "cnn.tflite",
        "knn.skops",
        store.FEATURES,
        store.PREDICTIONS,
    }
    assert set(stored.manifest["files"]) == expected | {"README.md"}
    for name, content in bytes_of(stored.folder).items():
        if name != store.MANIFEST:
            assert hashlib.sha256(content).hexdigest() == stored.manifest["files"][name]["sha256"]


def test_the_manifest_says_what_was_done(stored, data):
    manifest = stored.manifest
    assert manifest["study"] == stored.name == "kaggle-trial"
    assert (manifest["seed"], manifest["recordings"], manifest["people"]) == (0, N, N)
    assert list(manifest["models"]) == MODELS
    for name, model in manifest["models"].items():
        assert model["serve"] in manifest["files"] and model["serve"].startswith(name)
        assert model["input"] == CLASSIFIERS[name].input
        assert model["threshold"] == 0.5
    assert {name: model["epochs"] for name, model in manifest["models"].items()} == {
        "mlp": 1,
        "cnn": 1,
        "knn": None,
    }
    assert manifest["models"]["mlp"]["parameters"] == 186_369
    # No folder of the machine it ran on goes into what is published.
    for content in bytes_of(stored.folder).values():
        assert str(data).encode() not in content


def test_the_feature_table_has_every_recording_as_measured(stored, data):
    table = stored.features
    facts = ["container", "codec", "sample_rate", "channels", "bit_depth", "duration_s"]
    assert list(table.columns) == ["recording", "person", "label", "source", *facts, *features.NAMES]
    listed = datasets.load("kaggle-trial", data)
    for column in ("recording", "person", "label", "source"):
        assert table[column].tolist() == listed[column].tolist()
    assert (table["sample_rate"] == 16_000).all() and (table["codec"] == "pcm_16").all()
    for row in (0, N - 1):
        recording = audio.load(listed["path"][row])
        assert table["duration_s"][row] == recording.duration
        assert np.array_equal(
            table.loc[row, list(features.NAMES)].astype(np.float32), features.extract(recording)
        )


def test_the_predictions_table_has_every_row_of_every_model_and_split(stored, data):
    table = stored.predictions
    assert list(table.columns) == study.PREDICTION_COLUMNS
    assert len(table) == len(MODELS) * SPLITS * N
    assert not table.duplicated(["model", "split", "row"]).any()
    assert set(table["model"]) == set(MODELS) and set(table["split"]) == set(range(SPLITS))
    assert set(table["row"]) == set(range(N))
    assert (table[["study", "tested_on"]] == "kaggle-trial").all(axis=None)
    assert table["protocol"].unique().tolist() == ["published"]
    assert table["probability"].between(0, 1).all()
    assert (table["seed"] == 1 + table["split"]).all()
    listed = datasets.load("kaggle-trial", data)
    for column in ("recording", "person", "label"):
        assert table[column].tolist() == listed[column].iloc[table["row"]].tolist()


def test_every_model_has_the_same_role_for_a_row_of_a_split(stored):
    roles = stored.predictions.pivot(index=["split", "row"], columns="model", values="role")
    assert (roles.nunique(axis=1) == 1).all()
    for _, split in roles[MODELS[0]].groupby("split"):
        assert split.value_counts().to_dict() == {"train": 14, "test": 6}


def test_roles_are_true(stored):
    # A nearest neighbour that has been trained on a row is right about it.
    knn = stored.predictions[stored.predictions["model"] == "knn"]
    truth = (knn["label"] == "covid").astype(float)
    assert (knn["probability"] == truth)[knn["role"] == "train"].all()


def test_scores_rest_on_the_rows_tested(stored):
    scores = stored.scores.set_index("model")
    assert list(scores.index) == MODELS
    for model in MODELS:
        rows = stored.predictions.query("model == @model and role == 'test'")
        right = (rows["probability"] >= 0.5) == (rows["label"] == "covid")
        assert scores.loc[model, "accuracy"] == pytest.approx(right.groupby(rows["split"]).mean().mean())
        assert scores.loc[model, "accuracy_people"] == rows["person"].nunique()


def test_the_card_gives_the_scores(stored):
    card = stored.read("README.md").decode()
    assert "Not a medical device" in card
    assert f"{N} rows ({N_COVID} covid, {N_NOT} not_covid)" in card
    for row in stored.scores.to_dict("records"):
        title = CLASSIFIERS[row["model"]].title
        for score in SCORES:
            (line,) = [
                line
                for line in card.splitlines()
                if line.startswith(f"| {title} |") and f"| {score} |" in line
            ]
            for number in (row[score], row[f"{score}_low"], row[f"{score}_high"]):
                assert f"{number:.1%}" in line
            assert f"| {row[f'{score}_recordings']} recordings, {row[f'{score}_people']} people |" in line


def test_the_kept_models_answer(stored, data):
    table = datasets.load("kaggle-trial", data)
    predictor = Predictor(stored)
    for row in (0, N - 1):
        prediction = predictor.predict(audio.load(table["path"][row]))
        assert list(prediction.models) == MODELS
        assert all(0 <= answer.probability <= 1 for answer in prediction.models.values())
        # It was kept with all rows, this one among them.
        assert prediction.models["knn"].label == table["label"][row]


def test_progress_goes_forward_and_arrives(ran):
    reports = ran[1]
    stages = list(dict.fromkeys(stage for stage, *_ in reports))
    assert stages == ["Measuring recordings", *(f"Training {c.title}" for c in CLASSIFIERS.values())]
    assert [stage for stage, *_ in reports] == sorted((stage for stage, *_ in reports), key=stages.index)
    for stage, total in zip(stages, [N, *[SPLITS + 1] * len(MODELS)], strict=True):
        done = [done for name, done, _ in reports if name == stage]
        assert {total for name, _, total in reports if name == stage} == {total}
        assert done == sorted(done)
        assert done[-1] == total and done[0] <= total / 2


def test_the_seed_decides(stored, data, tmp_path):
    again = StoredStudy(run(data, tmp_path / "again"))
    assert again.read(store.PREDICTIONS) == stored.read(store.PREDICTIONS)
    assert again.read(store.FEATURES) == stored.read(store.FEATURES)
    other = StoredStudy(run(data, tmp_path / "other", seed=11))
    assert other.read(store.FEATURES) == stored.read(store.FEATURES)
    assert other.manifest["seed"] == 11
    assert (other.predictions["seed"] == 12 + other.predictions["split"]).all()
    for model in ("mlp", "cnn"):
        one, two = (s.predictions.groupby("model").get_group(model) for s in (stored, other))
        assert one["probability"].tolist() != two["probability"].tolist()
    assert other.predictions["role"].tolist() != stored.predictions["role"].tolist()


@pytest.fixture
def previous(stored, tmp_path):
    """A folder of studies with one in it, which a failing run must leave alone."""
    shutil.copytree(stored.folder, tmp_path / "models" / stored.name)
    return tmp_path / "models"


def assert_untouched(models, stored):
    assert [path.name for path in models.iterdir()] == [stored.name]
    assert bytes_of(models / stored.name) == bytes_of(stored.folder)


FIRST = "pos-0421-000-cough-m-50.wav"
UNUSABLE = {
    "not sound": b"this is no sound",
    "empty": b"",
    "silent": float_wav(np.zeros(16_000), 16_000),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_recording_that_cannot_be_used_stops_the_run_and_is_named(stored, previous, tmp_path, kind):
    bad = tiny_dataset(tmp_path)
    (bad / "trial_covid" / FIRST).write_bytes(UNUSABLE[kind])
    with pytest.raises(study.StudyError, match=f"^{FIRST}: (The|This) .*\\.$"):
        run(bad, previous)
    assert_untouched(previous, stored)


def test_a_missing_recording_stops_the_run_and_is_named(stored, previous, tmp_path):
    bad = tiny_dataset(tmp_path)
    (bad / "trial_covid" / FIRST).unlink()
    with pytest.raises(DatasetError, match=FIRST):
        run(bad, previous)
    assert_untouched(previous, stored)


def test_a_run_stopped_in_training_leaves_the_previous_study(stored, previous, data):
    def stop(stage, done, total):
        if stage.startswith("Training"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(data, previous, progress=stop)
    assert_untouched(previous, stored)


def test_too_few_recordings_of_a_class(tmp_path):
    folder = tiny_dataset(tmp_path)
    listed = folder / "cough_trial_extended.csv"
    lines = listed.read_text().splitlines()
    listed.write_text("\n".join([lines[0], *lines[1:4], *lines[1 + N_COVID :]]) + "\n")
    with pytest.raises(study.StudyError, match="fewer than 4 recordings of a class"):
        run(folder, tmp_path / "models")
    assert not (tmp_path / "models" / "kaggle-trial").exists()


def test_an_unknown_study(tmp_path):
    with pytest.raises(study.StudyError, match=r"no study called 'trial'. Known: kaggle-trial\."):
        study.run("trial", tmp_path)


def test_a_study_of_the_real_dataset(kaggle_trial, tmp_path):
    stored = StoredStudy(run(kaggle_trial, tmp_path))
    table, listed = stored.predictions, datasets.load("kaggle-trial", kaggle_trial)
    assert len(listed) == len(stored.features) == 170
    assert len(table) == 3 * 2 * 170
    assert np.isfinite(stored.features[list(features.NAMES)].to_numpy()).all()
    for _, rows in table.groupby(["model", "split"]):
        assert rows["row"].tolist() == list(range(170))
        assert rows["recording"].tolist() == listed["recording"].tolist()
        assert rows["label"].tolist() == listed["label"].tolist()
        assert rows.groupby("role")["label"].value_counts().to_dict() == {
            ("train", "not_covid"): 106,
            ("train", "covid"): 13,
            ("test", "not_covid"): 45,
            ("test", "covid"): 6,
        }
    assert json.loads((stored.folder / store.MANIFEST).read_text())["people"] == listed["person"].nunique()
    assert isinstance(stored.scores, pd.DataFrame) and len(stored.scores) == 3


def test_the_committed_features_are_what_the_code_measures(kaggle_trial):
    committed = StoredStudy(store.MODELS / "kaggle-trial").features
    measured = study.measure(datasets.load("kaggle-trial", kaggle_trial)).table
    pd.testing.assert_frame_equal(measured, committed, rtol=1e-6)


def test_the_committed_nearest_neighbour_predictions_are_what_the_code_predicts(kaggle_trial):
    committed = StoredStudy(store.MODELS / "kaggle-trial")
    rows = committed.predictions.query("model == 'knn'")
    X = committed.features[list(features.NAMES)].to_numpy()
    y = (committed.features["label"] == "covid").to_numpy()
    for _, split in rows.groupby("split"):
        train = split["role"].to_numpy() == "train"
        fitted = CLASSIFIERS["knn"].fit(X[train], y[train], seed=0)
        assert fitted.predict(X).tolist() == split["probability"].tolist()
