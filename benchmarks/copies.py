"""Recall of copies among real recordings, and growth of time and memory with the size of a dataset.

    python benchmarks/copies.py

Growth: synthetic recordings of 3 s, one in twenty of them a changed copy of another. Recall: recordings of each dataset in the
folder COUGHLAB_DATA are changed in memory and searched for among the originals.
"""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from shared.changes import CHANGES, noisy, telephone
from shared.process import peak_mb
from shared.run import missing, size
from shared.table import Row, show

from coughlab import audio, datasets
from coughlab.audio import Recording, synthetic
from coughlab.datasets import duplicates, survey
from coughlab.features import fingerprint

RATE = 8000
SIZES = size((3000, 30_000), (20, 40))
DATASETS, RECORDINGS = size(("kaggle-trial", "covid19-cough", "coswara"), ("kaggle-trial",)), size(60, 2)


def recorded(y, rate):
    return Recording(np.asarray(y, np.float32), rate, "wav", "pcm_16", 1, 16)


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


def recall(folder):
    paths = datasets.load(folder.name, folder).table["path"].drop_duplicates()
    originals = []
    for path in paths.sample(min(RECORDINGS, len(paths)), random_state=0):
        try:
            originals.append(audio.load(path))
        except audio.AudioError:
            continue
    alone = found_among(originals)
    print(
        f"{folder.name}: {len(originals)} originals, {len(originals) - len(set(alone))} copies among themselves"
    )
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
    print(
        f"{n} recordings: {seconds:.1f} s of CPU, {peak_mb():.0f} MiB at most, {bytes_held / 2**20:.0f} MiB of it fingerprints;"
        f" {len(pairs & planted)} of {len(planted)} planted copies found, {len(pairs - planted)} others",
        flush=True,
    )
    return 1000 * seconds / n


def samples(k):
    # Seeds are far apart, because recordings with neighbouring seeds share the noise of their coughs.
    onsets = np.random.default_rng(k).uniform(0.1, 2.5, 3)
    return synthetic.recording(onsets_s=np.sort(onsets), duration_s=3, rate=RATE, seed=10 * k)


def main():
    few, many = map(growth, SIZES)
    what = f"copies among {SIZES[1]:,} recordings, CPU"
    show(Row(what, many, few, "ms each", against=f"{SIZES[0]:,} recordings"))
    if not (root := os.environ.get("COUGHLAB_DATA")):
        missing("the real datasets: set COUGHLAB_DATA to the folder that holds them")
    for name in DATASETS:
        for folder in sorted(Path(root).glob(f"{name}*"))[:1]:
            recall(folder)


if __name__ == "__main__":
    main()
