"""Cost of decoding an untrusted recording in a separate process, and of replacing that process.

    python benchmarks/isolation.py

The same files are decoded here and by a worker, in turns; then packets of a microphone's sound. Then an idle worker is killed and
the next answer is timed.
"""

import statistics
import time

import av
import numpy as np
import psutil
from shared.run import size
from shared.server import wav
from shared.table import Row, show

from coughlab.audio import opus, synthetic
from coughlab.serving import predictors, workers

FILES, PACKETS_S, KILLED = size(60, 1), size(10.0, 0.5), size(20, 1)


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


def main():
    pool = workers.Pool(1)
    (parent,) = psutil.Process().children()
    for seconds in (2, 10, 60):
        data, here, there = wav(float(seconds)), [], []
        for _ in range(FILES):
            here.append(milliseconds(predictors.load, data))
            there.append(milliseconds(pool.load, data))
        compare(f"decoding a WAV file of {seconds} s in a worker", there, here, "in the same process")
    sound, here, there = pool.sound(), [], []
    for packet in packets(synthetic.recording(duration_s=PACKETS_S, rate=opus.RATE)):
        here.append(milliseconds(opus.decode, packet))
        there.append(milliseconds(sound.decode, packet))
    compare("decoding 20 ms of a microphone's sound in a worker", there, here, "in the same process")
    data, usual, replaced = wav(2.0), [], []
    for _ in range(KILLED):
        usual.append(milliseconds(pool.answer, data))
        parent.children()[-1].kill()
        replaced.append(milliseconds(pool.answer, data))
    compare("an answer to 2 s by the next worker after one was killed", replaced, usual, "by the same worker")
    pool.close()


def compare(what, times, others, against):
    show(Row(what, statistics.median(times), statistics.median(others), "ms", against=against))


if __name__ == "__main__":
    main()
