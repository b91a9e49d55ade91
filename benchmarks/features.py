"""The 26 features: ours compared to one librosa call per feature, on the same samples, in one thread, in one run.

    python benchmarks/features.py

The floor is one short-time Fourier transform in single precision, which these features need in any case.
"""

import timeit

import librosa
import numpy as np
import scipy.fft
from shared.run import size
from shared.table import Row, show

from coughlab.audio import synthetic
from coughlab.features import acoustic, spectrum
from coughlab.system import resources

ROUNDS, CALLS = size(15, 1), size(5, 1)


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


def milliseconds(functions, y):
    """The least time of each; run in turns, so that other load on the machine affects all equally."""
    best = [float("inf")] * len(functions)
    for _ in range(ROUNDS):
        for k, function in enumerate(functions):
            best[k] = min(best[k], timeit.timeit(lambda function=function: function(y), number=CALLS) / CALLS)
    return [1000 * seconds for seconds in best]


def ours_of(y):
    return acoustic.from_magnitude(y, spectrum.magnitude(y))


def main():
    resources.use_one_thread()
    for seconds in (5, 10):
        y = synthetic.recording(onsets_s=np.arange(0.2, seconds, 0.9), duration_s=seconds, rate=spectrum.RATE)
        difference = np.abs(ours_of(y) / one_call_a_feature(y) - 1).max()
        ours, theirs, least = milliseconds((ours_of, one_call_a_feature, floor), y)
        what = f"the 26 features of {seconds} s, one thread"
        show(Row(what, ours, theirs, "ms", 6, least, against="one librosa call a feature"))
        print(
            f"  {ours / least:.1f} times the floor; largest relative difference from librosa {difference:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
