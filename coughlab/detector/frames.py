"""The detector's input: the log-mel spectrogram at 16,000 Hz, in frames of 10 ms.

A frame depends only on the samples around it, so that a stream gives the same frames as the whole recording. Frequencies above
8,000 Hz are not used, at any sample rate of the file.
"""

import numpy as np
import soxr

from coughlab.features.spectrum import FLOOR_DB, mel_filters, power_to_db

RATE = 16_000
#: Samples from one frame to the next: 10 ms.
HOP = 160
N_FFT = 512
N_MELS = 48
#: Frames per moment, the detector's time resolution: 40 ms.
MOMENT = 4
#: Zeros before the first sample, so that the middle of a frame's window is the middle of its 10 ms.
BEFORE = (N_FFT - HOP) // 2


def waveform(samples: np.ndarray, rate: int) -> np.ndarray:
    """Mono samples at `rate` hertz, resampled to 16,000 Hz."""
    return samples if rate == RATE else soxr.resample(samples, rate, RATE, quality="soxr_hq")


def log_mel(padded: np.ndarray) -> np.ndarray:
    """Log-mel frames of samples; the input includes the samples before and after them.

    Float32 samples at 16,000 Hz of shape (BEFORE + n * HOP + BEFORE,) give shape (n, 48), float32: decibels relative to full
    scale, from -100 up.
    """
    windows = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(windows * _HANN, axis=-1)) ** 2
    return power_to_db(power @ mel_filters(N_MELS, RATE, N_FFT).T).astype(np.float32)


def of(samples: np.ndarray, rate: int, after: int = 0) -> np.ndarray:
    """Log-mel frames of a whole recording, as `log_mel` returns them, with zeros around it and `after` frames beyond its end.

    The shape is (ceil(seconds * 100) + after, 48).
    """
    y = waveform(samples, rate)
    n = -(-y.size // HOP) + after
    return log_mel(np.pad(y, (BEFORE, BEFORE + n * HOP - y.size)))


def silence(n: int) -> np.ndarray:
    """Frames of digital silence, shape (n, 48)."""
    return np.full((n, N_MELS), FLOOR_DB, np.float32)


_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)
