"""The saved files of the Keras classifiers, and a cheap import of the classifiers."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from coughlab.classifiers import CLASSIFIERS, neural
from coughlab.classifiers.classical import CLASSICAL
from coughlab.classifiers.cnn import CNN
from coughlab.classifiers.mlp import MLP
from coughlab.classifiers.runtime import LiteRT
from coughlab.classifiers.search import HYPEROPT
from coughlab.classifiers.vgg16 import CNN1, CNN2
from coughlab.features.inputs import INPUTS
from coughlab.system.progress import silent

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
    # Increasing and decreasing lengths: the served model has to change its input shape.
    asked = questions(name) + questions(name, seed=2)[::-1]
    answers = [served(x) for x in asked]
    np.testing.assert_allclose(answers, fitted.predict(asked), rtol=0, atol=1e-5)
    assert len({round(answer, 4) for answer in answers}) > 1


def test_it_is_timed_as_the_served_file_answers(saved):
    name, fitted, files = saved
    timed, served = fitted.served(), LiteRT(files[f"{name}.tflite"])
    assert [timed(x) for x in questions(name)] == [served(x) for x in questions(name)]


def test_a_network_in_two_parts_is_saved_and_served_whole(tmp_path):
    import keras

    class TwoPartNetwork(neural.FittedNetwork):
        """A network in two parts: a frozen part transforms the input, and the trained model reads the result."""

        def whole(self):
            return keras.Sequential([keras.layers.Input((26,)), keras.layers.Rescaling(2.0), self.model])

    labels = np.arange(20) % 2
    rest = CLASSIFIERS["mlp"].fit(questions("mlp", 20, seed=0), labels, seed=0, epochs=2).model
    fitted, asked = TwoPartNetwork("halves", rest), questions("mlp")
    expected = fitted.predict([2 * x for x in asked])
    files, timed = fitted.save(), fitted.served()
    assert list(files) == ["halves.keras", "halves.tflite"]
    assert [timed(x) for x in asked] == pytest.approx(expected.tolist(), abs=1e-5)
    (tmp_path / "halves.keras").write_bytes(files["halves.keras"])
    reloaded = keras.models.load_model(tmp_path / "halves.keras")
    assert np.asarray(reloaded(np.stack(asked)))[:, 0] == pytest.approx(expected, abs=1e-5)


def test_saving_prints_nothing(saved, capfd):
    saved[1].save()
    assert capfd.readouterr().out == ""


def test_importing_the_classifiers_is_cheap():
    code = (
        "import sys, coughlab.classifiers; "
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'librosa', 'hyperopt', 'skops'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_classifiers_in_the_order_shown():
    assert list(CLASSIFIERS.values()) == [MLP, CNN, CNN1, CNN2, HYPEROPT, *CLASSICAL]
    for name, classifier in CLASSIFIERS.items():
        assert classifier.name == name
        assert classifier.title and classifier.summary.endswith(".")
        assert classifier.input in INPUTS and classifier.splits > 0
    # The case study has five splits; only the largest network may have fewer.
    assert [name for name, c in CLASSIFIERS.items() if c.splits < 5] == ["cnn2"]
    assert [name for name, c in CLASSIFIERS.items() if c.large] == ["cnn1", "cnn2"]


def test_ctrl_c_ends_a_training_after_its_step():
    keras = neural.keras()
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    steps = []

    def press(batch, logs):
        steps.append(batch)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = keras.callbacks.LambdaCallback(on_train_batch_begin=press)
    X, y = np.zeros((8, 2), np.float32), np.arange(8) % 2
    with pytest.raises(KeyboardInterrupt):
        neural.train(
            model,
            keras.optimizers.Adam(),
            X,
            y,
            epochs=3,
            progress=silent,
            callbacks=[pressing],
            batch_size=2,
        )
    assert steps == [0] and signal.getsignal(signal.SIGINT) is signal.default_int_handler
