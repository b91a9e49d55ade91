"""Answering: without tensorflow, the same as Keras, the same from every thread."""

import io
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from coughlab import audio, serving, synthetic
from coughlab.classifiers import neural
from coughlab.signal.features import NAMES
from coughlab.signal.inputs import INPUTS
from coughlab.store import MODELS, StoredStudy


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
prediction = serving.default().predict(audio.load(synthetic.sample()))
assert set(prediction.models) == {"mlp", "cnn", "knn"}
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
    served = serving.LiteRT(study.read(f"{name}.tflite"))
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
