"""The case study's two networks on VGG16: CNN 1 with all of VGG16 frozen, CNN 2 with its last six layers trained on.

VGG16: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015; its
weights are those Keras offers, learned on ImageNet.

The frozen part gives the same outputs for a picture in every epoch of every split. So it is run once (`embed`), and only the rest
is trained. A saved model contains both parts: picture in, probability out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from coughlab import config
from coughlab.classifiers import neural
from coughlab.classifiers.base import Classifier, NotReadyError
from coughlab.features.spectrogram_image import SIZES
from coughlab.system import resources
from coughlab.system.progress import Share, silent

if TYPE_CHECKING:
    from keras import Layer, Model

#: Environment variable that names the file of VGG16's weights without its top.
SETTING = "COUGHLAB_VGG16"
WEIGHTS_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
BATCH = 4


class WeightsError(NotReadyError):
    """VGG16's weights are missing or cannot be read."""


@dataclass(frozen=True)
class Network:
    """A network on VGG16.

    Attributes
    ----------
    last_frozen : str
        Last layer of VGG16 that is not trained.
    head : callable
        ``head(layers)``: the layers between VGG16 and the sigmoid, a list of `keras.layers`.
    learning_rate, lowest_rate : float
        Of Adam, at the start and after reductions.
    """

    name: str
    input: str
    last_frozen: str
    head: Callable[[ModuleType], list[Layer]]
    learning_rate: float
    lowest_rate: float


def cnn1_head(layers: ModuleType) -> list[Layer]:
    """CNN 1 after VGG16: a convolution, a pooling, dense layers.

    The case study does not give their sizes. In a 3 x 3 convolution each unit sums 4,608 outputs of VGG16. At the case study's
    learning rate its first steps were so large that, in several fits, most units were 0 from then on and the training rows were
    not learned. A 1 x 1 convolution sums 512 outputs.
    """
    return [
        layers.Conv2D(64, 1, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
    ]


def cnn2_head(layers: ModuleType) -> list[Layer]:
    """CNN 2 after VGG16: VGG16's own two fully connected layers, as convolutions."""
    return [
        _as_product(layers.Conv2D(4096, 7, activation="relu")),
        _as_product(layers.Conv2D(4096, 1, activation="relu")),
        layers.Flatten(),
    ]


def _as_product(layer):
    """Compute a convolution whose kernel is as large as its picture as a matrix product.

    The layer and its weights are the same, and are saved as a convolution. As a convolution TensorFlow takes ten times longer.
    """
    ops = neural.keras().ops

    def product(pictures, kernel):
        filters = kernel.shape[-1]
        outputs = ops.matmul(
            ops.reshape(pictures, (-1, math.prod(kernel.shape[:-1]))), ops.reshape(kernel, (-1, filters))
        )
        return ops.reshape(outputs, (-1, 1, 1, filters))

    layer.convolution_op = product
    return layer


FROZEN = Network("cnn1", "picture_288x432", "block5_pool", cnn1_head, learning_rate=1e-2, lowest_rate=1e-2)
FINE_TUNED = Network(
    "cnn2", "picture_224x224", "block4_conv2", cnn2_head, learning_rate=1e-4, lowest_rate=1e-6
)


def vgg16(shape: tuple[int, int], weights: str | Path | None) -> Model:
    """VGG16 without its top, preceded by its own preprocessing.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the pictures.
    weights : path-like or None
        File of its weights, or "imagenet" for Keras's copy, which is downloaded if needed. None: random weights.

    Returns
    -------
    keras.Model
        Pictures (height, width, 3), red, green and blue from 0 to 255, to (height // 32, width // 32, 512).

    Raises
    ------
    WeightsError
        If the weights are missing or cannot be read.
    """
    keras = neural.keras()
    pictures = keras.layers.Input((*shape, 3), name="picture")
    prepared = keras.applications.vgg16.preprocess_input(pictures)
    try:
        return keras.applications.VGG16(include_top=False, weights=weights, input_tensor=prepared)
    # Keras raises a bare Exception when a download fails, and errors of several types when a file is damaged.
    except Exception as error:
        raise WeightsError(
            f"The weights of VGG16 could not be loaded ({weights}). Either set the environment variable {SETTING} to the path"
            f" of Keras's file {WEIGHTS_FILE}, or leave it unset and connect to a network, and Keras downloads the file."
        ) from error


def weights() -> str:
    """Source of VGG16's weights: the file named in the environment, or else "imagenet", Keras's own copy."""
    return config.value(SETTING) or "imagenet"


def check_weights() -> None:
    """Raise the `WeightsError` that training would raise, but within seconds."""
    vgg16((224, 224), weights())


def build(network: Network, weights: str | Path | None) -> tuple[Model, Model]:
    """An untrained network in two parts: from pictures to the last frozen layer's outputs, and from those to one probability."""
    keras = neural.keras()
    base = vgg16(SIZES[network.input], weights)
    last = base.get_layer(network.last_frozen)
    frozen = keras.Model(base.inputs[0], last.output, name="frozen")
    frozen.trainable = False
    trained = base.layers[base.layers.index(last) + 1 :]
    rest = [keras.layers.Input(last.output.shape[1:]), *trained, *network.head(keras.layers)]
    return frozen, keras.Sequential([*rest, keras.layers.Dense(1, activation="sigmoid", name="probability")])


def embed(network: Network, inputs: Sequence[np.ndarray], progress: Share = silent) -> list[np.ndarray]:
    """Run pictures, uint8 of shape (height, width, 3), through the frozen part.

    The outputs are float32 of shape (9, 13, 512) each for CNN 1, (28, 28, 512) for CNN 2. `WeightsError` if VGG16's weights are
    missing or cannot be read.
    """
    frozen, _ = build(network, weights())
    outputs: list[np.ndarray] = []
    for start in range(0, len(inputs), BATCH):
        pictures = np.stack(inputs[start : start + BATCH]).astype(np.float32)
        outputs.extend(np.asarray(frozen(pictures, training=False)))
        progress(len(outputs) / len(inputs))
    return outputs


def fit(
    network: Network,
    inputs: Sequence[np.ndarray],
    labels: Sequence[int],
    *,
    seed: int,
    epochs: int | None = None,
    progress: Share = silent,
) -> FittedVGG16:
    """Train the unfrozen layers with Adam on the binary cross-entropy, as the case study did; `inputs` are outputs of `embed`."""
    keras = neural.keras(seed)
    # Allocating a gigabyte again for every step takes longer than the step itself.
    resources.mallopt(mmap_max=0, trim_threshold=-1, arena_max=1)
    frozen, rest = build(network, weights())
    callbacks = []
    if network.lowest_rate < network.learning_rate:
        # The case study monitored its validation rows, which are its test rows; test rows must not influence the training.
        callbacks.append(keras.callbacks.ReduceLROnPlateau(monitor="loss", min_lr=network.lowest_rate))
    rows = np.stack(inputs), np.asarray(labels, dtype=np.float32)
    adam, epochs = _adam(network.learning_rate), epochs or EPOCHS
    neural.train(rest, adam, *rows, epochs=epochs, progress=progress, callbacks=callbacks, batch_size=BATCH)
    # Without Adam's state: it has two numbers per weight, a gigabyte for CNN 2, and a saved model does not need them.
    return FittedVGG16(network.name, keras.Sequential(rest.layers), frozen)


def _adam(learning_rate):
    """Keras's Adam with TensorFlow's single update kernel: Keras's dozen passes over 129 million weights take longer."""
    import keras
    import tensorflow

    class Adam(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            index = self._get_variable_index(variable)
            step = tensorflow.cast(self.iterations + 1, tensorflow.float32)
            tensorflow.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=self.beta_1**step,
                beta2_power=self.beta_2**step,
                lr=tensorflow.cast(learning_rate, tensorflow.float32),
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )

    return Adam(learning_rate)


@dataclass
class FittedVGG16(neural.FittedNetwork):
    """A trained network on VGG16: the input of `model` is the output of `embed`, the input of `frozen` is pictures."""

    frozen: Model

    @property
    def parameters(self) -> int:
        """Number of trained parameters, without those of the frozen part."""
        return sum(int(np.prod(weights.shape)) for weights in self.model.trainable_weights)

    def whole(self) -> Model:
        """The whole network, from the picture on."""
        return neural.keras().Model(self.frozen.input, self.model(self.frozen.output), name=self.name)


EPOCHS = 50


def _classifier(network: Network, **described: Any) -> Classifier:
    return Classifier(
        name=network.name,
        input=network.input,
        fit=partial(fit, network),
        epochs=EPOCHS,
        embed=partial(embed, network),
        large=True,
        ready=check_weights,
        **described,
    )


CNN1 = _classifier(
    FROZEN,
    order=30,
    title="CNN 1 (VGG16, frozen)",
    summary="VGG16, trained on photographs and left as it is, reads the spectrogram drawn as a colour picture; a small network"
    " on its outputs is trained.",
    splits=5,
)
CNN2 = _classifier(
    FINE_TUNED,
    order=31,
    title="CNN 2 (VGG16, fine-tuned)",
    summary="VGG16, trained on photographs, reads the spectrogram drawn as a colour picture; its last six layers and two large"
    " ones after them are trained on the coughs.",
    splits=1,
)
