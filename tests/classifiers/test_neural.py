"""What the Keras classifiers are saved as, and that importing the classifiers is cheap."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from coughlab.classifiers import CLASSIFIERS, CNN, KNN, MLP
from coughlab.serving import LiteRT

DURATIONS = (43, 44, 130, 431, 2584)


def questions(name, n=6, seed=1):
    rng = np.random.default_rng(seed)
    if name == "mlp":
        return list(rng.standard_normal((n, 26)).astype(np.float32))
    return [rng.normal(-50, 15, (frames, 64)).astype(np.float32) for frames in DURATIONS]


@pytest.fixture(scope="module", params=["mlp", "cnn"])
def saved(request):
    """Name, fitted model and its files."""
    name = request.param
    labels = np.arange(20) % 2
    inputs = questions(name, 20, seed=0) * (1 if name == "mlp" else 4)
    fitted = CLASSIFIERS[name].fit(inputs, labels, seed=0, epochs=2)
    return name, fitted, fitted.save()


def test_two_files_are_saved_under_its_name(saved):
    name, _, files = saved
    assert list(files) == [f"{name}.keras", f"{name}.tflite"]
    assert all(isinstance(content, bytes) and len(content) > 10_000 for content in files.values())


def test_the_keras_file_reloads_and_answers_the_same(saved, tmp_path):
    import keras

    name, fitted, files = saved
    path = tmp_path / f"{name}.keras"
    path.write_bytes(files[f"{name}.keras"])
    reloaded = replace(fitted, model=keras.models.load_model(path))
    assert reloaded.parameters == fitted.parameters
    assert np.array_equal(reloaded.predict(questions(name)), fitted.predict(questions(name)))


def test_the_served_file_answers_as_keras_does(saved):
    name, fitted, files = saved
    served = LiteRT(files[f"{name}.tflite"])
    # Lengths up and down again: the served model changes its shape on the way.
    asked = questions(name) + questions(name, seed=2)[::-1]
    answers = [served(x) for x in asked]
    np.testing.assert_allclose(answers, fitted.predict(asked), rtol=0, atol=1e-5)
    assert len({round(answer, 4) for answer in answers}) > 1


def test_saving_prints_nothing(saved, capfd):
    saved[1].save()
    assert capfd.readouterr().out == ""


def test_importing_the_classifiers_is_cheap():
    code = (
        "import sys, coughlab.classifiers; "
        "print(sorted(m for m in ('tensorflow', 'keras', 'sklearn', 'librosa') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_classifiers_in_the_order_shown():
    assert list(CLASSIFIERS.values()) == [MLP, CNN, KNN]
    for name, classifier in CLASSIFIERS.items():
        assert classifier.name == name
        assert classifier.title and classifier.summary.endswith(".")
