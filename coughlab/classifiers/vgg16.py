"""The case study's two networks on VGG16: CNN 1 with all of VGG16 frozen, CNN 2 with its last six layers trained on.

VGG16: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015; its
weights are those Keras offers, learned on ImageNet.

The frozen part gives a picture the same outputs in every epoch of every split. So it is run once (`embed`), and only the rest
is trained. A saved model is the whole again: picture in, probability out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from coughlab import config
from coughlab.classifiers import neural
from coughlab.classifiers.base import Classifier, NotReadyError
from coughlab.features.spectrogram_image import SIZES
from coughlab.system import resources

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
    name : str
        Name of its classifier.
    input : str
        What it reads: a key of `coughlab.features.spectrogram_image.PICTURES`.
    last_frozen : str
        Layer of VGG16 up to which nothing is trained.
    head : callable
        ``head(layers)``: what comes between VGG16 and the sigmoid, a list of `keras.layers`.
    learning_rate : float
        Of Adam, at the start.
    lowest_rate : float
        Of Adam, after reductions.
    """

    name: str
    input: str
    last_frozen: str
    head: Callable
    learning_rate: float
    lowest_rate: float


def cnn1_head(layers):
    """CNN 1 after VGG16: a convolution, a pooling, dense layers.

    The case study does not tell their sizes. At its learning rate, a 3 x 3 convolution, each unit of which sums 4,608 of VGG16's
    outputs, was thrown so far by the first steps that in several fits most units stayed silent ever after and the training
    rows were not learned. A 1 x 1 convolution sums 512.
    """
    return [
        layers.Conv2D(64, 1, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
    ]


def cnn2_head(layers):
    """CNN 2 after VGG16: VGG16's own two fully connected layers, as convolutions."""
    return [
        _as_product(layers.Conv2D(4096, 7, activation="relu")),
        _as_product(layers.Conv2D(4096, 1, activation="relu")),
        layers.Flatten(),
    ]


def _as_product(layer):
    """Have a convolution whose kernel is as large as its picture computed as the matrix product it then is.

    It is the same layer with the same weights and is saved as such; TensorFlow only takes ten times longer for it as a
    convolution.
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


def vgg16(shape, weights):
    """VGG16 without its top, with its own preprocessing before it.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the pictures.
    weights : path-like or None
        File of its weights, or "imagenet" for Keras's copy, downloaded where there is none yet. Random ones with None.

    Returns
    -------
    keras.Model
        Pictures (height, width, 3), red, green and blue from 0 to 255, to (height // 32, width // 32, 512).

    Raises
    ------
    WeightsError
        If the weights cannot be had.
    """
    keras = neural.keras()
    pictures = keras.layers.Input((*shape, 3), name="picture")
    prepared = keras.applications.vgg16.preprocess_input(pictures)
    try:
        return keras.applications.VGG16(include_top=False, weights=weights, input_tensor=prepared)
    # Keras raises a bare Exception when a download fails, and one of several when a file is not what it should be.
    except Exception as error:
        raise WeightsError(
            f"The weights of VGG16 could not be loaded ({weights}). Either set the environment variable {SETTING} to the path"
            f" of Keras's file {WEIGHTS_FILE}, or leave it unset and connect to a network, and Keras downloads the file."
        ) from error


def weights():
    """Where VGG16's weights come from: the file the environment names, or else "imagenet", Keras's own copy."""
    return config.value(SETTING) or "imagenet"


def check_weights():
    """Raise what training would raise for want of VGG16's weights, within seconds.

    Raises
    ------
    WeightsError
        If they are missing or cannot be read.
    """
    vgg16((224, 224), weights())


def build(network, weights):
    """An untrained network, in two parts.

    Parameters
    ----------
    network : Network
        Which one.
    weights : path-like or None
        Of VGG16, as in `vgg16`.

    Returns
    -------
    frozen : keras.Model
        Pictures to the outputs of the last frozen layer.
    rest : keras.Model
        Those to one probability; all of it is trained.
    """
    keras = neural.keras()
    base = vgg16(SIZES[network.input], weights)
    last = base.get_layer(network.last_frozen)
    frozen = keras.Model(base.inputs[0], last.output, name="frozen")
    frozen.trainable = False
    trained = base.layers[base.layers.index(last) + 1 :]
    rest = [keras.layers.Input(last.output.shape[1:]), *trained, *network.head(keras.layers)]
    return frozen, keras.Sequential([*rest, keras.layers.Dense(1, activation="sigmoid", name="probability")])


def embed(network, inputs, progress=lambda share: None):
    """Run pictures through the frozen part.

    Parameters
    ----------
    network : Network
        Which one.
    inputs : sequence of ndarray, each of shape (height, width, 3), uint8
        Pictures.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    list of ndarray
        Outputs of the last frozen layer, float32: (9, 13, 512) each for CNN 1, (28, 28, 512) for CNN 2.

    Raises
    ------
    WeightsError
        If VGG16's weights are missing or cannot be read.
    """
    frozen, _ = build(network, weights())
    outputs = []
    for start in range(0, len(inputs), BATCH):
        pictures = np.stack(inputs[start : start + BATCH]).astype(np.float32)
        outputs.extend(np.asarray(frozen(pictures, training=False)))
        progress(len(outputs) / len(inputs))
    return outputs


def fit(network, inputs, labels, *, seed, epochs=None, progress=lambda share: None):
    """Train what is not frozen with Adam on the binary cross-entropy, as the case study did.

    Parameters
    ----------
    network : Network
        Which one.
    inputs : sequence of ndarray
        Outputs of the last frozen layer, from `embed`.
    labels : array-like, shape (n,)
        0 or 1.
    seed : int
        Seed of the initial weights and of the order of the rows.
    epochs : int, optional
        Passes over the rows; 50 unless told.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    FittedVGG16
        The trained model.

    Raises
    ------
    WeightsError
        If VGG16's weights are missing or cannot be read.
    """
    keras = neural.keras(seed)
    # To fetch a gigabyte anew for every step takes longer than the step itself.
    resources.mallopt(mmap_max=0, trim_threshold=-1, arena_max=1)
    epochs = epochs or EPOCHS
    frozen, rest = build(network, weights())
    neural.compiled(rest, _adam(network.learning_rate))
    callbacks = [neural.progress_callback(progress, epochs)]
    if network.lowest_rate < network.learning_rate:
        # The case study watched its validation rows, which are the rows tested on; what a model is tested on must not steer it.
        callbacks.append(keras.callbacks.ReduceLROnPlateau(monitor="loss", min_lr=network.lowest_rate))
    labels = np.asarray(labels, dtype=np.float32)
    rest.fit(np.stack(inputs), labels, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callbacks)
    # Adam stays behind: it keeps two numbers for each weight, a gigabyte for CNN 2, and no saved model needs them.
    return FittedVGG16(network.name, keras.Sequential(rest.layers), frozen)


def _adam(learning_rate):
    """Keras's Adam, each weight updated by TensorFlow's one kernel: Keras's dozen passes over 129 million weights take longer."""
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
    """A trained network on VGG16.

    Attributes
    ----------
    name : str
        Name of its classifier.
    model : keras.Model
        The trained part, which reads outputs of `embed`.
    frozen : keras.Model
        The frozen part, which reads pictures.
    """

    frozen: object

    @property
    def parameters(self):
        """Number of trained parameters; those of the frozen part are not counted."""
        return sum(int(np.prod(weights.shape)) for weights in self.model.trainable_weights)

    def whole(self):
        """The network from the picture on."""
        return neural.keras().Model(self.frozen.input, self.model(self.frozen.output), name=self.name)


EPOCHS = 50
CNN1 = Classifier(
    order=30,
    name="cnn1",
    title="CNN 1 (VGG16, frozen)",
    summary="VGG16, trained on photographs and left as it is, reads the spectrogram drawn as a colour picture; a small network"
    " on its outputs is trained.",
    input=FROZEN.input,
    fit=partial(fit, FROZEN),
    epochs=EPOCHS,
    embed=partial(embed, FROZEN),
    splits=5,
    large=True,
    ready=check_weights,
)
CNN2 = Classifier(
    order=31,
    name="cnn2",
    title="CNN 2 (VGG16, fine-tuned)",
    summary="VGG16, trained on photographs, reads the spectrogram drawn as a colour picture; its last six layers and two large"
    " ones after them are trained on the coughs.",
    input=FINE_TUNED.input,
    fit=partial(fit, FINE_TUNED),
    epochs=EPOCHS,
    embed=partial(embed, FINE_TUNED),
    splits=1,
    large=True,
    ready=check_weights,
)
