"""Saved models run without the libraries that trained them."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from coughlab.classifiers import CLASSIFIERS
from coughlab.classifiers.classical import KNN
from coughlab.features.acoustic import NAMES
from coughlab.studies.store import MODELS, StoredStudy

FILES = ("mlp.tflite", "cnn.tflite", "knn.npz")


@pytest.fixture(scope="module")
def committed():
    return StoredStudy(MODELS / "kaggle-trial")


def questions(name):
    rng = np.random.default_rng(0)
    if name.startswith("cnn"):
        return [rng.normal(-50, 15, (frames, 64)).astype(np.float32) for frames in (43, 216, 44, 500, 43)]
    return list(rng.normal(0, 1, (5, 26)).astype(np.float32))


@pytest.mark.parametrize("name", FILES)
def test_a_file_and_its_bytes_give_the_same_answers(committed, name):
    one = CLASSIFIERS[name.partition(".")[0]].load(committed.read(name))
    other = CLASSIFIERS[name.partition(".")[0]].load(committed.folder / name)
    answers = [one(x) for x in questions(name)]
    assert answers == [other(x) for x in questions(name)]
    assert all(type(answer) is float and 0 <= answer <= 1 for answer in answers)


@pytest.mark.parametrize("name", FILES)
def test_threads_get_the_answers_each_would_get_alone(committed, name):
    model = CLASSIFIERS[name.partition(".")[0]].load(committed.read(name))
    asked = questions(name) * 10
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(model, asked)) == [model(x) for x in asked]


def test_the_nearest_neighbour_answers_as_scikit_learn_does(committed):
    X = committed.features[list(NAMES)].to_numpy()
    y = (committed.features["label"] == "covid").to_numpy()
    fitted = KNN.fit(X, y, seed=0)
    ((name, content),) = fitted.save().items()
    model = CLASSIFIERS[name.partition(".")[0]].load(content)
    assert [model(x) for x in X] == y.astype(float).tolist()
    others = (X * np.random.default_rng(0).lognormal(0, 0.3, X.shape)).astype(np.float32)
    answers = fitted.predict(others)
    assert [model(x) for x in others] == answers.tolist() and 0 < answers.mean() < 1


def test_a_file_that_could_run_code_is_refused():
    buffer = io.BytesIO()
    np.savez(buffer, rows=np.array([subprocess.getoutput]), labels=np.array([1]))
    with pytest.raises(ValueError, match="allow_pickle"):
        KNN.load(buffer.getvalue())


def test_running_a_network_imports_no_tensorflow():
    code = """
import sys
from coughlab.classifiers.mlp import MLP
from coughlab.studies.store import MODELS
MLP.load(MODELS / "kaggle-trial" / "mlp.tflite")([0.0] * 26)
print(sorted({"tensorflow", "keras", "sklearn", "pandas", "streamlit"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
