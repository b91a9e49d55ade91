"""The spectrogram as a colour picture without axes or margins, the input of the case study's VGG16 networks.

Drawn directly into an array: a plotting library takes a second to load, and its pictures differ between versions.
"""

from functools import lru_cache, partial

import numpy as np

from coughlab.features import spectrum
from coughlab.features.sound import Sound

SECONDS = 5
#: Range shown below the loudest point, in dB.
TOP_DB = 80.0
#: Colours from quiet to loud: Magma at equal steps, by S. van der Walt and N. Smith (matplotlib, CC0).
MAGMA = (
    "#000004",
    "#180f3d",
    "#440f76",
    "#721f81",
    "#9e2f7f",
    "#cd4071",
    "#f1605d",
    "#fd9668",
    "#feca8d",
    "#fcfdbf",
)


def picture(recording: Sound, height: int, width: int) -> np.ndarray:
    """Draw the log-power spectrogram of the first 5 seconds; a shorter recording fills the whole width too.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8
        Red, green and blue. Vertical: 11,025 Hz (top) to 0 Hz, linear. Horizontal: time. The quietest point is the darkest; a
        point 80 dB above it is the brightest.
    """
    y = spectrum.waveform(recording, seconds=SECONDS)
    db = spectrum.power_to_db(spectrum.magnitude(y) ** 2, TOP_DB)
    db = _resampled(_resampled(db, width).T, height)[::-1]
    levels = (db - db.min()) * (255 / TOP_DB)
    # Rounding errors can exceed the range slightly.
    return _colours()[np.clip(levels.round(), 0, 255).astype(np.uint8)]


def _resampled(x, size):
    """Cut the rows of a picture into `size` equal parts and take the mean of each."""
    edges = np.linspace(0, len(x), size + 1)
    row = np.minimum(edges.astype(int), len(x) - 1)
    before = np.cumsum(x, axis=0, dtype=float) - x
    at_edges = before[row] + (edges - row)[:, None] * x[row]
    return np.diff(at_edges, axis=0) * (size / len(x))


@lru_cache
def _colours():
    """256 colours from quiet to loud, shape (256, 3), uint8."""
    anchors = np.array([list(bytes.fromhex(colour[1:])) for colour in MAGMA])
    at = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(at, range(len(anchors)), channel) for channel in anchors.T]
    return np.stack(channels, axis=1).round().astype(np.uint8)


#: Picture sizes, (height, width) in pixels, by name of the input.
SIZES = {"picture_288x432": (288, 432), "picture_224x224": (224, 224)}
#: Functions of a recording, by the name of the input.
PICTURES = {name: partial(picture, height=height, width=width) for name, (height, width) in SIZES.items()}
