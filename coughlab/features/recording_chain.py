"""Properties of how a recording was made: file, level and background. None of them is related to a disease.

A microphone, a room, a phone's gain and a web site's format leave traces in the sound. If these differ between the labels, a
model can score well without any information from coughs; these measurements show how well.
"""

import numpy as np

from coughlab.features import quality, spectrum
from coughlab.features.sound import Sound

N_BANDS = 16
#: Properties of the file, known without decoding it.
FILE = ("file_log2_rate", "file_channels", "file_log2_seconds", "file_bit_depth", "file_compressed")
#: Loudness, and the highest frequency with sound.
LEVEL = (
    "level_rms_db",
    "level_peak_db",
    "level_crest_db",
    "level_offset_db",
    "level_clipped",
    "level_bandwidth_hz",
    "level_bandwidth_share",
)
#: Background: level and spectrum of the quietest frames.
QUIET = ("quiet_db", *(f"quiet_band{k}" for k in range(1, N_BANDS + 1)))
NAMES = FILE + LEVEL + QUIET

#: Share of the frames that are background.
QUIET_SHARE = 0.1
#: Digital silence in dB: below any sound that a 16-bit file can have.
FLOOR_DB = -120.0
#: A frequency counts as recorded if its power is this close to the strongest, in dB ...
RANGE_DB = 80.0
#: ... and this far above the noise of rounding to 16 bits.
ABOVE_ROUNDING_DB = 6.0
#: Frames transformed at once; bounds the memory for a long recording.
_BLOCK = 1024


def measure(recording: Sound) -> np.ndarray:
    """The recording chain of the whole recording, in the order of `NAMES`: shape (len(NAMES),), float64, all finite.

    Levels are in dB relative to full scale, at least -120. If the codec has no bit depth, ``file_bit_depth`` is 0 and
    ``file_compressed`` is 1. ``level_clipped`` is the share of samples on flat tops. ``level_bandwidth_hz`` is the highest
    frequency with sound in it, ``level_bandwidth_share`` the same as a share of half the sample rate. ``quiet_db`` is the mean
    level of the mel bands in the quietest tenth of the frames, and ``quiet_band<k>`` the difference of band k from that mean.
    """
    bandwidth = _bandwidth(recording)
    return np.array([*_file(recording), *_level(recording.samples), *bandwidth, *_quiet(recording)])


def _file(recording):
    depth = recording.bit_depth or 0
    return np.log2(recording.rate), recording.channels, np.log2(recording.duration), depth, float(depth == 0)


def _level(y):
    mean = y.mean(dtype=float)
    rms = np.sqrt(np.square(y, dtype=float).mean())
    peak = max(y.max(), -y.min())
    rms_db, peak_db, offset_db = (_db(value**2) for value in (rms, float(peak), mean))
    return rms_db, peak_db, peak_db - rms_db, offset_db, quality.clipped_share(y)


def _bandwidth(recording):
    # A frame is at most 50 ms, and no recording is shorter than two of those.
    n_fft = 2 ** int(np.log2(0.05 * recording.rate))
    total, count = 0.0, 0
    for power in _power(recording.samples, n_fft, n_fft // 2):
        total, count = total + power.sum(axis=0, dtype=float), count + len(power)
    db = _db(total / count)
    # Power of uniform rounding noise, step^2 / 12, in one bin of a transform with a Hann window.
    rounding = _db(2.0**-30 / 12 * np.square(_hann(n_fft)).sum())
    present = np.flatnonzero(db > max(db.max() - RANGE_DB, rounding + ABOVE_ROUNDING_DB))
    share = (present[-1] if present.size else 0) / (n_fft // 2)
    return share * recording.rate / 2, share


def _quiet(recording):
    y = spectrum.waveform(recording)
    filters = spectrum.mel_filters(N_BANDS).T / spectrum.N_FFT
    bands = np.concatenate([power @ filters for power in _power(y, spectrum.N_FFT, spectrum.HOP)])
    n_quiet = max(1, round(QUIET_SHARE * len(bands)))
    quietest = np.argsort(bands.sum(axis=1), kind="stable")[:n_quiet]
    db = _db(bands[quietest].mean(axis=0))
    return db.mean(), *(db - db.mean())


def _power(y, n_fft, hop):
    """Squared magnitudes of the complete frames, in blocks of shape (<= 1024, n_fft // 2 + 1)."""
    # Not NumPy's, which rounds single precision differently. Imported here because serving needs no SciPy.
    import scipy.fft

    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft)[::hop]
    for start in range(0, len(frames), _BLOCK):
        yield np.abs(scipy.fft.rfft(frames[start : start + _BLOCK] * _hann(n_fft), axis=-1)) ** 2


def _hann(n_fft):
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)


def _db(power):
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10), dtype=float))
