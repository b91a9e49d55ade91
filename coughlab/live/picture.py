"""The rolling picture of a sound: one column of bytes every 20 ms, computed once and sent at once.

A column holds the lowest and the highest sample, the level, a mark, and 48 mel bands up to 12,000 Hz: the data for one vertical
line of waveform and of spectrogram in the browser.
"""

import numpy as np

from coughlab.audio.opus import RATE
from coughlab.features.spectrum import mel_filters, mel_frequencies

HOP = RATE // 50
COLUMN_S = HOP / RATE
N_FFT = 2048
BANDS = 48
TOP_HZ = RATE / 4
#: Bytes of a column: lowest, highest, level, mark, bands.
SIZE = 4 + BANDS
#: Marks: ordinary sound; the first column after a break; missing sound.
SOUND, BREAK, MISSING = 0, 1, 2
#: Columns that are kept: a little more than the browser shows.
KEPT = round(12 / COLUMN_S)
#: Columns that the level meter uses.
LEVEL_OVER = round(0.2 / COLUMN_S)
FLOOR_DB = -100.0


class Columns:
    """The newest columns of a sound."""

    def __init__(self) -> None:
        self._tail = np.zeros(N_FFT - HOP, np.float32)  # earlier samples in the next column's window
        self._rest = np.empty(0, np.float32)  # less than a column
        self._kept = np.zeros((KEPT, SIZE), np.uint8)
        self.end = 0  # columns so far
        self._break = False

    def push(self, samples: np.ndarray) -> None:
        """Take more of the sound (shape (n,), float32)."""
        y = np.concatenate([self._rest, samples])
        n = y.size // HOP
        y, self._rest = y[: n * HOP], y[n * HOP :]
        if n:
            self._add(_columns(self._tail, y.reshape(n, HOP)))
            self._tail = np.concatenate([self._tail, y])[-self._tail.size :]

    def skip(self, n_samples: int) -> None:
        """Mark a break with a number of missing samples."""
        missing = (self._rest.size + n_samples) // HOP
        self._rest = np.zeros((self._rest.size + n_samples) % HOP, np.float32)
        self._tail = np.zeros_like(self._tail)
        blank = np.zeros((min(missing, KEPT), SIZE), np.uint8)
        blank[:, :2], blank[:, 3] = 128, MISSING
        self.end += missing - len(blank)
        self._add(blank)
        self._break = True

    def newest(self, n: int) -> tuple[int, bytes]:
        """The last `n` columns, or fewer if there are fewer: number of the first since the sound began, and `SIZE` bytes each."""
        n = min(n, KEPT, self.end)
        return self.end - n, self._rows(self.end - n, self.end).tobytes()

    def level(self) -> tuple[float, float]:
        """RMS level of the last fifth of a second, in decibels relative to full scale, and its peak, full scale 1."""
        rows = self._rows(max(self.end - LEVEL_OVER, 0), self.end)
        if not len(rows):
            return FLOOR_DB, 0.0
        power = 10 ** ((rows[:, 2] / 2.55 - 100) / 10)
        peak = np.abs(rows[:, :2].astype(int) - 128).max() / 127
        return max(float(10 * np.log10(power.mean())), FLOOR_DB), min(float(peak), 1.0)

    def _rows(self, start, end):
        return self._kept[np.arange(start, end) % KEPT]

    def _add(self, columns):
        if not len(columns):
            return
        if self._break and columns[0, 3] == SOUND:
            columns[0, 3], self._break = BREAK, False
        self.end += len(columns)
        columns = columns[-KEPT:]
        self._kept[np.arange(self.end - len(columns), self.end) % KEPT] = columns


def ticks() -> list[tuple[str, float]]:
    """Ticks of the frequency axis: labels, and positions as shares of the height from the bottom."""
    scale = mel_frequencies(BANDS + 2, TOP_HZ)
    at = np.interp([500, 1000, 2000, 4000, 8000], scale, np.arange(BANDS + 2)) / (BANDS + 1)
    return list(zip(["500 Hz", "1 kHz", "2 kHz", "4 kHz", "8 kHz"], at.round(4).tolist(), strict=True))


def _columns(tail, y):
    """Columns of the samples `y`, shape (n, HOP); `tail` are the samples before them."""
    columns = np.zeros((len(y), SIZE), np.uint8)
    columns[:, 0] = 128 + np.clip(np.floor(127 * y.min(axis=1)), -127, 127)
    columns[:, 1] = 128 + np.clip(np.ceil(127 * y.max(axis=1)), -127, 127)
    columns[:, 2] = _bytes(np.mean(y**2, axis=1))
    sound = np.concatenate([tail, y.ravel()])
    windows = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(windows * _HANN, axis=-1)[:, : N_FFT // 4 + 1]) ** 2
    columns[:, 4:] = _bytes(power @ _FILTERS.T)
    return columns


def _bytes(power):
    """Decibels from -100 to 0 as bytes from 0 to 255."""
    return np.clip(np.round(2.55 * (10 * np.log10(np.maximum(power, 1e-10)) + 100)), 0, 255).astype(np.uint8)


# Scaled so that a sine of full scale has 0 dB.
_HANN = ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)) * 4 / N_FFT).astype(np.float32)
# The bins up to a quarter of the rate equal those of half the rate and half the window. The peaks of the filters are 1, so that a
# pure tone looks equally loud at any frequency.
_FILTERS = mel_filters(BANDS, RATE // 2, N_FFT // 2)
_FILTERS = _FILTERS / _FILTERS.max(axis=1, keepdims=True)
