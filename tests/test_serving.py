"""Answering: without tensorflow, the same as Keras, the same from every thread."""

import io
import json
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from coughlab import audio, serving, synthetic
from coughlab.classifiers import neural
from coughlab.classifiers.runtime import LiteRT
from coughlab.signal.features import NAMES
from coughlab.signal.inputs import INPUTS
from coughlab.store import MODELS, StoredStudy, StoreError
from tests.recordings import recorded
from tests.studies import with_large


def recordings():
    for seconds in (0.3, 2.0, 9.0):
        y = synthetic.recording(onsets_s=np.arange(0.1, seconds, 0.8), duration_s=seconds, seed=int(seconds))
        buffer = io.BytesIO()
        soundfile.write(buffer, y, synthetic.RATE, format="WAV")
        yield audio.load(buffer.getvalue())


def test_a_fresh_process_answers_without_tensorflow():
    program = """
import sys
from coughlab import audio, serving, synthetic
predictor = serving.default()
prediction = predictor.predict(audio.load(synthetic.sample()), also=predictor.slow)
assert set(prediction.models) == {"mlp", "cnn", "knn", *predictor.slow}
heavy = {"tensorflow", "keras", "librosa", "streamlit"} & set(sys.modules)
print(sorted(heavy))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_litert_and_keras_agree_on_the_committed_study(name, tmp_path):
    study = StoredStudy(MODELS / "kaggle-trial")
    path = tmp_path / f"{name}.keras"
    path.write_bytes(study.read(path.name))
    model = neural.keras().models.load_model(path)
    served = LiteRT(study.read(f"{name}.tflite"))
    kind = study.models[name]["input"]
    inputs = [INPUTS[kind](recording) for recording in recordings()]
    if kind == "features":
        inputs += list(study.features[list(NAMES)].to_numpy(dtype=np.float32))
    for x in inputs:
        assert served(x) == pytest.approx(float(model(x[None], training=False)[0, 0]), abs=1e-5)


def test_the_committed_mlp_has_the_parameters_of_the_case_study():
    assert StoredStudy(MODELS / "kaggle-trial").models["mlp"]["parameters"] == 186_369


def test_nothing_that_is_loaded_is_a_pickle():
    for path in (MODELS / "kaggle-trial").iterdir():
        data = path.read_bytes()
        assert path.suffix not in (".pkl", ".pickle", ".joblib")
        if path.suffix == ".skops":
            assert {name.rpartition(".")[2] for name in zipfile.ZipFile(io.BytesIO(data)).namelist()} <= {
                "json",
                "npy",
            }


def test_threads_get_the_answer_each_would_get_alone():
    predictor = serving.Predictor()
    several = list(recordings()) * 8
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predictor.predict, several))
    alone = [serving.Predictor().predict(recording) for recording in several[:3]] * 8
    assert [p.to_dict() for p in together] == [p.to_dict() for p in alone]


def test_the_top_label_is_the_mlp_s():
    answer = serving.default().predict(audio.load(synthetic.sample())).to_dict()
    mlp = answer["models"]["mlp"]
    assert (answer["model"], answer["label"], answer["probability"]) == (
        "mlp",
        mlp["label"],
        mlp["probability"],
    )


def test_far_from_the_training_data_there_is_no_basis_to_answer():
    t = np.arange(3 * 48_000) / 48_000
    prediction = serving.default().predict(recorded(0.3 * np.sin(2 * np.pi * 4000 * t)))
    assert prediction.novelty.code == "far" and prediction.novelty.p < 0.02
    for block in prediction.evidence.values():
        assert block["verdict"] == "no_basis" and block["likelihood_ratio"] is None
    assert serving.default().predict(sample()).novelty.code != "far"


def test_a_study_without_evidence_says_that_its_models_are_untested():
    study = StoredStudy(MODELS / "kaggle-trial")
    study.evidence = study.evidence.iloc[:0]
    answer = json.loads(serving.Predictor(study).predict(sample()).to_json())
    for model in answer["models"].values():
        assert model["evidence"]["verdict"] == "untested" and model["evidence"]["auc"] is None
    assert answer["evidence"] == answer["models"]["mlp"]["evidence"]


def sample():
    return audio.load(synthetic.sample())


def test_models_that_are_only_measured_do_not_answer():
    predictor = serving.default()
    assert predictor.names == ["mlp", "cnn", "knn"]
    assert set(predictor.names) < set(predictor.study.models)
    assert list(predictor.predict(sample()).models) == predictor.names


@pytest.fixture
def large(tmp_path):
    """A large file, and the study it belongs to."""
    path = with_large(tmp_path)
    return path, StoredStudy(tmp_path / "kaggle-trial")


def test_a_large_model_answers_when_it_is_asked(large):
    predictor = serving.Predictor(large[1])
    assert (predictor.names, predictor.slow) == (["mlp", "cnn", "knn"], ["big"])
    assert list(predictor.predict(sample()).models) == ["mlp", "cnn", "knn"]
    for also in (["big"], ("big",), iter(["big", "big"])):
        models = predictor.predict(sample(), also=also).models
        assert list(models) == ["mlp", "cnn", "knn", "big"]
        # It is the small network in disguise.
        assert models["big"] == models["cnn"]


def test_a_large_model_is_not_loaded_before_it_is_asked(large):
    path, study = large
    predictor = serving.Predictor(study)
    predictor.warm_up()
    assert predictor.slow == ["big"]
    path.unlink()
    predictor.predict(sample())
    with pytest.raises(ValueError, match=r"big\.tflite"):
        predictor.predict(sample(), also=["big"])


@pytest.mark.parametrize("how", ["absent", "of another fit"])
def test_without_its_large_file_a_study_answers_with_the_others(large, how):
    path, study = large
    path.unlink() if how == "absent" else path.write_bytes(study.read("mlp.tflite"))
    predictor = serving.Predictor(study)
    assert (predictor.names, predictor.slow) == (["mlp", "cnn", "knn"], [])
    assert list(predictor.predict(sample()).models) == ["mlp", "cnn", "knn"]
    with pytest.raises(serving.UnknownModelError, match=r"no model big .* There is: none on this machine"):
        predictor.predict(sample(), also=["big"])


@pytest.mark.parametrize("also", [["svm"], ["mlp"], ["tree"], ["big", "svm"], [""]])
def test_a_model_that_cannot_be_asked_is_named(large, also):
    predictor = serving.Predictor(large[1])
    with pytest.raises(serving.UnknownModelError, match=f"no model {also[-1]} to ask.* There is: big"):
        predictor.predict(sample(), also=also)


def test_a_study_without_its_main_model_is_refused(large):
    study = large[1]
    study.models["mlp"]["serve"] = None
    with pytest.raises(StoreError, match="lacks its main model, mlp"):
        serving.Predictor(study)
    del study.models["mlp"]
    with pytest.raises(StoreError, match="lacks its main model, mlp"):
        serving.Predictor(study)
