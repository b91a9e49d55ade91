"""Joins frames of sound from a browser to one continuous sound, and stores its last seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

# After the intake all sound has the rate of Opus, the codec that browsers use.
from coughlab.audio.opus import RATE

if TYPE_CHECKING:
    from av import AudioFrame
#: Lost packets are replaced by silence up to this many seconds; a longer gap is a break.
FILLED_S = 0.5


def mono(frame: AudioFrame) -> np.ndarray:
    """Mean of the channels of a frame, at its own rate, full scale 1 (shape (n,), float32)."""
    channels = frame.layout.nb_channels
    samples = frame.to_ndarray()
    samples = samples if frame.format.is_planar else samples.reshape(-1, channels).T
    y = samples.mean(axis=0, dtype=np.float32)
    if samples.dtype.kind == "u":
        y -= 128
    if samples.dtype.kind != "f":
        y /= 2.0 ** (8 * samples.dtype.itemsize - 1)
    return y


class Intake:
    """Joins frames to one sound at `RATE`."""

    def __init__(self) -> None:
        self._rate: int | None = None
        self._resampler: soxr.ResampleStream | None = None
        self._expected: float | None = None

    def take(self, frame: AudioFrame) -> tuple[float, np.ndarray]:
        """Take the next frame; packets before it may have been lost.

        Returns
        -------
        missing_s : float
            Seconds that are missing before it, if the gap is too long to be filled.
        samples : ndarray, shape (n,), float32
            Mono at `RATE`; a short gap before it is filled with silence.
        """
        y, rate = mono(frame), frame.sample_rate
        gap_s = 0.0
        if frame.pts is not None and frame.time_base:
            start_s = float(frame.pts * frame.time_base)
            if self._expected is not None:
                gap_s = max(start_s - self._expected, 0.0)
            self._expected = start_s + y.size / rate
        if 0.001 <= gap_s <= FILLED_S:
            y = np.concatenate([np.zeros(round(gap_s * rate), np.float32), y])
        return gap_s if gap_s > FILLED_S else 0.0, self._resampled(y, rate)

    def forget(self) -> None:
        """Start a new sound with the next frame."""
        self._rate = self._resampler = self._expected = None

    def _resampled(self, y, rate):
        if rate == RATE:
            self._resampler = None
        elif self._resampler is None or rate != self._rate:
            self._resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        self._rate = rate
        return y if self._resampler is None else self._resampler.resample_chunk(y)


class Ring:
    """The last seconds of a sound."""

    def __init__(self, seconds: float):
        self._samples = np.zeros(round(seconds * RATE), np.float32)
        self.end = 0  # samples so far

    def write(self, samples: np.ndarray) -> None:
        """Append sound (shape (n,), float32)."""
        self.skip(samples.size - self._samples.size)
        samples = samples[-self._samples.size :]
        first = self.end % self._samples.size
        head = samples[: self._samples.size - first]
        self._samples[first : first + head.size] = head
        self._samples[: samples.size - head.size] = samples[head.size :]
        self.end += samples.size

    def skip(self, n: int) -> None:
        """Append a number of missing samples as silence."""
        if n <= 0:
            return
        silent = min(n, self._samples.size)
        self._samples[np.arange(self.end + n - silent, self.end + n) % self._samples.size] = 0
        self.end += n

    def read(self, start: int, end: int) -> np.ndarray:
        """Samples from one position to another, as far as they are still stored (float32)."""
        start, end = max(start, self.end - self._samples.size, 0), min(end, self.end)
        return self._samples[np.arange(start, max(end, start)) % self._samples.size]
