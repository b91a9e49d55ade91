"""What it costs to decode a stranger's recording in a process of its own, and to replace that process.

    python benchmarks/isolation.py

The same files decoded here and by a worker, in turns; the packets of a microphone's sound; then a worker killed while it rests
and the next answer waited for.
"""

import os
import signal
import statistics
import time
from pathlib import Path

import av
import numpy as np

from coughlab import audio
from coughlab.audio import opus, synthetic
from coughlab.serving import predictors, workers


def milliseconds(function, *arguments):
    began = time.perf_counter()
    function(*arguments)
    return 1000 * (time.perf_counter() - began)


def packets(samples):
    """Packets of 20 ms."""
    codec = av.CodecContext.create("libopus", "w")
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", opus.RATE
    for at in range(0, len(samples) - 960, 960):
        piece = (samples[None, at : at + 960] * 2**15).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate = opus.RATE
        yield from map(bytes, codec.encode(frame))


def worker_of(parent):
    return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[-1])


def main():
    pool = workers.Pool(1)
    (parent,) = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    for seconds in (2, 10, 60):
        data = audio.encode_wav(synthetic.recording(duration_s=float(seconds)), synthetic.RATE)
        here, there = [], []
        for _ in range(60):
            here.append(milliseconds(predictors.load, data))
            there.append(milliseconds(pool.load, data))
        here, there = statistics.median(here), statistics.median(there)
        print(
            f"a WAV file of {seconds} s: here {here:.2f} ms, in a worker {there:.2f} ms, {there / here:.1f} times"
        )
    sound, here, there = pool.sound(), [], []
    for packet in packets(synthetic.recording(duration_s=10.0, rate=opus.RATE)):
        here.append(milliseconds(opus.decode, packet))
        there.append(milliseconds(sound.decode, packet))
    here, there = statistics.median(here), statistics.median(there)
    print(f"a packet of a microphone's sound, 20 ms: here {here:.3f} ms, in a worker {there:.3f} ms")
    data = audio.encode_wav(synthetic.recording(duration_s=2.0), synthetic.RATE)
    usual, replaced = [], []
    for _ in range(20):
        usual.append(milliseconds(pool.answer, data))
        os.kill(worker_of(parent), signal.SIGKILL)
        replaced.append(milliseconds(pool.answer, data))
    usual, replaced = statistics.median(usual), statistics.median(replaced)
    print(f"an answer of 2 s: {usual:.1f} ms; by the next worker after one was killed {replaced:.1f} ms")
    pool.close()


main()
