"""Saved models, run without the libraries they were trained in."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier
from skops.io.exceptions import UntrustedTypesFoundException

from coughlab.classifiers import KNN, runtime
from coughlab.classifiers.classical import FittedPipeline
from coughlab.signal.features import NAMES
from coughlab.store import MODELS, StoredStudy

FILES = ("mlp.tflite", "cnn.tflite", "knn.skops")


@pytest.fixture(scope="module")
def committed():
    return StoredStudy(MODELS / "kaggle-trial")


def questions(name):
    rng = np.random.default_rng(0)
    if name.startswith("cnn"):
        return [rng.normal(-50, 15, (frames, 64)).astype(np.float32) for frames in (43, 216, 44, 500, 43)]
    return list(rng.normal(0, 1, (5, 26)).astype(np.float32))


@pytest.mark.parametrize("name", FILES)
def test_a_file_and_its_bytes_answer_alike(committed, name):
    one = runtime.load(name, committed.read(name))
    other = runtime.load(name, committed.folder / name)
    answers = [one(x) for x in questions(name)]
    assert answers == [other(x) for x in questions(name)]
    assert all(type(answer) is float and 0 <= answer <= 1 for answer in answers)


@pytest.mark.parametrize("name", FILES)
def test_threads_get_the_answers_each_would_get_alone(committed, name):
    model = runtime.load(name, committed.read(name))
    asked = questions(name) * 10
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(model, asked)) == [model(x) for x in asked]


def test_a_pipeline_s_probability_is_that_of_covid(committed):
    X = committed.features[list(NAMES)].to_numpy()
    y = (committed.features["label"] == "covid").to_numpy()
    model = runtime.load("knn.skops", KNN.fit(X, y, seed=0).save()["knn.skops"])
    assert [model(x) for x in X] == y.astype(float).tolist()


def test_a_pipeline_that_could_run_code_is_refused():
    # A function is looked up by its name on loading; any function could stand there.
    content = skops.io.dumps(make_pipeline(FunctionTransformer(subprocess.getoutput)))
    with pytest.raises(UntrustedTypesFoundException):
        runtime.load("bad.skops", content)


def test_only_what_is_kept_is_loadable():
    """A tree's file is refused as well, which is why none is kept for answering."""
    tree = make_pipeline(DecisionTreeClassifier()).fit([[0.0], [1.0]], [0, 1])
    (content,) = FittedPipeline("tree", tree).save().values()
    with pytest.raises(UntrustedTypesFoundException):
        runtime.load("tree.skops", content)


def test_running_a_network_imports_no_tensorflow():
    code = """
import sys
from coughlab.classifiers import runtime
from coughlab.store import MODELS
runtime.load("mlp.tflite", MODELS / "kaggle-trial" / "mlp.tflite")([0.0] * 26)
print(sorted({"tensorflow", "keras", "sklearn", "streamlit"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
