"""Synthetic coughs, computed by a formula: the app's sample, and the audio of the tests.

A classifier's answer about them means nothing, and no classifier is trained on them. The detector is, because it has to find them
too.
"""

from collections.abc import Sequence

import numpy as np

from coughlab.audio import encode_wav

RATE = 48_000


def cough(*, rate: int = RATE, seed: int = 0, pitch_hz: float = 180.0, duration_s: float = 0.4) -> np.ndarray:
    """One synthetic cough with a peak of 1, float32: a burst, a hiss that decays, and a short voiced end.

    The three phases and their rough lengths follow Korpáš, Sadloňová and Vrabec, "Analysis of the cough sound: an
    overview", Pulmonary Pharmacology 9 (1996).
    """
    rng = np.random.default_rng(seed)
    t = np.arange(round(rate * duration_s)) / rate
    hiss = rng.standard_normal(t.size)
    # A one-pole low-pass filter makes white noise sound like air in a throat.
    throat = np.convolve(hiss, np.exp(-np.arange(64) / (rate / 4000)), mode="same")
    voice = sum(np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 9))
    burst = np.minimum(t / 0.004, 1) * np.exp(-t / 0.035)
    decay = np.minimum(t / 0.02, 1) * np.exp(-t / (duration_s / 4))
    voiced = np.exp(-(((t - 0.7 * duration_s) / (0.12 * duration_s)) ** 2))
    y = 1.0 * burst * hiss + 0.25 * decay * throat + 0.12 * voiced * voice
    y *= np.minimum((t[-1] - t) / 0.02, 1)
    return (y / np.abs(y).max()).astype(np.float32)


def recording(
    *,
    onsets_s: Sequence[float] = (0.5, 1.4, 2.2),
    duration_s: float = 3.5,
    rate: int = RATE,
    seed: int = 0,
    peak: float = 0.6,
    noise: float = 0.001,
) -> np.ndarray:
    """Several synthetic coughs of 0.4 s, at given times, in faint noise, float32.

    `peak` is the peak of the loudest cough, full scale 1; `noise` is the standard deviation of the background.
    """
    rng = np.random.default_rng(seed)
    y = noise * rng.standard_normal(round(rate * duration_s))
    for k, onset in enumerate(onsets_s):
        one = cough(rate=rate, seed=seed + k, pitch_hz=rng.uniform(120, 260))
        start = round(rate * onset)
        room = y[start : start + one.size]
        room += peak * (1 - 0.15 * (k % 3)) * one[: room.size]
    return y.astype(np.float32)


def sample() -> bytes:
    """The sample of the app: three synthetic coughs as a 16-bit WAV file.

    >>> coughlab.make_cough()[:4]
    b'RIFF'
    """
    return encode_wav(recording(), RATE)
