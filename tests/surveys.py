"""Synthetic surveys without audio; no column predicts the label unless a test adds this."""

import numpy as np
import pandas as pd

from coughlab.datasets import duplicates
from coughlab.features import recording_chain


def survey(n=400, seed=0, labels=("not_covid", "covid")):
    """A survey of `n` recordings, each of a different person, with alternating labels."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "recording": [f"{k}.wav" for k in range(n)],
            "person": [f"person {k}" for k in range(n)],
            "label": np.resize(labels, n),
            "source": rng.choice(["phone", "clinic"], n),
            "status": "ok",
            "problem": "",
            "container": rng.choice(["wav", "mp3"], n),
            "codec": "pcm_16",
            "sample_rate": rng.choice([44_100.0, 48_000.0], n),
            "channels": 1.0,
            "bit_depth": 16.0,
            "duration_s": rng.gamma(9, 0.5, n),
            "bytes": 1000.0,
        }
    )
    measured = pd.DataFrame(
        rng.standard_normal((n, len(recording_chain.NAMES))), columns=list(recording_chain.NAMES)
    )
    table = pd.concat([table, measured], axis=1)
    table["audio_hash"] = [f"{k:064x}" for k in range(n)]
    table["fingerprint"] = None
    return table


def same(table, near=()):
    """The result of `copies.find` for a survey; `near` lists pairs of rows that sound alike."""
    found = duplicates.find(table)
    for first, second in near:
        found.loc[second, ["audio", "copy"]] = found.loc[first, "audio"], "near_identical_audio"
    return found
