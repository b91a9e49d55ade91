"""The 26 features: ours beside one librosa call a feature, on the same samples, in one thread, in one run.

python benchmarks/features.py
"""

import timeit

import librosa
import numpy as np
import scipy.fft

from coughlab import synthetic
from coughlab.signal import features, spectrum


def one_call_a_feature(y):
    f, sr = librosa.feature, spectrum.RATE
    return np.array(
        [
            f.chroma_stft(y=y, sr=sr).mean(),
            f.rms(y=y).mean(),
            f.spectral_centroid(y=y, sr=sr).mean(),
            f.spectral_bandwidth(y=y, sr=sr).mean(),
            f.spectral_rolloff(y=y, sr=sr).mean(),
            f.zero_crossing_rate(y).mean(),
            *f.mfcc(y=y, sr=sr).mean(axis=1),
        ]
    )


def floor(y):
    """One short-time Fourier transform and nothing else."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, 1024), 2048)[::512]
    return scipy.fft.rfft(frames * np.hanning(2048).astype(np.float32))


def milliseconds(function, y):
    function(y)
    return min(timeit.repeat(lambda: function(y), number=5, repeat=9)) / 5 * 1000


spectrum.use_one_thread()
for seconds in (5, 10):
    y = synthetic.recording(onsets_s=np.arange(0.2, seconds, 0.9), duration_s=seconds, rate=spectrum.RATE)
    ours, theirs, least = (milliseconds(f, y) for f in (features.from_waveform, one_call_a_feature, floor))
    difference = np.abs(features.from_waveform(y) / one_call_a_feature(y) - 1).max()
    print(
        f"{seconds:2} s: {theirs / ours:.1f} times faster than one librosa call a feature"
        f" ({ours:.1f} ms, {theirs:.1f} ms); {ours / least:.1f} times one transform ({least:.1f} ms);"
        f" largest relative difference {difference:.1e}"
    )
