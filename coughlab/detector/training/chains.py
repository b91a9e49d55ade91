"""Random effects of a recording chain on a sound: level, room, equaliser, noise, clipping, codec, bandwidth."""

import io

import numpy as np
import scipy.signal
import soundfile
import soxr

from coughlab.detector import frames
from coughlab.detector.training import sounds

RATE = frames.RATE
#: File format, subtype and sample rates of the codecs that are applied to scenes.
CODECS = (
    ("MP3", "MPEG_LAYER_III", (8000, 11_025, 16_000)),
    ("OGG", "OPUS", (8000, 16_000)),
    ("OGG", "VORBIS", (8000, 11_025, 16_000)),
    ("WAV", "ULAW", (8000,)),
    ("WAV", "GSM610", (8000,)),
    ("WAV", "IMA_ADPCM", (8000, 11_025, 16_000)),
    ("WAV", "PCM_U8", (8000, 11_025, 16_000)),
)
_TELEPHONE = (("MP3", "MPEG_LAYER_III", (8000,)),) * 3 + CODECS[3:5]


def chain(y: np.ndarray, rng: np.random.Generator, narrow: bool = False) -> np.ndarray:
    """Send samples at 16,000 Hz through a recording chain drawn at random.

    If `narrow`, the chain ends with a telephone line. The float32 samples have a peak between -45 and 0 dB.
    """
    y = np.asarray(y, np.float64)
    peak = np.abs(y).max()
    y = y / peak if peak > 1e-3 else y
    # Most sounds stay unchanged.
    for change, share in _CHANGES if rng.random() < 0.35 else ():
        if rng.random() < share:
            y = change(y, rng)
    if narrow:
        y = _coded(y, rng, _TELEPHONE)
    y = y / max(np.abs(y).max(), 1e-3) * 0.95
    gain = 10 ** (-abs(rng.normal(0, 16)) / 20)
    return (np.round(y * gain * 2**15) / 2**15).astype(np.float32)


def _noisy(y, rng):
    noise = sounds.noise(rate=RATE, seed=int(rng.integers(2**31)), duration_s=y.size / RATE, peak=1)
    return y + noise * 10 ** (-rng.uniform(16, 60) / 20)


def _clipped(y, rng):
    top = max(np.abs(y).max(), 1e-3) * rng.uniform(0.2, 0.7)
    return np.clip(y, -top, top)


def _narrowed(y, rng):
    edge = rng.choice([3400, 4000, 5500, 7000])
    y = scipy.signal.sosfilt(scipy.signal.butter(8, edge, fs=RATE, output="sos"), y)
    if rng.random() < 0.4:
        return y
    low = rng.uniform(60, 320)
    return scipy.signal.sosfilt(scipy.signal.butter(3, low, "highpass", fs=RATE, output="sos"), y)


def _room(y, rng):
    t = np.arange(int(0.4 * RATE)) / RATE
    tail = (
        rng.standard_normal(t.size)
        * np.exp(-t * 6.9 / rng.uniform(0.08, 0.6))
        * (t > rng.uniform(0.002, 0.02))
    )
    tail *= rng.uniform(0.1, 0.8) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    return scipy.signal.fftconvolve(y, tail)[: y.size]


def _equalised(y, rng):
    spectrum = np.fft.rfft(y)
    octave = np.log2(np.maximum(np.fft.rfftfreq(y.size, 1 / RATE), 50) / 1000)
    db = rng.normal(0, 2.5) * octave
    for _ in range(rng.integers(0, 4)):
        db += rng.normal(0, 6) * np.exp(-(((octave - rng.uniform(-3, 3)) / rng.uniform(0.2, 1)) ** 2))
    return np.fft.irfft(spectrum * 10 ** (db / 20), y.size)


def _coded(y, rng, codecs=CODECS):
    container, subtype, rates = codecs[rng.integers(len(codecs))]
    rate = int(rng.choice(rates))
    buffer = io.BytesIO()
    low = soxr.resample(y / max(np.abs(y).max(), 1e-3) * 0.9, RATE, rate)
    lossy = (
        {"compression_level": float(rng.uniform(0.3, 0.99))}
        if subtype in ("MPEG_LAYER_III", "VORBIS", "OPUS")
        else {}
    )
    soundfile.write(buffer, np.clip(low, -1, 1), rate, format=container, subtype=subtype, **lossy)
    buffer.seek(0)
    decoded = soxr.resample(soundfile.read(buffer)[0], rate, RATE)
    decoded = _aligned(decoded, y) if subtype == "MPEG_LAYER_III" else decoded
    return np.pad(decoded[: y.size], (0, max(0, y.size - decoded.size)))


def _aligned(decoded, y):
    """Without the delay that an MP3 encoder adds."""
    lags = scipy.signal.correlate(decoded[: 2 * RATE], y[: 2 * RATE], method="fft")
    delay = int(np.argmax(lags)) - min(2 * RATE, y.size) + 1
    return decoded[delay:] if 0 < delay < RATE // 4 else decoded


#: Effects of a chain, in this order, and how often each is applied.
_CHANGES = (
    (_room, 0.4),
    (_equalised, 0.7),
    (_noisy, 0.7),
    (_clipped, 0.15),
    (_coded, 0.5),
    (_narrowed, 0.5),
)
