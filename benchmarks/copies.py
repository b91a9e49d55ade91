"""How well copies are found among real recordings, and how time and memory grow with the size of a dataset.

    python benchmarks/copies.py recall --data FOLDER    FOLDER holds the datasets by name
    python benchmarks/copies.py growth

Recall: recordings of each dataset are changed in memory and looked for among the originals. Growth: synthetic recordings of 3 s,
one in twenty of them a changed copy of another.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from changes import CHANGES, noisy, telephone

from coughlab import audio, datasets
from coughlab.audio import Recording, synthetic
from coughlab.datasets import duplicates, survey
from coughlab.features import fingerprint

RATE = 8000


def recorded(y, rate):
    return Recording(np.asarray(y, np.float32), rate, "wav", "pcm_16", 1, 16, False)


def found_among(recordings):
    table = pd.DataFrame(
        {
            "recording": [str(i) for i in range(len(recordings))],
            "status": "ok",
            "audio_hash": [survey.audio_hash(recording) for recording in recordings],
            "fingerprint": [fingerprint.compute(recording) for recording in recordings],
        }
    )
    return duplicates.find(table)["audio"].to_numpy()


def recall(root, name, n):
    paths = datasets.load(name, root / name).table["path"].drop_duplicates()
    originals = []
    for path in paths.sample(min(n, len(paths)), random_state=0):
        try:
            originals.append(audio.load(path))
        except audio.AudioError:
            continue
    alone = found_among(originals)
    print(f"{name}: {len(originals)} originals, {len(originals) - len(set(alone))} copies among themselves")
    for change, function in CHANGES.items():
        changed = [recorded(*function(r.samples[: 30 * r.rate], r.rate)) for r in originals]
        group = found_among([*originals, *changed])
        of_original, of_changed = group[: len(originals)], group[len(originals) :]
        merged = len(set(alone)) - len(set(of_original))
        print(
            f"  {change:30} {np.mean(of_original == of_changed):6.1%} found, {merged} others merged",
            flush=True,
        )


def growth(n):
    rng, prints, of = np.random.default_rng(0), [], []
    changes = [noisy(20), CHANGES["first 137 ms off"], telephone, CHANGES["12 dB quieter"]]
    for k in range(n):
        if k % 20 == 19:
            of.append(k - rng.integers(1, 20))
            y, rate = changes[k // 20 % len(changes)](samples(of[-1]), RATE)
        else:
            y, rate = samples(k), RATE
        prints.append(fingerprint.compute(recorded(y, rate)))
    bytes_held = sum(rows.nbytes for rows in prints)
    started = time.process_time()
    pairs = {tuple(pair) for pair in duplicates.pairs(prints)}
    seconds = time.process_time() - started
    planted = set(zip(of, range(19, n, 20), strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"{n} recordings: {seconds:.1f} s of CPU, {peak:.0f} MiB at most, {bytes_held / 2**20:.0f} MiB of it fingerprints;"
        f" {len(pairs & planted)} of {len(planted)} planted copies found, {len(pairs - planted)} others",
        flush=True,
    )


def samples(k):
    # Seeds far apart, because recordings of neighbouring seeds share the hiss of their coughs.
    onsets = np.random.default_rng(k).uniform(0.1, 2.5, 3)
    return synthetic.recording(onsets_s=np.sort(onsets), duration_s=3, rate=RATE, seed=10 * k)


parser = argparse.ArgumentParser()
parser.add_argument("what", choices=("recall", "growth"))
parser.add_argument("--data", type=Path)
parser.add_argument("--recordings", type=int, default=60, help="of each dataset")
arguments = parser.parse_args()
if arguments.what == "recall":
    for dataset in ("kaggle-trial", "covid19-cough", "coswara"):
        found = next(iter(sorted(arguments.data.glob(f"{dataset}*"))), None)
        if found:
            recall(arguments.data, found.name, arguments.recordings)
else:
    for size in (3000, 30_000):
        growth(size)
