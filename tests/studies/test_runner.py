"""A study from end to end: on a small synthetic dataset, and on the real one where it is available."""

import dataclasses
import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from coughlab import audio, datasets
from coughlab.audio import synthetic
from coughlab.classifiers import CLASSIFIERS
from coughlab.classifiers.base import NotReadyError
from coughlab.classifiers.mlp import MLP
from coughlab.classifiers.runtime import LiteRT
from coughlab.evaluation import bootstrap
from coughlab.evaluation.metrics import SHARES
from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.features import acoustic
from coughlab.serving.predictors import Predictor
from coughlab.studies import definition, runner, store, training
from coughlab.studies.ledger import DifferentDataError
from coughlab.studies.store import StoredStudy, StoreError
from tests.files import bytes_of
from tests.recordings import float_wav, kaggle_trial_tree
from tests.tasks import COVID

N_COVID, N_NOT = 8, 12
N = N_COVID + N_NOT
SPLITS = 2
#: A network and a nearest neighbour, which are saved, and a model that is only evaluated.
MODELS = ["mlp", "knn", "tree"]
CHEAP = ["knn", "naive_bayes"]
FIRST, COPY = "pos-0421-000-cough-m-50.wav", "cov1.wav"
MEASURING = {"Listening to recordings", "Measuring recordings"}


def tiny_dataset(folder):
    """Short synthetic coughs with file names of the published layout."""
    names = [f"pos-0421-{k:03}-cough-m-50.wav" for k in range(N_COVID)]
    names += [f"AudioSet{k:03}_ 0.000_ 10.000.wav" for k in range(N_NOT)]
    samples = {
        name: synthetic.recording(onsets_s=(0.05,), duration_s=0.4 + 0.05 * (k % 6), rate=16_000, seed=k)
        for k, name in enumerate(names)
    }
    lines = [f"{name},{'covid' if name.startswith('pos') else 'not_covid'}" for name in names]
    listed = "\n".join(["file_properties,class", *lines]) + "\n"
    return kaggle_trial_tree(folder / "data", samples, listed=listed)


def run(data, folder, *models, n_splits=SPLITS, epochs=1, **options):
    """The stored study after a run; random splits by default."""
    protocols, again = options.pop("protocols", ["published"]), options.pop("again", False)
    selected = runner.Selection(models, protocols, n_splits, epochs, again)
    options = {"others": {}} | options
    return StoredStudy(runner.run("kaggle-trial", data, selected, folder=folder, **options))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_dataset(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def ran(data, tmp_path_factory):
    """A study of the tiny dataset, and its progress reports."""
    reports = []
    folder = tmp_path_factory.mktemp("models")
    return run(data, folder, *MODELS, progress=lambda *report: reports.append(report)), reports


@pytest.fixture(scope="module")
def stored(ran):
    return ran[0]


def test_all_files_are_there_and_listed(stored):
    expected = {
        "mlp.keras",
        "mlp.tflite",
        "knn.npz",
        store.FEATURES,
        store.PREDICTIONS,
        store.FITS,
        store.EVIDENCE,
        store.METRICS,
        store.SCORES,
        store.KNOWN,
        store.NOVELTY,
    }
    assert set(stored.manifest["files"]) == expected | {"README.md", definition.FILE}
    assert stored.read(definition.FILE) == (store.MODELS / "kaggle-trial" / definition.FILE).read_bytes()
    for name, content in bytes_of(stored.folder).items():
        if name != store.MANIFEST:
            assert hashlib.sha256(content).hexdigest() == stored.manifest["files"][name]["sha256"]


def test_the_manifest_says_what_was_done(stored, data):
    manifest = stored.manifest
    assert manifest["study"] == stored.name == "kaggle-trial"
    assert stored.definition == runner.defined_as("kaggle-trial")
    assert (stored.task, stored.main_model) == (COVID, "mlp")
    assert (manifest["seed"], manifest["recordings"], manifest["people"]) == (0, N, N)
    assert list(manifest["models"]) == MODELS
    for name, model in manifest["models"].items():
        assert model["input"] == CLASSIFIERS[name].input
        assert (model["threshold"], model["large"]) == (0.5, {})
        assert model["epochs"] == (1 if name == "mlp" else None)
        assert model["recipe"] == {"seed": 0, "epochs": model["epochs"]}
        assert model["kept"] == (model["recipe"] if name != "tree" else None)
    served = {"mlp": "mlp.tflite", "knn": "knn.npz", "tree": None}
    assert {name: model["serve"] for name, model in manifest["models"].items()} == served
    assert manifest["models"]["mlp"]["parameters"] == 186_369
    # The published files contain no path of the machine.
    for content in bytes_of(stored.folder).values():
        assert str(data).encode() not in content


def test_the_feature_table_has_every_recording_as_measured(stored, data):
    table = stored.features
    facts = ["container", "codec", "sample_rate", "channels", "bit_depth", "duration_s"]
    assert list(table.columns) == [
        "recording",
        "person",
        "label",
        "positive",
        "source",
        "audio",
        *facts,
        *acoustic.NAMES,
    ]
    listed = datasets.load("kaggle-trial", data).table
    for column in ("recording", "person", "label", "source"):
        assert table[column].tolist() == listed[column].tolist()
    assert table["positive"].tolist() == (listed["label"] == "covid").tolist()
    assert (table["sample_rate"] == 16_000).all() and (table["codec"] == "pcm_16").all()
    for row in (0, N - 1):
        recording = audio.load(listed["path"][row])
        assert table["duration_s"][row] == recording.duration
        assert np.array_equal(
            table.loc[row, list(acoustic.NAMES)].astype(np.float32), acoustic.extract(recording)
        )


def test_the_predictions_table_has_every_row_of_every_model_and_split(stored, data):
    table = stored.predictions
    assert list(table.columns) == training.PREDICTION_COLUMNS
    assert len(table) == len(MODELS) * SPLITS * N
    assert not table.duplicated(["model", "split", "row"]).any()
    assert set(table["model"]) == set(MODELS) and set(table["split"]) == set(range(SPLITS))
    assert set(table["row"]) == set(range(N))
    assert (table[["study", "tested_on"]] == "kaggle-trial").all(axis=None)
    assert table["protocol"].unique().tolist() == ["published"]
    assert table["probability"].between(0, 1).all()
    assert (table["seed"] == 1 + table["split"]).all()
    listed = datasets.load("kaggle-trial", data).table
    for column in ("recording", "person", "label"):
        assert table[column].tolist() == listed[column].iloc[table["row"]].tolist()
    assert table["positive"].tolist() == (listed["label"] == "covid").iloc[table["row"]].tolist()


def test_the_fits_table_has_a_row_a_fit(stored):
    fits = stored.fits
    each = [(model, split) for model in MODELS for split in range(SPLITS)]
    assert list(zip(fits["model"], fits["split"], strict=True)) == each
    assert (fits["study"] == "kaggle-trial").all() and (fits["protocol"] == "published").all()
    assert (fits["seed"] == 1 + fits["split"]).all()
    assert (fits["seconds"] > 0).all() and (fits["answer_ms"] > 0).all()
    of_network = fits["model"] == "mlp"
    assert fits.loc[of_network, "epochs"].tolist() == [1] * SPLITS
    assert fits.loc[~of_network, "epochs"].isna().all()
    assert set(fits.loc[of_network, "parameters"]) == {186_369}
    assert {fits[column].dtype.kind for column in ("split", "seed", "parameters")} == {"i"}


def test_every_model_has_the_same_role_for_a_row_of_a_split(stored):
    roles = stored.predictions.pivot(index=["split", "row"], columns="model", values="role")
    assert (roles.nunique(axis=1) == 1).all()
    for _, split in roles[MODELS[0]].groupby("split"):
        assert split.value_counts().to_dict() == {"train": 14, "test": 6}


def test_roles_are_true(stored):
    # A nearest neighbour classifies its training rows correctly.
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
        (line,) = [line for line in card.splitlines() if line.startswith(f"| {title} | published")]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[1] == f"published, {SPLITS} splits"
        assert cells[2:5] == [
            f"{row[score]:.1%} ({row[f'{score}_low']:.1%} to {row[f'{score}_high']:.1%})" for score in SHARES
        ]
        assert f"{row['accuracy_recordings']} recordings, {row['accuracy_people']} people" in cells


def test_the_kept_models_answer(stored, data):
    table = datasets.load("kaggle-trial", data).table
    predictor = Predictor(stored)
    for row in (0, N - 1):
        prediction = predictor.predict(audio.load(table["path"][row]), force=True)
        assert list(prediction.models) == ["mlp", "knn"]
        assert all(0 <= answer.probability <= 1 for answer in prediction.models.values())
        # The saved model was trained on all rows, including this one.
        assert prediction.models["knn"].label == table["label"][row]


def test_progress_goes_forward_and_arrives(ran):
    reports = ran[1]
    stages = list(dict.fromkeys(stage for stage, *_ in reports))
    assert stages == [
        "Listening to recordings",
        "Measuring recordings",
        *(f"Training {CLASSIFIERS[name].title}" for name in MODELS),
    ]
    assert [stage for stage, *_ in reports] == sorted((stage for stage, *_ in reports), key=stages.index)
    for stage, total in zip(stages, [N, N, SPLITS + 1, SPLITS + 1, SPLITS], strict=True):
        done = [done for name, done, _ in reports if name == stage]
        assert {total for name, _, total in reports if name == stage} == {total}
        assert done == sorted(done)
        assert done[-1] == total and done[0] <= total / 2


def recorded_stages():
    """A list of stages, and the callback that fills it."""
    stages = []
    return stages, lambda stage, done, total: stages.append(stage)


def test_the_seed_decides(stored, data, tmp_path):
    again = run(data, tmp_path / "again", "mlp", "tree")
    for model in ("mlp", "tree"):
        pd.testing.assert_frame_equal(rows(again, model), rows(stored, model))
    assert again.read(store.FEATURES) == stored.read(store.FEATURES)
    other = run(data, tmp_path / "other", "mlp", "tree", n_splits=1, seed=11)
    assert other.read(store.FEATURES) == stored.read(store.FEATURES)
    assert other.manifest["seed"] == 11
    assert (other.predictions["seed"] == 12 + other.predictions["split"]).all()
    assert rows(other, "mlp")["probability"].tolist() != rows(stored, "mlp")["probability"][:N].tolist()
    assert rows(other, "tree")["role"].tolist() != rows(stored, "tree")["role"][:N].tolist()


def rows(stored, model):
    """The rows of a model in the stored predictions table."""
    table = stored.table(store.PREDICTIONS)
    return table[table["model"] == model].reset_index(drop=True)


# Adding to a study


@pytest.fixture(scope="module")
def cheap(data, tmp_path_factory):
    """A study with models that train very fast."""
    return run(data, tmp_path_factory.mktemp("cheap"), *CHEAP)


@pytest.fixture
def growing(cheap, tmp_path):
    """The folder of a copy to which results are added."""
    shutil.copytree(cheap.folder, tmp_path / "models" / cheap.name)
    return tmp_path / "models"


def assert_untouched(models, stored):
    assert [path.name for path in models.iterdir()] == [stored.name]
    assert bytes_of(models / stored.name) == bytes_of(stored.folder)


def test_a_model_that_is_added_changes_no_row_of_the_others(cheap, growing, data):
    stages, progress = recorded_stages()
    grown = run(data, growing, "tree", progress=progress)
    assert set(stages) == {*MEASURING, "Training Decision tree"}
    assert list(grown.models) == [*CHEAP, "tree"]
    for model in CHEAP:
        pd.testing.assert_frame_equal(rows(grown, model), rows(cheap, model), check_exact=True)
        assert grown.models[model] == cheap.models[model]
        fits = [s.fits[s.fits["model"] == model].reset_index(drop=True) for s in (grown, cheap)]
        pd.testing.assert_frame_equal(*fits, check_exact=True)
    assert grown.read("knn.npz") == cheap.read("knn.npz")
    assert grown.read(store.FEATURES) == cheap.read(store.FEATURES)


def test_a_run_that_finds_everything_done_trains_nothing_and_writes_nothing(cheap, growing, data):
    stages, progress = recorded_stages()
    run(data, growing, *CHEAP, progress=progress)
    assert set(stages) == MEASURING
    assert_untouched(growing, cheap)


def test_a_run_with_fewer_splits_removes_nothing(cheap, growing, data):
    run(data, growing, *CHEAP, n_splits=1)
    assert_untouched(growing, cheap)


def test_the_order_of_the_runs_does_not_matter(cheap, data, tmp_path):
    for model in reversed(CHEAP):
        for n_splits in (1, SPLITS):
            last = run(data, tmp_path, model, n_splits=n_splits)
    assert last.read(store.PREDICTIONS) == cheap.read(store.PREDICTIONS)
    assert last.models == cheap.models and list(last.models) == CHEAP


def test_more_splits_leave_the_first_as_they_are(data, tmp_path):
    five = run(data, tmp_path, "naive_bayes", n_splits=5)
    rows_of_five, fits_of_five = rows(five, "naive_bayes"), five.fits
    stages, progress = recorded_stages()
    more = run(data, tmp_path, "naive_bayes", n_splits=200, progress=progress)
    assert stages.count("Training Naive Bayes") == 195
    assert more.fits["split"].tolist() == list(range(200))
    first = rows(more, "naive_bayes").query("split < 5").reset_index(drop=True)
    pd.testing.assert_frame_equal(first, rows_of_five, check_exact=True)
    pd.testing.assert_frame_equal(more.fits[:5], fits_of_five, check_exact=True)
    at_once = run(data, tmp_path / "at once", "naive_bayes", n_splits=200)
    assert at_once.read(store.PREDICTIONS) == more.read(store.PREDICTIONS)


class Stopped:
    """Progress that raises KeyboardInterrupt at the n-th report of the training of a model."""

    def __init__(self, title, n):
        self.title, self.left = title, n

    def __call__(self, stage, done, total):
        if stage == f"Training {self.title}":
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt


def stopped(data, folder, *models, title, n, **options):
    """The stored study after an interrupted run."""
    with pytest.raises(KeyboardInterrupt):
        run(data, folder, *models, progress=Stopped(title, n), **options)
    return StoredStudy(folder / "kaggle-trial")


def test_a_run_stopped_within_a_model_keeps_its_splits_and_continues_there(data, tmp_path):
    models = ("naive_bayes", "tree", "random")
    whole = run(data, tmp_path / "whole", *models, n_splits=6)
    part = stopped(data, tmp_path / "part", *models, n_splits=6, title="Decision tree", n=4)
    assert list(part.models) == ["naive_bayes", "tree"]
    assert part.fits["model"].value_counts().to_dict() == {"naive_bayes": 6, "tree": 3}
    of_tree = rows(whole, "tree").query("split < 3").reset_index(drop=True)
    pd.testing.assert_frame_equal(rows(part, "tree"), of_tree, check_exact=True)
    stages, progress = recorded_stages()
    rest = run(data, tmp_path / "part", *models, n_splits=6, progress=progress)
    trained = {stage: stages.count(stage) for stage in stages if stage.startswith("Training")}
    assert trained == {"Training Decision tree": 3, "Training Random baseline": 6}
    assert rest.read(store.PREDICTIONS) == whole.read(store.PREDICTIONS)
    assert rest.models == whole.models
    columns = ["study", "protocol", "model", "split", "seed", "epochs", "parameters"]
    pd.testing.assert_frame_equal(rest.fits[columns], whole.fits[columns])


def test_a_run_stopped_before_the_final_fit_makes_only_that_fit_later(cheap, data, tmp_path):
    # Two splits, then the fit on all rows.
    part = stopped(data, tmp_path, "knn", title="Nearest neighbour", n=3)
    assert part.models["knn"]["serve"] is None and part.served == {}
    assert part.fits["split"].tolist() == [0, 1]
    stages, progress = recorded_stages()
    rest = run(data, tmp_path, "knn", progress=progress)
    assert stages.count("Training Nearest neighbour") == 1
    assert rest.models["knn"] == cheap.models["knn"]
    assert list(rest.served) == ["knn"]
    pd.testing.assert_frame_equal(rows(rest, "knn"), rows(cheap, "knn"))


def test_a_study_without_its_main_model_yet_is_reported(data, tmp_path):
    # The first split has one epoch, so the second report is from the second split.
    part = stopped(data, tmp_path, "mlp", title="MLP", n=2)
    assert list(part.models) == ["mlp"] and len(part.fits) == 1
    with pytest.raises(StoreError, match="lacks its main model, mlp"):
        Predictor(part)


def test_a_run_stopped_before_its_first_split_is_done_leaves_the_study(cheap, growing, data):
    stopped(data, growing, "tree", title="Decision tree", n=1)
    assert_untouched(growing, cheap)


def test_a_first_run_stopped_before_its_first_split_is_done_leaves_nothing(data, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "models", "tree", progress=Stopped("Decision tree", 1))
    assert not (tmp_path / "models").exists()


def test_again_replaces_a_model_and_no_other(cheap, growing, data):
    stages, progress = recorded_stages()
    again = run(data, growing, "knn", again=True, progress=progress)
    assert stages.count("Training Nearest neighbour") == SPLITS + 1
    assert again.read(store.PREDICTIONS) == cheap.read(store.PREDICTIONS)
    seconds = [stored.fits.set_index(["model", "split"])["seconds"] for stored in (cheap, again)]
    renewed = (seconds[0] != seconds[1]).groupby("model").all()
    assert renewed.to_dict() == {"knn": True, "naive_bayes": False}
    fewer = run(data, growing, "knn", n_splits=1, again=True)
    assert fewer.fits["model"].value_counts().to_dict() == {"naive_bayes": SPLITS, "knn": 1}
    assert len(rows(fewer, "knn")) == N


def test_an_interrupted_run_with_again_is_completed_by_the_next_run(cheap, growing, data):
    part = stopped(data, growing, "knn", title="Nearest neighbour", n=2, again=True)
    assert part.fits["model"].value_counts().to_dict() == {"naive_bayes": SPLITS, "knn": 1}
    # Until then the earlier saved model answers.
    assert list(part.served) == ["knn"]
    stages, progress = recorded_stages()
    rest = run(data, growing, "knn", progress=progress)
    assert stages.count("Training Nearest neighbour") == SPLITS
    assert rest.models == cheap.models
    assert rest.read(store.PREDICTIONS) == cheap.read(store.PREDICTIONS)


def test_other_epochs_train_a_network_again(stored, data, tmp_path):
    shutil.copytree(stored.folder, tmp_path / stored.name)
    stages, progress = recorded_stages()
    other = run(data, tmp_path, *MODELS, n_splits=1, epochs=2, progress=progress)
    assert {stage for stage in stages if stage.startswith("Training")} == {"Training MLP"}
    assert other.models["mlp"]["epochs"] == 2
    fits = other.fits[other.fits["model"] == "mlp"]
    assert (fits["split"].tolist(), fits["epochs"].tolist()) == ([0], [2])
    assert len(rows(other, "mlp")) == N
    before = rows(stored, "mlp").query("split == 0")["probability"].tolist()
    assert rows(other, "mlp")["probability"].tolist() != before
    assert other.read("mlp.tflite") != stored.read("mlp.tflite")
    for model in ("knn", "tree"):
        pd.testing.assert_frame_equal(rows(other, model), rows(stored, model), check_exact=True)


def other_dataset(folder):
    """The tiny dataset with another sound in one file."""
    data = tiny_dataset(folder)
    shutil.copy(data / "trial_covid" / "AudioSet000_ 0.000_ 10.000.wav", data / "trial_covid" / FIRST)
    return data


@pytest.mark.parametrize("what", ["recordings", "seed"])
def test_a_subset_is_not_added_to_a_study_of_another_kind(cheap, growing, data, tmp_path, what):
    data, seed = (data, 1) if what == "seed" else (other_dataset(tmp_path), 0)
    for again in (False, True):
        with pytest.raises(DifferentDataError, match="Train all its models again, or choose another folder"):
            run(data, growing, "tree", seed=seed, again=again)
    assert_untouched(growing, cheap)


def only_cheap(folder):
    """A folder of studies whose definition has only classifiers that train very fast."""
    committed = (store.MODELS / "kaggle-trial" / definition.FILE).read_text()
    others = [name for name in CLASSIFIERS if name not in CHEAP]
    (folder / "kaggle-trial").mkdir(parents=True, exist_ok=True)
    (folder / "kaggle-trial" / definition.FILE).write_text(
        committed.replace('main_model = "mlp"', f'main_model = "knn"\nwithout = {json.dumps(others)}')
    )
    return folder


@pytest.mark.parametrize("what", ["recordings", "seed"])
def test_all_models_replace_a_study_of_another_kind(cheap, growing, data, tmp_path, what):
    data, seed = (data, 1) if what == "seed" else (other_dataset(tmp_path), 0)
    replaced, fresh = (
        run(data, only_cheap(to), *CHEAP, n_splits=1, seed=seed) for to in (growing, tmp_path / "fresh")
    )
    assert list(replaced.models) == CHEAP
    assert replaced.fits["split"].tolist() == [0, 0]
    for name in (store.PREDICTIONS, store.FEATURES):
        assert replaced.read(name) == fresh.read(name)
    assert replaced.models == fresh.models and list(replaced.served) == ["knn"]
    assert replaced.read(store.PREDICTIONS) != cheap.read(store.PREDICTIONS)


def test_a_damaged_study_is_replaced_only_when_all_of_it_is_made_again(growing, data):
    only_cheap(growing)
    (growing / "kaggle-trial" / store.FEATURES).write_bytes(b"damaged")
    for models, again in ((CHEAP, False), (["knn"], True)):
        with pytest.raises(StoreError, match=r"features\.parquet was changed"):
            run(data, growing, *models, n_splits=1, again=again)
    assert run(data, growing, *CHEAP, n_splits=1, again=True).fits["split"].tolist() == [0, 0]


def test_two_runs_at_once_lose_nothing(data, tmp_path):
    models = ["naive_bayes", "tree"]
    alone = run(data, tmp_path / "alone", *models, n_splits=20)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda model: run(data, tmp_path / "both", model, n_splits=20), models))
    both = StoredStudy(tmp_path / "both" / "kaggle-trial")
    assert both.read(store.PREDICTIONS) == alone.read(store.PREDICTIONS)
    assert both.models == alone.models and len(both.fits) == 40


# A large model


def large_mlp(*args, **options):
    return dataclasses.replace(MLP.fit(*args, **options), name="big")


@pytest.fixture(scope="module")
def with_large(data, tmp_path_factory):
    """A folder of studies, one of them with a network that is too large for its folder."""
    folder = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch:
        big = dataclasses.replace(MLP, name="big", title="Big", fit=large_mlp, large=True)
        patch.setitem(CLASSIFIERS, "big", big)
        run(data, folder, "big", "knn", n_splits=1)
        # A second run finds everything done, including the large files.
        before = bytes_of(folder)
        run(data, folder, "big", "knn", n_splits=1)
        assert bytes_of(folder) == before
    return folder


def test_a_large_model_is_stored_beside_the_studies(with_large, data):
    stored = StoredStudy(with_large / "kaggle-trial")
    place = with_large / "large" / "kaggle-trial"
    assert {path.name for path in place.iterdir()} == {"big.keras", "big.tflite"}
    assert not any(name.startswith("big") for name in stored.manifest["files"])
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in place.iterdir()}
    assert stored.models["big"]["large"] == hashes
    assert list(stored.served) == ["knn", "big"]
    answer = LiteRT(stored.served["big"])
    recording = audio.load(datasets.load("kaggle-trial", data).table["path"][0])
    assert 0 <= answer(acoustic.extract(recording)) <= 1


def test_results_can_be_added_to_a_study_without_its_large_files(with_large, data, tmp_path):
    shutil.copytree(with_large / "kaggle-trial", tmp_path / "kaggle-trial")
    grown = run(data, tmp_path, "tree", n_splits=1)
    before = StoredStudy(with_large / "kaggle-trial")
    assert grown.models["big"] == before.models["big"]
    pd.testing.assert_frame_equal(rows(grown, "big"), rows(before, "big"), check_exact=True)
    assert list(grown.served) == ["knn"]


# Files that this machine lacks


@pytest.mark.parametrize("models", [["cnn2"], ["knn", "cnn1"]])
def test_networks_on_vgg16_without_its_weights_change_nothing(cheap, growing, data, monkeypatch, models):
    monkeypatch.setenv("COUGHLAB_VGG16", str(growing / "absent.h5"))
    stages, progress = recorded_stages()
    with pytest.raises(NotReadyError, match=r"absent\.h5.* COUGHLAB_VGG16 .* download"):
        run(data, growing, *models, n_splits=3, progress=progress)
    assert_untouched(growing, cheap)
    # The error comes before any other work.
    assert stages == []


# The search


def searched(data, folder, n_trials, **options):
    trials = runner.search_pipelines("kaggle-trial", data, folder=folder, n_trials=n_trials, **options)
    stored = StoredStudy(folder / "kaggle-trial")
    pd.testing.assert_frame_equal(stored.trials, trials)
    return stored


def without_times(trials):
    return trials.drop(columns="seconds")


@pytest.fixture(scope="module")
def four_trials(cheap, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched")
    shutil.copytree(cheap.folder, folder / cheap.name)
    return searched(data, folder, 4)


def test_a_search_saves_its_trials_and_changes_nothing_else(cheap, four_trials):
    trials = four_trials.trials
    assert trials["trial"].tolist() == [0, 1, 2, 3]
    # On the training rows of the first split, with the seed of its fit.
    train = rows(cheap, "knn").query("split == 0 and role == 'train'")
    assert set(trials["recordings"]) == {len(train)}
    assert set(trials["positives"]) == {(train["label"] == "covid").sum()}
    assert set(trials["seed"]) == set(train["seed"])
    assert four_trials.models == cheap.models
    for name in (store.PREDICTIONS, store.FITS, store.FEATURES, "knn.npz"):
        assert four_trials.read(name) == cheap.read(name)


def test_an_interrupted_search_continues_to_the_same_result(four_trials, growing, data):
    def stop(stage, done, total):
        if stage == "Searching" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        searched(data, growing, 4, progress=stop)
    part = StoredStudy(growing / "kaggle-trial").trials
    assert len(part) == 2
    reports = []
    rest = searched(data, growing, 4, progress=lambda *report: reports.append(report))
    assert [report for report in reports if report[0] == "Searching"] == [
        ("Searching", 3, 4),
        ("Searching", 4, 4),
    ]
    pd.testing.assert_frame_equal(rest.trials[:2], part)
    pd.testing.assert_frame_equal(without_times(rest.trials), without_times(four_trials.trials))


def test_trials_are_kept_by_later_runs_and_shorter_searches(four_trials, data, tmp_path):
    shutil.copytree(four_trials.folder, tmp_path / "kaggle-trial")
    grown = run(data, tmp_path, "tree")
    assert "tree" in grown.models
    pd.testing.assert_frame_equal(grown.trials, four_trials.trials)
    assert len(searched(data, tmp_path, 1).trials) == 4
    assert len(searched(data, tmp_path, 1, again=True).trials) == 1


def test_a_search_needs_a_study_of_the_same_kind(cheap, growing, data, tmp_path):
    with pytest.raises(
        runner.StudyError, match=r"There is no study kaggle-trial in .*\. Train a model first"
    ):
        searched(data, tmp_path / "none", 1)
    assert not (tmp_path / "none").exists()
    with pytest.raises(DifferentDataError):
        searched(data, growing, 1, seed=1)
    with pytest.raises(runner.StudyError, match="no study called 'trial'"):
        runner.search_pipelines("trial", data, folder=growing, n_trials=1)
    assert_untouched(growing, cheap)


# What a run refuses


UNUSABLE = {
    "not sound": b"this is no sound",
    "empty": b"",
    "silent": float_wav(np.zeros(16_000), 16_000),
}


@pytest.mark.parametrize("kind", [*UNUSABLE, "missing"])
def test_a_recording_that_cannot_be_used_is_left_out_and_counted(tmp_path, kind):
    bad = tiny_dataset(tmp_path)
    if kind == "missing":
        (bad / "trial_covid" / FIRST).unlink()
    else:
        (bad / "trial_covid" / FIRST).write_bytes(UNUSABLE[kind])
    stored = run(bad, tmp_path / "models", "naive_bayes", n_splits=1)
    assert (stored.manifest["recordings"], stored.manifest["left_out"]) == (N - 1, 1)
    assert FIRST not in set(stored.features["recording"])
    assert "1 listed row has no recording that can be decoded" in stored.read("README.md").decode()


@pytest.mark.parametrize(
    ("labels", "trained", "tested", "message"),
    [
        # Other words for both classes would all count as the negative one.
        (["positive", "negative"], False, False, "no label “covid”, but “negative”, “positive”"),
        (
            ["0", "1"],
            False,
            False,
            "no label “covid”, but “0”, “1”.*labels “0” and “1” mean what their header “test_result”",
        ),
        (["not_covid", "asthma"], False, False, "no label “covid”, but “asthma”, “not_covid”"),
        (["covid", "covid mild", "not_covid"], False, False, "besides the label “covid” also “covid mild”"),
        (["not_covid"], False, True, "no label “covid”, but “not_covid”"),
        (["covid", "asthma", "healthy"], True, True, ""),
        (["COVID-19", "healthy"], True, True, ""),
    ],
)
def test_a_dataset_with_other_labels_than_the_task_is_refused(tmp_path, labels, trained, tested, message):
    lines = [f"{k}.wav,{label}" for k, label in enumerate(labels)]
    (tmp_path / "list.csv").write_text("\n".join(["file,test_result", *lines]))
    (tmp_path / "0.wav").touch()
    for as_trained, accepted in ((True, trained), (False, tested)):
        if accepted:
            runner.load_dataset("own", tmp_path, COVID, trained=as_trained)
        else:
            with pytest.raises(runner.StudyError, match=message):
                runner.load_dataset("own", tmp_path, COVID, trained=as_trained)


def test_test_datasets_are_found_by_their_names(tmp_path, monkeypatch):
    first, *rest = runner.defined_as("kaggle-trial", store.MODELS).external
    monkeypatch.setenv("COUGHLAB_DATA", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    for root in (None, elsewhere):
        assert runner.find_others("kaggle-trial", root) == dict.fromkeys([first, *rest])
        folder = (root or tmp_path) / first
        folder.mkdir(parents=True)
        assert runner.find_others("kaggle-trial", root) == {first: folder} | dict.fromkeys(rest)
    with pytest.raises(runner.StudyError, match="no study"):
        runner.find_others("nothing", elsewhere)


def test_labels_are_checked_before_anything_is_measured(tmp_path):
    data, other = tiny_dataset(tmp_path), tmp_path / "other"
    other.mkdir()
    (other / "list.csv").write_text("file,result\na.wav,positive\nb.wav,negative\n")
    (other / "a.wav").touch()
    stages = []
    with pytest.raises(runner.StudyError, match="The dataset other has no label “covid”"):
        run(
            data,
            tmp_path / "models",
            "knn",
            others={"other": other},
            progress=lambda *one: stages.append(one),
        )
    assert not stages


def test_too_few_recordings_of_a_class(tmp_path):
    folder = tiny_dataset(tmp_path)
    listed = folder / "cough_trial_extended.csv"
    lines = listed.read_text().splitlines()
    listed.write_text("\n".join([lines[0], *lines[1:4], *lines[1 + N_COVID :]]) + "\n")
    with pytest.raises(runner.StudyError, match="fewer than 4 recordings of a class"):
        run(folder, tmp_path / "models", *CHEAP)
    assert not (tmp_path / "models" / "kaggle-trial").exists()


def test_an_unknown_study(tmp_path):
    with pytest.raises(
        runner.StudyError, match=r"no study called 'trial'. Known: covid19-cough, kaggle-trial\."
    ):
        runner.run("trial", tmp_path)


def test_an_unknown_model(data, tmp_path):
    with pytest.raises(runner.StudyError, match=r"no model called svm, Knn\. Known: mlp, cnn, .*random\."):
        run(data, tmp_path / "models", "knn", "svm", "Knn")
    assert not (tmp_path / "models").exists()


def test_an_unknown_protocol(data, tmp_path):
    with pytest.raises(
        runner.StudyError, match=r"no protocol called random\. Known: published, deduplicated, "
    ):
        run(data, tmp_path / "models", "knn", protocols=["random"])


# Stricter protocols, and other datasets


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A study with every protocol, of a dataset with a copy under another name and a file with the coughs of two people."""
    folder = tmp_path_factory.mktemp("strict")
    data = tiny_dataset(folder)
    (data / "trial_covid" / COPY).write_bytes((data / "trial_covid" / FIRST).read_bytes())
    with (data / "cough_trial_extended.csv").open("a") as file:
        file.write(f"{COPY},covid\n{FIRST},covid\n")
    other = tiny_dataset(folder / "other")
    options = {"protocols": None, "others": {"coswara-sample": other, "covid19-cough": None}}
    return run(data, folder / "models", "knn", "shortcut", n_splits=3, **options)


def test_copies_are_numbered_and_their_people_are_joined(strict):
    table = strict.features
    assert table["audio"].nunique() == N
    copies = table[table["audio"] == table["audio"][0]]
    assert copies["recording"].tolist() == [FIRST, COPY, FIRST]
    assert copies["person"].nunique() == 1


def test_stricter_protocols_test_each_audio_once_and_share_no_person(strict):
    table, people = strict.predictions, strict.features["person"].to_numpy()
    assert set(table["protocol"]) == {"published", "deduplicated", "person-disjoint", "external"}
    for protocol in ("deduplicated", "person-disjoint"):
        rows = table[(table["protocol"] == protocol) & (table["model"] == "knn")]
        assert set(rows["role"]) == {"test"} and rows["split"].nunique() == 3
        for _, split in rows.groupby("split"):
            assert not split["row"].isin([N, N + 1]).any()
            assert len(split) == 6
    # No person of a test row may be among the training rows.
    own = PROTOCOLS["person-disjoint"].split(strict.features, n_splits=3, seed=0)
    for train, test in own:
        assert not set(people[train]) & set(people[test])


def test_the_model_that_answers_is_the_one_tested_on_the_other_dataset(strict):
    rows = strict.predictions.query("protocol == 'external' and model == 'knn'")
    assert (set(rows["tested_on"]), set(rows["split"]), set(rows["role"])) == (
        {"coswara-sample"},
        {0},
        {"test"},
    )
    answer = CLASSIFIERS["knn"].load(strict.served["knn"])
    # The other dataset has the same sounds, so its features are known.
    features_of = strict.features.drop_duplicates("recording").set_index("recording")[list(acoustic.NAMES)]
    for row in rows.to_dict("records"):
        assert answer(features_of.loc[row["recording"]].to_numpy(np.float32)) == row["probability"]


def test_the_evidence_is_that_of_the_predictions(strict):
    expected = bootstrap.table(strict.table(store.PREDICTIONS), strict.thresholds)
    pd.testing.assert_frame_equal(strict.evidence, expected)
    assert set(strict.evidence["model"]) == {"knn", "shortcut"}


def test_another_dataset_is_added_without_a_new_split(strict, tmp_path):
    shutil.copytree(strict.folder, tmp_path / strict.name)
    data = strict.folder.parent.parent / "data"
    options = {"protocols": None, "n_splits": 3}
    stages, progress = recorded_stages()
    others = {"second-sample": strict.folder.parent.parent / "other" / "data"}
    grown = run(data, tmp_path, "knn", others=others, progress=progress, **options)
    assert stages.count("Training Nearest neighbour") == 1
    tested = grown.predictions.query("protocol == 'external' and model == 'knn'")
    assert set(tested["tested_on"]) == {"coswara-sample", "second-sample"}
    pd.testing.assert_frame_equal(rows(grown, "shortcut"), rows(strict, "shortcut"), check_exact=True)


@pytest.fixture(scope="module")
def real(kaggle_trial, tmp_path_factory):
    """A study of the real dataset."""
    return run(kaggle_trial, tmp_path_factory.mktemp("real"), "mlp", "knn", n_splits=1)


def test_a_study_of_the_real_dataset(real, kaggle_trial):
    table, listed = real.predictions, datasets.load("kaggle-trial", kaggle_trial).table
    assert len(listed) == len(real.features) == 170
    assert len(table) == 2 * 170
    assert np.isfinite(real.features[list(acoustic.NAMES)].to_numpy()).all()
    for _, rows in table.groupby("model"):
        assert rows["row"].tolist() == list(range(170))
        assert rows["recording"].tolist() == listed["recording"].tolist()
        assert rows["label"].tolist() == listed["label"].tolist()
        assert rows.groupby("role")["label"].value_counts().to_dict() == {
            ("train", "not_covid"): 106,
            ("train", "covid"): 13,
            ("test", "not_covid"): 45,
            ("test", "covid"): 6,
        }
    people = json.loads((real.folder / store.MANIFEST).read_text())["people"]
    # Two files of unknown origin are copies of recordings of known people.
    assert people == listed["person"].nunique() - 2
    assert isinstance(real.scores, pd.DataFrame) and len(real.scores) == 2


def test_the_committed_features_are_what_the_code_measures(real):
    committed = StoredStudy(store.MODELS / "kaggle-trial").features
    pd.testing.assert_frame_equal(real.features, committed, rtol=1e-6)


def test_the_committed_nearest_neighbour_predictions_are_what_the_code_predicts(kaggle_trial):
    committed = StoredStudy(store.MODELS / "kaggle-trial")
    rows = committed.predictions.query("model == 'knn' and protocol == 'published'")
    X = committed.features[list(acoustic.NAMES)].to_numpy()
    y = (committed.features["label"] == "covid").to_numpy()
    for _, split in rows.groupby("split"):
        train = split["role"].to_numpy() == "train"
        fitted = CLASSIFIERS["knn"].fit(X[train], y[train], seed=0)
        assert fitted.predict(X).tolist() == split["probability"].tolist()
