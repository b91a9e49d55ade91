"""The spectrogram as an image."""

import numpy as np
import pytest

from coughlab.audio import Recording
from coughlab.features import spectrum
from coughlab.features.spectrogram_image import MAGMA, PICTURES, _resampled, picture

RATE = spectrum.RATE


def recording(samples, rate=RATE):
    return Recording(np.asarray(samples, dtype=np.float32), rate, "wav", "pcm_16", 1, 16, False)


def tone(hz, seconds=5.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE))


def brightness(pixels):
    """The sum of the red and green channels: in Magma these rise with the level."""
    return pixels[..., :2].astype(int).sum(axis=-1)


@pytest.mark.parametrize(
    "name, shape", [("picture_288x432", (288, 432, 3)), ("picture_224x224", (224, 224, 3))]
)
@pytest.mark.parametrize("seconds", [0.01, 0.3, 5, 12])
def test_every_recording_fills_the_picture(name, shape, seconds):
    pixels = PICTURES[name](recording(noise(seconds)))
    assert pixels.shape == shape and pixels.dtype == np.uint8
    # Noise is never silent, so no part of the picture may be empty.
    assert brightness(pixels).mean(axis=0).min() > 20


@pytest.mark.parametrize("height", [288, 224, 1025, 1500])
@pytest.mark.parametrize("hz", [500, 4000, 10_000])
def test_frequency_rises_linearly_from_bottom_to_top(height, hz):
    pixels = picture(recording(tone(hz)), height, 100)
    bright = brightness(pixels).sum(axis=1).argmax()
    # A pixel's middle, seen from the bottom edge; bin 0 reaches half a bin below 0 Hz.
    expected = (hz / (RATE / spectrum.N_FFT) + 0.5) / 1025 * height
    assert height - 0.5 - bright == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("width", [432, 224, 50])
def test_time_runs_from_left_to_right(width):
    y = np.zeros(5 * RATE)
    y[3 * RATE : 3 * RATE + 200] = 0.5
    bright = brightness(picture(recording(y), 50, width)).sum(axis=0).argmax()
    assert (bright + 0.5) / width == pytest.approx(3 / 5, abs=0.03)


def test_only_the_first_five_seconds_are_drawn():
    y = noise(9)
    assert np.array_equal(picture(recording(y), 60, 90), picture(recording(y[: 5 * RATE]), 60, 90))
    assert not np.array_equal(picture(recording(y), 60, 90), picture(recording(y[: 4 * RATE]), 60, 90))


def test_colours_go_from_the_darkest_to_the_brightest():
    pixels = picture(recording(tone(2000)), 1025, 40)
    rgb = [tuple(bytes.fromhex(colour[1:])) for colour in (MAGMA[0], MAGMA[-1])]
    by_level = pixels.reshape(-1, 3)[np.argsort(brightness(pixels).ravel())]
    assert tuple(by_level[0]) == rgb[0]
    assert np.abs(by_level[-1].astype(int) - rgb[1]).max() < 30


def test_silence_is_dark_and_loudness_does_not_matter():
    assert np.unique(picture(recording(np.zeros(RATE)), 30, 40).reshape(-1, 3), axis=0).tolist() == [
        [0, 0, 4]
    ]
    loud, quiet = (picture(recording(level * noise(2)), 30, 40).astype(int) for level in (1, 0.25))
    assert np.abs(loud - quiet).max() <= 3


@pytest.mark.parametrize("size", [3, 7, 10, 25])
def test_resampling_takes_the_mean_of_what_a_pixel_covers(size):
    x = np.random.default_rng(0).normal(size=(10, 2))
    # Every row repeated as often as there are pixels: then each pixel covers ten whole rows.
    expected = np.repeat(x, size, axis=0).reshape(size, 10, 2).mean(axis=1)
    np.testing.assert_allclose(_resampled(x, size), expected, atol=1e-12)


def test_a_picture_is_the_same_every_time():
    one, other = (PICTURES["picture_288x432"](recording(noise(3))) for _ in range(2))
    assert np.array_equal(one, other)
