"""A simulated COUGHVID, and how `features` and `audit` grow with it.

    python benchmarks/coughvid.py make FOLDER [--recordings 27550] [--jobs 1]
    python benchmarks/coughvid.py measure FOLDER [--sizes 1000,3000,9000,27550] [--jobs 2] [--figures FILE.json]
    python benchmarks/coughvid.py draw [--figures FILE.json]

The recordings are made by the code: other coughs at other times in each, 3 to 10 s, coded with Opus in WebM or OGG. One in twenty
is a changed copy of another, one in three hundred is damaged, one in nine hundred missing. They are the same in every run.
`make` goes on where it was stopped.
"""

import argparse
import csv
import uuid
from pathlib import Path

import joblib
import numpy as np
from changes import CHANGES, encoded

from coughlab import synthetic

#: As many as the published dataset has.
PUBLISHED = 27_550
RATE, BIT_RATE = 48_000, 32_000
#: Changes that a person who sends a recording twice may make; it is coded once more in any case.
COPIED = ("first 137 ms off", "noise 20 dB below", "telephone, 300 to 3,400 Hz", "12 dB quieter")
STATUS, SHARES = ("healthy", "symptomatic", "COVID-19"), (0.72, 0.2, 0.08)


def of(number):
    """All that is decided about a recording before it is made."""
    rng = np.random.default_rng([0, number])
    duration_s = rng.uniform(3, 10)
    return {
        "uuid": str(uuid.UUID(bytes=rng.bytes(16), version=4)),
        "suffix": ".webm" if rng.random() < 0.8 else ".ogg",
        "status": str(rng.choice(STATUS, p=SHARES)),
        "cough_detected": round(rng.uniform(0.8, 1), 4),
        "duration_s": duration_s,
        "onsets_s": np.sort(rng.uniform(0.05, duration_s - 0.5, rng.integers(2, 7))),
        "peak": rng.uniform(0.1, 0.9),
        "noise": 10 ** rng.uniform(-4, -2),
        "source": number - int(rng.integers(1, 20)) if number % 20 == 19 else None,
    }


def samples(number):
    told = of(number)
    if told["source"] is not None:
        change = CHANGES[COPIED[number // 20 % len(COPIED)]]
        return change(*samples(told["source"]))
    options = {name: told[name] for name in ("onsets_s", "duration_s", "peak", "noise")}
    # Seeds far apart, because recordings of neighbouring seeds share the hiss of their coughs.
    return synthetic.recording(rate=RATE, seed=10 * number, **options), RATE


def content(number):
    """The bytes of a recording's file; None where it is missing."""
    if number % 900 == 450:
        return None
    y, rate = samples(number)
    container = of(number)["suffix"].removeprefix(".")
    y = y.astype(np.float32)
    data = encoded(y, rate, container, "libopus", BIT_RATE, compression_level="2")
    if number % 300 == 150:
        return (b"", data[:50], np.random.default_rng(number).bytes(20_000))[number // 300 % 3]
    return data


def write(folder, number):
    told = of(number)
    path = folder / (told["uuid"] + told["suffix"])
    if path.exists() or (data := content(number)) is None:
        return
    aside = path.with_suffix(".new")
    aside.write_bytes(data)
    aside.replace(path)


def make(folder, n, jobs):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metadata_compiled.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["uuid", "cough_detected", "status"], extrasaction="ignore")
        table.writeheader()
        table.writerows(map(of, range(n)))
    work = (joblib.delayed(write)(folder, number) for number in range(n))
    for done, _ in enumerate(joblib.Parallel(n_jobs=jobs, return_as="generator")(work), start=1):
        if done % 1000 == 0 or done == n:
            print(f"{done:,} of {n:,} made", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    actions = parser.add_subparsers(required=True)
    action = actions.add_parser("make")
    action.add_argument("folder", type=Path)
    action.add_argument("--recordings", type=int, default=PUBLISHED)
    action.add_argument("--jobs", type=int, default=1)
    action.set_defaults(run=lambda told: make(told.folder, told.recordings, told.jobs))
    arguments = parser.parse_args()
    arguments.run(arguments)
