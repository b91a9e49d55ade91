"""What the cough detector costs: milliseconds of one core for each second of sound, as a share of its goal.

    python benchmarks/detector.py

Sound as it is recorded (48,000 Hz), so that resampling counts. The goal is 5 ms for each second of sound. Every figure is the
median of several runs, beside its ratio to the goal: below 1 the goal is met.
"""

import statistics
import time

import numpy as np

from coughlab import detector
from coughlab.audio import synthetic
from coughlab.detector import detect, frames
from coughlab.features import spectrum

GOAL_MS, SECONDS, RUNS = 5.0, 20, 7


def cost(work):
    """Milliseconds of CPU that `work` takes for each second of sound, the median of several runs after one to warm up."""
    work()
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times) / SECONDS * 1000


def show(what, ms):
    print(f"{what:70} {ms:6.2f} ms a second   goal {GOAL_MS:.0f} ms   ratio {ms / GOAL_MS:.2f}", flush=True)


def streamed(y, rate, piece_s):
    stream, size = detector.Stream(rate), round(piece_s * rate)
    for start in range(0, y.size, size):
        stream.feed(y[start : start + size])


spectrum.use_one_thread()
rate = synthetic.RATE
y = synthetic.recording(onsets_s=np.arange(0.5, SECONDS - 1, 1.5), duration_s=SECONDS, rate=rate)
ear = detector.default()
window = frames.silence(detect.PAST + detect.PIECE + detect.FUTURE)
pieces = round(SECONDS * frames.RATE / frames.HOP / detect.PIECE)
show("a whole recording, from its samples to its coughs' probabilities", cost(lambda: ear.moments(y, rate)))
show("a stream that arrives in pieces of 20 ms, all that it costs", cost(lambda: streamed(y, rate, 0.02)))
show("a stream that arrives in pieces of 100 ms, all that it costs", cost(lambda: streamed(y, rate, 0.1)))
show(
    f"of it the network alone, asked every {10 * detect.PIECE} ms",
    cost(lambda: [ear.hear(window) for _ in range(pieces)]),
)
