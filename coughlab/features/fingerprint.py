"""Fingerprints that identify copies of a recording, small enough to keep for every recording of a large dataset.

Two things are kept for every 10 ms. A 32-bit word describes how the spectrum changes around that moment: the signs of its energy
differences across bands and time, after J. Haitsma and T. Kalker, "A highly robust audio fingerprinting system", ISMIR 2002.
Words that agree show where two recordings may be the same. The waveform, low-passed and in 4 bits per sample, shows whether they
are: two coughs of one person have similar spectra, but only copies have the same waveform.
"""

from functools import lru_cache

import numpy as np
import soxr

from coughlab.features.sound import Sound

#: One row every 10 ms.
HOP_S = 0.01
#: The rest of a longer recording is ignored, which bounds memory.
LONGEST_S = 30.0
#: Sample rate for the words, and of the stored waveform.
RATE, WAVE_RATE = 8000, 4000
HOP, WAVE_HOP = round(HOP_S * RATE), round(HOP_S * WAVE_RATE)
#: One row of a fingerprint: ``word`` is 0 if the recording is too quiet there; ``wave`` has two samples per byte.
ROW = np.dtype([("word", "<u4"), ("wave", "u1", (WAVE_HOP // 2,))])

N_FFT = 512
#: Edges of the bands, in hertz: the range of a telephone.
EDGES_HZ = np.geomspace(300, 3400, 17)
#: Frames on each side of the moment that a word describes.
AROUND = 7
#: A word has the signs of products with these shapes: cosines of these orders over time, times cosines of these orders over
#: bands.
TIME_ORDERS, BAND_ORDERS = range(1, 5), range(8)
#: A band this far below the loudest band of the neighbouring frames counts as silent, in dB.
RANGE_DB = 25.0
#: A moment quieter than this below the recording's loudest has no word, in dB.
QUIET_DB = 30.0
#: The waveform fades in and out over this long, in seconds.
FADE_S = 0.008
#: The waveform is stored between these frequencies, in hertz: hum, and what all voices have in common, is below.
WAVE_HZ = (200.0, 1900.0)


def compute(recording: Sound) -> np.ndarray:
    """Fingerprint of a recording: one `ROW` per 10 ms of its first 30 s; 2.4 kB per second."""
    y = recording.samples[: round(LONGEST_S * recording.rate)]
    y = soxr.resample(y - y.mean(), recording.rate, RATE, quality="soxr_hq")
    n = max(y.size // HOP, 1)
    y = np.pad(y, (0, max(n * HOP - y.size, 0)))[: n * HOP]
    rows = np.zeros(n, ROW)
    rows["word"] = _words(y)
    rows["wave"] = _packed(_low_passed(_faded(y))).reshape(n, -1)
    return rows


def waveform(fingerprint: np.ndarray) -> np.ndarray:
    """The low-passed waveform in a fingerprint of n rows: shape (40 n,), float32.

    It has 4,000 samples per second, and a peak of 1.
    """
    packed = fingerprint["wave"].reshape(-1)
    codes = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)
    return _LEVELS[codes]


def _words(y: np.ndarray) -> np.ndarray:
    """One word per frame, shape (n,), uint32."""
    import scipy.fft  # slow; a page that imports this module must not wait for it

    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, (N_FFT // 2, N_FFT // 2)), N_FFT)[::HOP]
    power = np.abs(scipy.fft.rfft(frames[: y.size // HOP] * _window())) ** 2 @ _bands().T
    # Silence is assumed before and after the recording, as in a padded copy.
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(power, ((AROUND, AROUND), (0, 0))), 2 * AROUND + 1, axis=0
    )
    loudest = around.max(axis=(1, 2))
    level = np.log(around + (10 ** (-RANGE_DB / 10) * loudest + 1e-20)[:, None, None])
    shapes = np.einsum(
        "nbt,it,jb->nij",
        level,
        _cosines(TIME_ORDERS, 2 * AROUND + 1),
        _cosines(BAND_ORDERS, 16),
        optimize=True,
    )
    words = np.packbits(shapes.reshape(len(shapes), 32) > 0, axis=1).view(">u4")[:, 0].astype("<u4")
    return np.where(loudest > 10 ** (-QUIET_DB / 10) * loudest.max(), np.maximum(words, 1), 0)


def _faded(y):
    """Fade in and out, which removes the clicks of a hard cut in a copy."""
    fade = round(FADE_S * RATE)
    ends = np.concatenate([np.arange(fade), np.full(y.size, fade), np.arange(fade)[::-1]])
    return y * np.minimum(ends[: y.size], ends[-y.size :]) / fade


def _low_passed(y):
    import scipy.fft

    spectrum = scipy.fft.rfft(y)
    f = np.fft.rfftfreq(y.size, 1 / RATE)
    low, high = WAVE_HZ
    # Raised by 6 dB per octave, so that low voices do not dominate.
    spectrum *= ((f > low) & (f < high)) * f
    return scipy.fft.irfft(spectrum, y.size)[:: RATE // WAVE_RATE]


#: Values of the 4-bit codes: a sign and steps of 6 dB, which represent quiet and loud parts.
_LEVELS = np.concatenate([[0], 2.0 ** np.arange(-6, 1), [0], -(2.0 ** np.arange(-6, 1))]).astype(np.float32)


def _packed(wave):
    magnitude = np.abs(wave) / max(np.abs(wave).max(), 1e-30)
    codes = np.clip(np.round(np.log2(np.maximum(magnitude, 1e-30))) + 7, 0, 7).astype(np.uint8)
    codes |= (wave < 0).astype(np.uint8) << 3
    return codes[::2] | codes[1::2] << 4


def _cosines(orders, size):
    """Cosines of a discrete transform of type II, shape (len(orders), size)."""
    return np.cos(np.pi * np.outer(orders, np.arange(size) + 0.5) / size)


@lru_cache
def _window():
    return np.hanning(N_FFT + 1)[:-1].astype(np.float32)


@lru_cache
def _bands():
    f = np.fft.rfftfreq(N_FFT, 1 / RATE)
    # Soft edges: bands overlap, so that a small shift in frequency does not move whole bins to another band.
    centres = np.sqrt(EDGES_HZ[:-1] * EDGES_HZ[1:])
    widths = np.diff(EDGES_HZ)
    return np.maximum(0, 1 - np.abs(f - centres[:, None]) / widths[:, None]).astype(np.float32)
