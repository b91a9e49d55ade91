"""The case study's networks on VGG16: with random weights, and with the real weights where these are available."""

import os
from dataclasses import replace

import numpy as np
import pytest

from coughlab.classifiers import neural, vgg16
from coughlab.classifiers.runtime import LiteRT
from coughlab.classifiers.vgg16 import CNN1, CNN2, FINE_TUNED, FROZEN, WeightsError, build, fit
from tests.conftest import missing


@pytest.fixture
def random_weights(monkeypatch):
    """Networks with an untrained VGG16, for tests that do not depend on its weights."""
    monkeypatch.setattr(vgg16, "weights", lambda: None)


def outputs(n, seed=0, shape=(9, 13, 512)):
    """Possible outputs of a frozen VGG16: mostly zeros, some large values."""
    rng = np.random.default_rng(seed)
    return list(np.maximum(rng.normal(-30, 25, (n, *shape)), 0).astype(np.float32))


def pictures(n, shape, seed=0):
    return list(np.random.default_rng(seed).integers(0, 256, (n, *shape, 3), dtype=np.uint8))


def trainable(model):
    return sum(int(np.prod(weights.shape)) for weights in model.trainable_weights)


# Construction of the networks.


@pytest.fixture(scope="module")
def fine_tuned():
    return build(FINE_TUNED, None)


def test_cnn_1_trains_nothing_of_vgg16():
    frozen, rest = build(FROZEN, None)
    assert frozen.input_shape == (None, 288, 432, 3) and frozen.output_shape == (None, 9, 13, 512)
    assert frozen.count_params() == 14_714_688 and trainable(frozen) == 0
    kinds = [type(layer).__name__ for layer in rest.layers]
    assert kinds == ["Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dense"]
    assert rest.layers[-1].units == 1 and rest.layers[-1].activation.__name__ == "sigmoid"


def test_cnn_2_has_the_case_study_s_trainable_parameters(fine_tuned):
    frozen, rest = fine_tuned
    assert frozen.input_shape == (None, 224, 224, 3) and trainable(frozen) == 0
    assert trainable(rest) == rest.count_params() == 128_989_185


def test_cnn_2_trains_the_last_six_layers_of_vgg16_on(fine_tuned):
    frozen, rest = fine_tuned
    assert frozen.layers[-1].name == "block4_conv2"
    names = [layer.name for layer in rest.layers]
    assert names[:4] == ["block4_conv3", "block4_pool", "block5_conv1", "block5_conv2"]
    assert names[4:6] == ["block5_conv3", "block5_pool"]
    first, second = rest.layers[6:8]
    assert [type(layer).__name__ for layer in (first, second)] == ["Conv2D", "Conv2D"]
    assert first.kernel.shape == (7, 7, 512, 4096) and second.kernel.shape == (1, 1, 4096, 4096)


@pytest.mark.parametrize("size", [1, 5])
def test_a_convolution_as_large_as_its_picture_is_computed_as_keras_does(size):
    keras = neural.keras()
    layer = keras.layers.Conv2D(6, size, activation="relu", bias_initializer="random_normal")
    x = np.random.default_rng(0).normal(size=(3, size, size, 4)).astype(np.float32)
    expected = np.asarray(layer(x))
    assert 0 < (expected > 0).mean() < 1
    np.testing.assert_allclose(np.asarray(vgg16._as_product(layer)(x)), expected, atol=1e-5)


def test_adam_is_keras_s():
    keras = neural.keras()
    gradients = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    updated = []
    for optimizer in (keras.optimizers.Adam(0.01), vgg16._adam(0.01)):
        weights = keras.Variable(np.ones((3, 4), np.float32))
        optimizer.build([weights])
        for step, gradient in enumerate(gradients):
            optimizer.learning_rate = 0.01 / (step + 1)
            optimizer.apply([keras.ops.convert_to_tensor(gradient)])
        updated.append(np.asarray(weights.value))
    assert np.abs(updated[0] - 1).min() > 1e-4
    np.testing.assert_allclose(updated[1], updated[0], atol=1e-6)


def test_pictures_are_prepared_as_vgg16_was_trained(random_weights):
    keras = neural.keras()
    whole = vgg16.vgg16((32, 32), None)
    plain = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    plain.set_weights(whole.get_weights())
    pixels = np.stack(pictures(2, (32, 32))).astype(np.float32)
    # Blue, green, red; the means of the ImageNet pictures, as published by VGG16's authors.
    expected = plain(pixels[..., ::-1] - np.array([103.939, 116.779, 123.68], dtype=np.float32))
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(np.asarray(whole(pixels)), np.asarray(expected), rtol=1e-4, atol=1e-4)


# Training, tested on CNN 1.


@pytest.fixture(scope="module")
def fitted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vgg16, "weights", lambda: None)
        labels = np.arange(12) % 2
        inputs = [x + 20 * label for x, label in zip(outputs(12), labels, strict=True)]
        return fit(FROZEN, inputs, labels, seed=0, epochs=3)


def test_it_counts_what_is_trained(fitted):
    assert fitted.parameters == trainable(build(FROZEN, None)[1]) == 131_265


def test_the_seed_decides(random_weights):
    labels = np.arange(8) % 2
    # Two steps at this learning rate can give answers of exactly 0 or 1, so the weights are compared.
    first, again, other = (
        fit(FROZEN, outputs(8), labels, seed=seed, epochs=1).model.get_weights() for seed in (5, 5, 6)
    )
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not any(np.array_equal(*pair) for pair in zip(first[::2], other[::2], strict=True))


def test_it_learns_what_can_be_learned(random_weights):
    labels = np.arange(24) % 2

    def marked(seed):
        inputs = outputs(24, seed)
        for x, label in zip(inputs, labels, strict=True):
            x[..., :50] += 20 * label
        return inputs

    answers = fit(FROZEN, marked(0), labels, seed=0, epochs=10).predict(marked(1))
    assert np.mean((answers >= 0.5) == labels) > 0.9


def test_progress_is_the_share_of_the_epochs(random_weights):
    shares = []
    fit(FROZEN, outputs(4), [0, 1, 0, 1], seed=0, epochs=2, progress=shares.append)
    assert shares == [0.5, 1.0]
    assert CNN1.epochs == CNN2.epochs == 50


def test_only_cnn_2_lowers_its_learning_rate(random_weights, monkeypatch):
    watched = []
    callbacks = neural.keras().callbacks
    plateau = callbacks.ReduceLROnPlateau
    monkeypatch.setattr(
        callbacks, "ReduceLROnPlateau", lambda **options: watched.append(options) or plateau(**options)
    )
    fit(FROZEN, outputs(4), [0, 1, 0, 1], seed=0, epochs=1)
    assert watched == []
    # CNN 2 with a head that is trained in a second.
    small = replace(FINE_TUNED, last_frozen="block5_pool", head=lambda layers: [layers.Flatten()])
    fit(small, outputs(4, shape=(7, 7, 512)), [0, 1, 0, 1], seed=0, epochs=1)
    # Rows outside training must not influence the schedule.
    assert watched == [{"monitor": "loss", "min_lr": 1e-6}]


# Saved files, tested on CNN 1, with the picture as input.


@pytest.fixture(scope="module")
def asked():
    return pictures(3, (288, 432))


@pytest.fixture(scope="module")
def embedded(fitted, asked):
    return list(np.asarray(fitted.frozen(np.stack(asked).astype(np.float32))))


@pytest.fixture(scope="module")
def files(fitted):
    return fitted.save()


def test_the_served_file_reads_the_picture_itself(fitted, files, asked, embedded):
    served = LiteRT(files["cnn1.tflite"])
    np.testing.assert_allclose([served(x) for x in asked], fitted.predict(embedded), atol=1e-4)


def test_the_keras_file_reloads_and_answers_the_same(fitted, files, asked, embedded, tmp_path):
    path = tmp_path / "cnn1.keras"
    path.write_bytes(files["cnn1.keras"])
    reloaded = neural.keras().models.load_model(path)
    answers = np.asarray(reloaded(np.stack(asked).astype(np.float32)))[:, 0]
    np.testing.assert_allclose(answers, fitted.predict(embedded), atol=1e-4)
    assert trainable(reloaded) == fitted.parameters


def test_embedding_is_the_frozen_part(random_weights, fitted, asked, embedded, monkeypatch):
    monkeypatch.setattr(vgg16, "build", lambda network, weights: (fitted.frozen, fitted.model))
    shares = []
    got = vgg16.embed(FROZEN, asked * 2, shares.append)
    assert shares == [4 / 6, 1.0]
    assert [x.shape for x in got] == [(9, 13, 512)] * 6
    np.testing.assert_allclose(got, embedded * 2, rtol=1e-4, atol=1e-4)


# VGG16's weights.


@pytest.mark.parametrize("content", [None, b"", b"no weights at all", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_weights_that_cannot_be_read_are_named(content, tmp_path, monkeypatch):
    path = tmp_path / "vgg16_notop.h5"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("COUGHLAB_VGG16", str(path))
    for needs_them in (
        CNN1.ready,
        CNN2.ready,
        lambda: CNN1.embed(pictures(1, (288, 432)), lambda share: None),
    ):
        with pytest.raises(WeightsError) as caught:
            needs_them()
        assert str(path) in str(caught.value)


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_network_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "other.weights.h5"
    build(FROZEN, None)[1].save_weights(path)
    monkeypatch.setenv("COUGHLAB_VGG16", str(path))
    with pytest.raises(WeightsError):
        CNN1.ready()


def test_without_weights_and_network_the_message_names_both_solutions(tmp_path, monkeypatch):
    monkeypatch.delenv("COUGHLAB_VGG16", raising=False)
    keras = neural.keras()
    monkeypatch.setattr(
        keras.src.applications.vgg16, "WEIGHTS_PATH_NO_TOP", f"file://{tmp_path}/there-is-nothing.h5"
    )
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path))
    with pytest.raises(WeightsError, match=r"COUGHLAB_VGG16.*connect to a network"):
        CNN2.ready()


@pytest.fixture
def real_weights():
    if not os.environ.get("COUGHLAB_VGG16"):
        missing("VGG16's weights: set COUGHLAB_VGG16 to the file")


def test_the_real_weights_see_differences(real_weights):
    CNN1.ready()
    rng = np.random.default_rng(0)
    flat, noisy = np.full((288, 432, 3), 20, np.uint8), rng.integers(0, 256, (288, 432, 3), dtype=np.uint8)
    first, second = CNN1.embed([flat, noisy], lambda share: None)
    assert first.dtype == np.float32 and first.min() == 0
    # Trained features are sparse: most of them are zero for a picture.
    assert (first > 0).mean() < 0.3 and (second > 0).mean() < 0.3
    assert not np.allclose(first, second)


def test_both_networks_have_the_inputs_of_the_case_study():
    assert [c.name for c in (CNN1, CNN2)] == ["cnn1", "cnn2"]
    assert [c.input for c in (CNN1, CNN2)] == ["picture_288x432", "picture_224x224"]
    assert CNN1.large and CNN2.large and CNN1.embed and CNN2.embed
