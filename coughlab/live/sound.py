"""Joins frames of sound from a browser to one continuous sound, and stores its last seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

from coughlab.audio import mixing

# After the intake all sound has the rate of Opus, the codec that browsers use.
from coughlab.audio.opus import RATE

if TYPE_CHECKING:
    from av import AudioFrame
#: Lost packets are replaced by silence up to this many seconds; a longer gap is a break.
FILLED_S = 0.5
#: Whether channels cancel each other is looked at over this many seconds.
MEASURED_S = 1.0


def block(frame: AudioFrame) -> np.ndarray:
    """The samples of a frame in its own number type, shape (n, channels)."""
    samples = frame.to_ndarray()
    return samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)


class Intake:
    """Joins frames to one sound at `RATE`."""

    def __init__(self) -> None:
        #: The channel that is listened to where the channels cancel each other; else their mean is.
        self.channel: int | None = None
        self._energies, self._measured_s = mixing.Energies(), 0.0
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
        rate = frame.sample_rate
        y = self._mixed(block(frame), rate)
        gap_s = 0.0
        if frame.pts is not None and frame.time_base:
            start_s = float(frame.pts * frame.time_base)
            if self._expected is not None:
                gap_s = max(start_s - self._expected, 0.0)
            self._expected = start_s + y.size / rate
        if 0.001 <= gap_s <= FILLED_S:
            y = np.concatenate([np.zeros(round(gap_s * rate), np.float32), y])
        return gap_s if gap_s > FILLED_S else 0.0, self._resampled(y, rate)

    def _mixed(self, samples, rate):
        self._energies.add(samples, rate)
        self._measured_s += len(samples) / rate
        if self._measured_s >= MEASURED_S:
            channel = self._energies.loudest_instead(silent=False)
            # A channel that was taken stays: sound that is the same in both is in each.
            self.channel = channel if self.channel is None else self.channel
            self._energies, self._measured_s = mixing.Energies(), 0.0
        one = self.channel is not None and self.channel < samples.shape[1]
        return mixing.mono(samples[:, self.channel : self.channel + 1] if one else samples)

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
