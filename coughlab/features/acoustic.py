"""The 26 features of the case study, each the mean over frames, from one short-time Fourier transform.

Chroma, root mean square, spectral centroid, bandwidth and roll-off, zero-crossing rate and 20 MFCCs of the first 5 seconds,
with the definitions and defaults of librosa 0.11: B. McFee et al., "librosa: Audio and music signal analysis in Python",
Proc. SciPy 2015.
"""

from functools import lru_cache

import numpy as np

from coughlab.features import spectrum
from coughlab.features.sound import Sound
from coughlab.features.spectrum import HOP, N_FFT, RATE

#: Seconds of a recording that are used, as in the case study.
SECONDS = 5.0
N_MFCC = 20
N_CHROMA = 12
ROLL_PERCENT = 0.85

NAMES = (
    "chroma_stft",
    "rms",
    "spectral_centroid",
    "spectral_bandwidth",
    "rolloff",
    "zero_crossing_rate",
    *(f"mfcc{k}" for k in range(1, N_MFCC + 1)),
)


def extract(recording: Sound) -> np.ndarray:
    """The 26 features of a recording's first 5 seconds, in the order of `NAMES`: shape (26,), float32.

    >>> coughlab.extract_features(coughlab.load_audio(coughlab.make_cough())).shape
    (26,)
    """
    y = spectrum.waveform(recording, seconds=SECONDS)
    return from_magnitude(y, spectrum.magnitude(y))


def from_magnitude(y: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """The 26 features of samples at 22,050 Hz whose `spectrum.magnitude` is known.

    Centroid, bandwidth and roll-off are in hertz, zero crossings a share of the samples.
    """
    centroid, bandwidth = _centroid_and_bandwidth(magnitude)
    power = np.square(magnitude)
    return np.array(
        [
            _chroma(power).mean(),
            _rms(y).mean(),
            centroid.mean(),
            bandwidth.mean(),
            _rolloff(magnitude).mean(),
            _zero_crossing_rate(y).mean(),
            *_mean_mfcc(power),
        ],
        dtype=np.float32,
    )


def mfcc(y: np.ndarray) -> np.ndarray:
    """MFCCs of every frame of samples at 22,050 Hz: ``librosa.feature.mfcc``, transposed, shape (1 + n // 512, 20)."""
    return _mel_db(spectrum.magnitude(y) ** 2) @ _cosines().astype(np.float32)


def chroma(y: np.ndarray) -> np.ndarray:
    """Strength of the twelve pitch classes, from C to B, in every frame of samples at 22,050 Hz; the strongest is 1.

    ``librosa.feature.chroma_stft``, transposed: shape (1 + n // 512, 12), float32.
    """
    return _chroma(spectrum.magnitude(y) ** 2)


def _centroid_and_bandwidth(magnitude):
    hz = spectrum.frequencies()
    powers = np.stack([hz**0, hz, hz**2], axis=1)
    # In double precision, the second moment minus the squared first is accurate enough even for a pure tone.
    moments = [magnitude[rows].astype(float) @ powers for rows in spectrum.blocks(len(magnitude))]
    total, first, second = np.concatenate(moments).T
    total = np.where(total < np.finfo(np.float32).tiny, 1, total)
    centroid = first / total
    # A silent frame has no moments: librosa sets its centroid and its bandwidth to 0.
    return centroid, np.sqrt(np.maximum(second / total - centroid**2, 0))


def _rolloff(magnitude):
    roll = np.empty(len(magnitude), int)
    for rows in spectrum.blocks(len(magnitude)):
        cumulated = np.cumsum(magnitude[rows], axis=1)
        roll[rows] = np.argmax(cumulated >= ROLL_PERCENT * cumulated[:, -1:], axis=1)
    return spectrum.frequencies()[roll]


def _rms(y):
    # A frame is four hops, so each hop is summed only once.
    n_frames = 1 + y.size // HOP
    padded = np.zeros((n_frames + N_FFT // HOP - 1) * HOP)
    padded[N_FFT // 2 : N_FFT // 2 + y.size] = y[: padded.size - N_FFT // 2]
    hops = np.square(padded, out=padded).reshape(-1, HOP).sum(axis=1)
    return np.sqrt(np.lib.stride_tricks.sliding_window_view(hops, N_FFT // HOP).sum(axis=1) / N_FFT)


def _zero_crossing_rate(y):
    # Values closer to zero than 1e-10 count as positive.
    negative = np.pad(y, N_FFT // 2, mode="edge") < -1e-10
    crossings = np.concatenate([[0], np.cumsum(negative[1:] != negative[:-1])])
    starts = np.arange(1 + y.size // HOP) * HOP
    return (crossings[starts + N_FFT - 1] - crossings[starts]) / N_FFT


def _mel_db(power):
    return spectrum.power_to_db(spectrum.mel_power(power), top_db=80.0)


def _mean_mfcc(power):
    # The cosine transform is linear: the transform of the mean is the mean of the transforms.
    return _mel_db(power).mean(axis=0, dtype=float) @ _cosines()


@lru_cache
def _cosines():
    """The first 20 rows of the orthonormal discrete cosine transform (type II) of 128 bands: shape (128, 20)."""
    n = spectrum.N_MELS
    waves = np.cos(np.pi * (np.arange(n)[:, None] + 0.5) * np.arange(N_MFCC) / n)
    return waves * np.where(np.arange(N_MFCC) == 0, np.sqrt(1 / n), np.sqrt(2 / n))


def _chroma(power):
    raw = power @ _chroma_filters(_tuning(power)).T
    loudest = raw.max(axis=1, keepdims=True)
    return raw / np.where(loudest < np.finfo(np.float32).tiny, 1, loudest)


def _tuning(power):
    """How far the strong pitches are from the semitones of A440, as ``librosa.estimate_tuning(S=power)``: from -0.5 to 0.49."""
    lo, hi = np.searchsorted(spectrum.frequencies(), [150.0, 4000.0])
    band, weak = power[:, lo - 1 : hi + 1], 0.1 * power.max(axis=1)
    # librosa sets weak neighbours to 0; a peak is above them in either case.
    peaks = band[:, 1:-1] > weak[:, None]
    peaks &= band[:, 1:-1] > band[:, :-2]
    peaks &= band[:, 1:-1] >= band[:, 2:]
    frame, k = np.divmod(np.flatnonzero(peaks), hi - lo)
    if not k.size:
        return 0.0
    # A parabola through each peak and its neighbours, rounded to single precision where librosa rounds, because the
    # histogram below can tip on a rounding.
    left, peak, right = (band[frame, k + i] for i in range(3))
    slope, curvature = (right - left) / 2, (left + right) - 2 * peak.astype(float)
    flat = np.abs(slope) >= np.abs(curvature)
    shift = np.where(flat, 0, -slope / np.where(flat, 1, curvature)).astype(np.float32)
    pitch = ((k + lo + shift.astype(float)) * RATE / N_FFT).astype(np.float32)
    height = peak + np.float32(0.5) * slope * shift
    pitch = pitch[height >= np.median(height)]
    residual = np.mod(N_CHROMA * np.log2(pitch / np.float32(440 / 16)), np.float32(1))
    residual[residual >= 0.5] -= 1
    counts, edges = np.histogram(residual, np.linspace(-0.5, 0.5, 101))
    return float(edges[np.argmax(counts)])


@lru_cache(maxsize=100)
def _chroma_filters(tuning):
    """As ``librosa.filters.chroma(sr=22050, n_fft=2048, tuning=tuning)``: shape (12, 1025), float32."""
    hz = np.arange(1, N_FFT) * RATE / N_FFT
    octaves = np.log2(hz / (440.0 * 2 ** (tuning / N_CHROMA) / 16))
    bins = N_CHROMA * np.concatenate([[octaves[0] - 1.5], octaves])
    width = np.append(np.maximum(np.diff(bins), 1), 1)
    half = N_CHROMA // 2
    distance = np.remainder(bins - np.arange(N_CHROMA)[:, None] + half, N_CHROMA) - half
    weights = np.exp(-0.5 * (2 * distance / width) ** 2)
    weights /= np.linalg.norm(weights, axis=0)
    weights *= np.exp(-0.5 * ((bins / N_CHROMA - 5) / 2) ** 2)
    return np.roll(weights, -3, axis=0)[:, : 1 + N_FFT // 2].astype(np.float32)
