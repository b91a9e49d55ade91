"""Training of CNN 1 from pictures: all 50 epochs on 119 pictures, on this machine's cores.

    python benchmarks/cnn1.py

The frozen part of VGG16 gives the same outputs for a picture in every epoch, so it is run once; its multiplications are the
floor. If COUGHLAB_VGG16 names no file of weights, they are random, which takes equally long. The pictures are of synthetic
coughs.
"""

import math
import os
import time

import numpy as np
from shared import products
from shared.run import size
from shared.table import Row, show

from coughlab.audio import Recording, synthetic
from coughlab.classifiers import vgg16
from coughlab.features.inputs import INPUTS
from coughlab.system import resources

N, EPOCHS = size((119, 50), (2, 1))
#: Seconds that the case study's author reports for an epoch on his GPU.
AUTHOR_S = 13.0


def picture(number):
    onsets = np.random.default_rng(number).uniform(0.1, 4.5, 4)
    y = synthetic.recording(onsets_s=np.sort(onsets), duration_s=5.0, seed=number)
    recording = Recording(y, synthetic.RATE, "wav", "pcm_16", 1, 16)
    return INPUTS[vgg16.FROZEN.input](recording)


def frozen_operations(shape):
    """Multiplications and additions of VGG16's convolutions for one picture."""
    layers = vgg16.vgg16(shape, None).layers
    return sum(
        2 * math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        for layer in layers
        if hasattr(layer, "kernel")
    )


def main():
    if not os.environ.get(vgg16.SETTING):
        print("COUGHLAB_VGG16 is not set: VGG16's weights are random", flush=True)
        vgg16.weights = lambda: None
    pictures, labels = [picture(number) for number in range(N)], np.arange(N) % 8 == 0
    began = time.perf_counter()
    embedded = vgg16.CNN1.embed(pictures, progress=lambda share: None)
    between = time.perf_counter()
    vgg16.CNN1.fit(embedded, labels, seed=0, epochs=EPOCHS)
    ended = time.perf_counter()
    operations = N * frozen_operations(pictures[0].shape[:2])
    print(f"  {operations / 1e12:.1f} TFLOP in VGG16's frozen part", flush=True)
    floor = operations / (resources.cores() * products.rate())
    what = f"CNN 1, {EPOCHS} epochs on {N} pictures"
    show(Row(what, ended - began, EPOCHS * AUTHOR_S, "s", 1, floor, against="the author's GPU"))
    print(
        f"  of it VGG16's frozen part, once {between - began:.1f} s, the {EPOCHS} epochs {ended - between:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
