"""The waveform at the common rate, its short-time Fourier transform and its mel bands.

Conventions, all librosa's defaults (librosa 0.11): 22,050 samples a second, frames of 2,048 samples every 512, a periodic Hann
window, frames centred with zeros beyond both ends, Slaney's mel scale with area-normalised triangles. They are implemented here
with NumPy, because importing librosa's feature functions would delay a process's first answer by two seconds. The tests compare
every value with librosa.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import soxr

from coughlab.features.sound import Sound

RATE = 22_050
N_FFT = 2048
HOP = 512
#: Mel bands for the MFCCs: librosa's ``n_mels``.
N_MELS = 128
#: Lowest power, in dB: librosa's ``amin=1e-10``.
FLOOR_DB = -100.0
#: Frames processed at once: larger arrays do not fit the cache, and their memory is allocated again each time.
_BLOCK = 32
#: Neighbouring mel bands summed at once: they share most of their bins.
_BANDS = 16


def waveform(recording: Sound, *, seconds: float | None = None) -> np.ndarray:
    """Mono samples at 22,050 Hz, float32; with `seconds`, only of the start.

    Cut before resampling, as in ``librosa.load(path, duration=seconds)``.
    """
    y = recording.samples
    if seconds is not None:
        y = y[: int(seconds * recording.rate)]
    if recording.rate == RATE:
        return y
    size = int(np.ceil(y.size * (RATE / recording.rate)))
    resampled = soxr.resample(y, recording.rate, RATE, quality="soxr_hq")[:size]
    return np.pad(resampled, (0, size - resampled.size)).astype(np.float32, copy=False)


def magnitude(y: np.ndarray) -> np.ndarray:
    """Magnitudes of the short-time Fourier transform of samples at 22,050 Hz: shape (1 + n // 512, 1025), float32.

    The transpose of ``abs(librosa.stft(y))``, because rows, here the frames, are contiguous where the transform runs.
    """
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, N_FFT // 2), N_FFT)[::HOP]
    magnitude = np.empty((len(frames), 1 + N_FFT // 2), np.float32)
    for rows in blocks(len(frames)):
        transformed = np.fft.rfft(frames[rows] * _hann(), axis=-1)
        magnitude[rows] = np.abs(transformed.astype(np.complex64))
    return magnitude


def blocks(n_frames: int) -> Iterator[slice]:
    """Slices of the frames, each small enough for a core's cache."""
    return (slice(start, start + _BLOCK) for start in range(0, n_frames, _BLOCK))


def mel_power(power: np.ndarray, n_mels: int = N_MELS) -> np.ndarray:
    """Sum a power spectrogram into mel bands from 0 to 11,025 Hz: from shape (n_frames, 1025) to (n_frames, n_mels).

    As ``librosa.feature.melspectrogram``, transposed.
    """
    mel = np.empty((len(power), n_mels), np.float32)
    for bands, bins, filters in _mel_blocks(n_mels):
        mel[:, bands] = power[:, bins] @ filters
    return mel


def power_to_db(power: np.ndarray, top_db: float | None = None) -> np.ndarray:
    """Decibels relative to full scale, from -100 dB up, as ``librosa.power_to_db`` with ``ref=1``.

    With `top_db`, values more than this below the loudest point are raised to that limit.
    """
    db = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
    return db if top_db is None else np.maximum(db, db.max() - top_db)


def log_mel(y: np.ndarray, *, n_mels: int = 64, top_db: float | None = None) -> np.ndarray:
    """The CNN's log-mel spectrogram of samples at 22,050 Hz, in dB: shape (1 + n // 512, n_mels), float32."""
    return log_mel_of(magnitude(y), n_mels, top_db)


def log_mel_of(magnitude: np.ndarray, n_mels: int, top_db: float | None = None) -> np.ndarray:
    """`log_mel` of the samples that `magnitude` was made of."""
    return power_to_db(mel_power(np.square(magnitude), n_mels), top_db)


def frequencies() -> np.ndarray:
    """Frequency of each of the 1,025 bins of the transform, in hertz."""
    return np.fft.rfftfreq(N_FFT, 1 / RATE)


def mel_frequencies(n: int, top_hz: float = RATE / 2) -> np.ndarray:
    """`n` frequencies in hertz, equally spaced on Slaney's mel scale from 0 Hz to `top_hz`, which is at least 1,000 Hz.

    The scale is linear below 1,000 Hz and logarithmic above: M. Slaney, "Auditory Toolbox", Technical Report 1998-010,
    Interval Research Corporation.
    """
    hz_a_mel, corner_hz, log_step = 200 / 3, 1000.0, np.log(6.4) / 27
    corner = corner_hz / hz_a_mel
    top = corner + np.log(top_hz / corner_hz) / log_step
    mel = np.linspace(0, top, n)
    return np.where(mel < corner, mel * hz_a_mel, corner_hz * np.exp(log_step * (mel - corner)))


@lru_cache
def mel_filters(n_mels: int, rate: int = RATE, n_fft: int = N_FFT) -> np.ndarray:
    """Triangular mel filters of unit area: shape (n_mels, 1 + n_fft // 2), float32.

    As ``librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels)``; `rate` is at least 2,000 samples a second.
    """
    edges, bins = mel_frequencies(n_mels + 2, rate / 2), np.fft.rfftfreq(n_fft, 1 / rate)
    below, above = bins - edges[:-2, None], edges[2:, None] - bins
    width = np.diff(edges)[:, None]
    triangles = np.maximum(0, np.minimum(below / width[:-1], above / width[1:]))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


@lru_cache
def _mel_blocks(n_mels):
    """Groups of neighbouring mel bands, the bins that they cover, and their filters, shape (bins, bands); the rest is zeros."""
    blocks = []
    for start in range(0, n_mels, _BANDS):
        filters = mel_filters(n_mels)[start : start + _BANDS]
        reached = np.flatnonzero(filters.any(axis=0))
        bins = slice(reached[0], reached[-1] + 1)
        blocks.append((slice(start, start + _BANDS), bins, np.ascontiguousarray(filters[:, bins].T)))
    return blocks


@lru_cache
def _hann():
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
