"""The features of a dataset by two processes compared to one, and whether memory grows with the number of recordings.

    python benchmarks/processes.py

Synthetic recordings of 5 s, as WAV files of 44,100 Hz. The processes are started and have measured some recordings before the
clock starts. Reading the files, decoding, measuring and writing the table are included. One and two processes take turns, three
times, and the best of each counts, so that other load on the machine affects both equally.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
from shared.run import size
from shared.table import Row, show
from shared.usage import measured

from coughlab import audio
from coughlab.audio import synthetic

#: Number of recordings, and number of files when each recording has four names.
N, MANY = size((400, 1600), (65, 130))
ROUNDS, SECONDS, RATE = size(3, 1), size(5.0, 1.0), 44_100


def write(folder, times):
    """A dataset of `N` recordings, each under several names."""
    for number in range(N):
        onsets = np.sort(np.random.default_rng(number).uniform(0.1, SECONDS - 0.5, 4))
        y = synthetic.recording(onsets_s=onsets, duration_s=SECONDS, rate=RATE, seed=10 * number)
        first = folder / ("covid" if number % 2 else "healthy") / f"{number:04}-0.wav"
        first.parent.mkdir(parents=True, exist_ok=True)
        first.write_bytes(audio.encode_wav(y, RATE))
        for again in range(1, times):
            os.link(first, first.with_name(f"{number:04}-{again}.wav"))


def main():
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        write(place / "few", 1)
        write(place / "many", MANY // N)
        runs = {1: [], 2: []}
        for turn in range(ROUNDS):
            for jobs, those in runs.items():
                out = place / f"{jobs}-{turn}"
                those.append(measured("features", "own", place / "many", out, jobs, "--warm"))
                usage = those[-1]
                print(
                    f"{jobs}: {usage['wall_s']:.1f} s by the clock, {usage['cpu_s']:.1f} s of CPU in the process that hands out,"
                    f" {usage['workers_cpu_s']:.1f} s in workers",
                    flush=True,
                )
        few = measured("features", "own", place / "few", place / "out", 2, "--warm")
    one, two = (min(run["wall_s"] for run in runs[jobs]) for jobs in runs)
    show(
        Row(
            f"features of {MANY:,} recordings of {SECONDS:g} s, 2 processes",
            MANY / two,
            MANY / one,
            "recordings/s",
            1.8,
            more=True,
            against="1 process",
        )
    )
    many = runs[2][-1]
    for whose, peaks in (
        ("the process that hands out", (many["peak_mb"], few["peak_mb"])),
        ("the larger worker", (max(many["workers_mb"]), max(few["workers_mb"]))),
    ):
        show(
            Row(
                f"most memory of {whose}, {MANY:,} recordings",
                *peaks,
                "MB",
                0.95,
                against=f"{N} recordings",
            )
        )


if __name__ == "__main__":
    main()
