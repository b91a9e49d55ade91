"""CNN 1 from pictures to its trained network: all 50 epochs on 119 pictures, on this machine's cores.

    python benchmarks/cnn1.py

The frozen part of VGG16 gives a picture the same outputs in every epoch, so it is run once; its multiplications are the floor.
Where COUGHLAB_VGG16 names no file of its weights they are random, which takes as long. The pictures are of synthetic coughs.
"""

import math
import time

import numpy as np
import products
from table import Row, show

from coughlab import config
from coughlab.audio import Recording, synthetic
from coughlab.classifiers import vgg16
from coughlab.features.inputs import INPUTS
from coughlab.system import resources

N, EPOCHS = 119, 50
#: What the case study's author reports for an epoch on his GPU.
AUTHOR_S = 13.0


def picture(number):
    onsets = np.random.default_rng(number).uniform(0.1, 4.5, 4)
    y = synthetic.recording(onsets_s=np.sort(onsets), duration_s=5.0, seed=number)
    recording = Recording(y, synthetic.RATE, "wav", "pcm_16", 1, 16, False)
    return INPUTS[vgg16.FROZEN.input](recording)


def frozen_operations():
    """Multiplications and additions of VGG16's convolutions for one picture."""
    layers = vgg16.vgg16(pictures[0].shape[:2], None).layers
    return sum(
        2 * math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        for layer in layers
        if hasattr(layer, "kernel")
    )


if not config.value(vgg16.SETTING):
    print("COUGHLAB_VGG16 is not set: VGG16's weights are random", flush=True)
    vgg16.weights = lambda: None
pictures, labels = [picture(number) for number in range(N)], np.arange(N) % 8 == 0
began = time.perf_counter()
embedded = vgg16.CNN1.embed(pictures, progress=lambda share: None)
between = time.perf_counter()
vgg16.CNN1.fit(embedded, labels, seed=0, epochs=EPOCHS)
ended = time.perf_counter()
operations = N * frozen_operations()
print(f"  {operations / 1e12:.1f} TFLOP in VGG16's frozen part", flush=True)
show(
    Row(
        "CNN 1, 50 epochs on 119 pictures",
        ended - began,
        EPOCHS * AUTHOR_S,
        "s",
        1,
        floor=operations / (resources.cores() * products.rate()),
        against="the author's GPU",
    )
)
print(
    f"  of it VGG16's frozen part, once {between - began:.1f} s, the {EPOCHS} epochs {ended - between:.1f} s",
    flush=True,
)
