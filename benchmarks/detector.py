"""Cost of the cough detector: milliseconds of one core per second of sound, compared to its limit.

    python benchmarks/detector.py

The sound has 48,000 Hz, so that resampling is included. Every figure is the median of several runs.
"""

import statistics
import time

import numpy as np
from shared.run import size
from shared.table import Row, show

from coughlab import detector
from coughlab.audio import synthetic
from coughlab.detector import detect, frames
from coughlab.system import resources

LIMIT_MS, SECONDS, RUNS = 5.0, size(20, 2), size(7, 1)


def cost(work):
    """CPU milliseconds of `work` per second of sound: the median of several runs after one to warm up."""
    work()
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times) / SECONDS * 1000


def streamed(y, rate, piece_s):
    stream, size = detector.Stream(rate), round(piece_s * rate)
    for start in range(0, y.size, size):
        stream.feed(y[start : start + size])


def main():
    resources.use_one_thread()
    rate = synthetic.RATE
    y = synthetic.recording(onsets_s=np.arange(0.5, SECONDS - 1, 1.5), duration_s=SECONDS, rate=rate)
    ear = detector.default()
    window = frames.silence(detect.PAST + detect.PIECE + detect.FUTURE)
    pieces = round(SECONDS * frames.RATE / frames.HOP / detect.PIECE)
    for what, work in (
        ("a whole recording, from its samples to its coughs' probabilities", lambda: ear.moments(y, rate)),
        ("a stream that arrives in pieces of 20 ms, all that it costs", lambda: streamed(y, rate, 0.02)),
        ("a stream that arrives in pieces of 100 ms, all that it costs", lambda: streamed(y, rate, 0.1)),
        (
            f"of it the network alone, asked every {10 * detect.PIECE} ms",
            lambda: [ear.hear(window) for _ in range(pieces)],
        ),
    ):
        show(Row(f"detector: {what}", cost(work), LIMIT_MS, "ms a second", 1, against="limit"))


if __name__ == "__main__":
    main()
