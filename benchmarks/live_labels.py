"""How often Live gives a cough another label than the same sound as a file, and why.

    COUGHLAB_DATA=DIR python benchmarks/live_labels.py

Recordings of coughs are saved as 48,000 Hz WAV files, as a browser records them, and answered. Then the same sound is sent
through the codec of the connection, as a browser does it, to a listener. Each row changes one thing. The page "Live" says the
result: it is in coughlab/live/labels.py, and this program fails if what it measures no longer agrees.
"""

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import av
import numpy as np
import pandas as pd
import soxr
from shared.run import missing, size
from shared.table import Row, show

from coughlab import audio, datasets, detector, live
from coughlab.audio import opus
from coughlab.detector.events import STEP_S
from coughlab.evaluation import bootstrap
from coughlab.evaluation.intervals import wilson
from coughlab.live import labels
from coughlab.serving import predictors

#: Recordings of each dataset.
RECORDINGS = size(200, 1)
#: How Chromium encodes the sound: what libopus tunes it for, channels, bits per second. First unless it is asked for more.
UNASKED, ASKED = ("voip", 1, 32_000), ("audio", opus.CHANNELS, opus.BITRATE)
FRAME = opus.RATE // 50
#: Sounds of Coswara that are not coughs.
OTHERS = ("breathing-deep", "counting-normal", "vowel-a")
#: The samples by which Opus delays the sound.
DELAY = 312


def recordings(root):
    """Person, recording, and the same as a file of a browser, of recordings of coughs."""
    for name in labels.MEASURED.datasets:
        if not (folder := Path(root, name)).is_dir():
            missing(f"the real dataset: set COUGHLAB_DATA to the folder that holds {name}/")
        table = datasets.load(name, folder).table.drop_duplicates("path")
        table = table[table["path"].map(lambda path: path.is_file() and path.stem not in OTHERS)]
        for row in table.sample(min(RECORDINGS, len(table)), random_state=0).itertuples():
            try:
                found = predictors.load(row.path)
            except audio.AudioError:
                continue
            y = found.samples
            y = y if found.rate == opus.RATE else soxr.resample(y, found.rate, opus.RATE, quality="soxr_hq")
            yield f"{name} {row.person}", found, predictors.load(audio.encode_wav(y, opus.RATE))


def packets(y, application, channels, bit_rate):
    """The packets of 20 ms in which Chromium sends a microphone's sound."""
    codec, layout = av.CodecContext.create("libopus", "w"), "stereo" if channels == 2 else "mono"
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = opus.RATE, layout, "s16", bit_rate
    codec.options = {"application": application, "frame_duration": "20", "vbr": "constrained"}
    pcm = np.round(32767 * np.clip(y, -1, 1)).astype(np.int16)
    pcm = np.pad(pcm, (0, -pcm.size % FRAME + FRAME))  # the delay needs one more
    for at in range(0, pcm.size, FRAME):
        part = np.repeat(pcm[at : at + FRAME], channels)
        frame = av.AudioFrame.from_ndarray(part[None], format="s16", layout=layout)
        frame.sample_rate, frame.pts = opus.RATE, at
        yield from map(bytes, codec.encode(frame))


def sent(y, how):
    """Sound after the connection."""
    opus._codec.cache_clear()  # each recording is a connection of its own
    pcm = np.frombuffer(b"".join(map(opus.decode, packets(y, *how))), np.int16)
    return pcm.reshape(-1, 2).mean(axis=1, dtype=np.float32) / 2**15


def said(answers):
    return {name: answer.label for name, answer in answers.items()}


def cut(recording, events, samples=None, later_s=0.0):
    """The labels of each cough, where the file's coughs are, perhaps in another sound."""
    recording = replace(recording, samples=recording.samples if samples is None else samples)
    for event in events:
        event = replace(event, start_s=event.start_s + later_s, end_s=event.end_s + later_s)
        yield said(predictors.default().ask(predictors.cut(recording, event)))


def heard(events, samples, earlier_s=0.0):
    """The labels that a listener gives to each cough; None if it does not find it. The sound starts that much later for it."""
    ear = live.Listener()
    ear.feed(samples, opus.RATE)
    coughs = [
        (cough.start_s - earlier_s, cough.end_s - earlier_s, said(cough.answers)) for cough in ear.coughs()
    ]
    for event in events:
        overlaps = {min(event.end_s, end) - max(event.start_s, start): found for start, end, found in coughs}
        most = max(overlaps, default=0)
        yield overlaps[most] if most > 0 else None


def answers(original, file, lead):
    """The labels of each cough in a file, and those under each condition; on "Live" the sound starts `lead` samples later."""
    events = detector.default().detect(file).events
    if not events:
        return
    y, lead_s = file.samples, lead / opus.RATE
    later = np.pad(y, (lead, 0))
    codec = sent(y, ASKED)[DELAY:][: y.size]
    conditions = {
        LIVE: heard(events, sent(later, ASKED), lead_s),
        BEFORE: heard(events, sent(later, UNASKED), lead_s),
        "the codec alone, the coughs cut where the file's are": cut(file, events, codec),
        "the listener without the codec, from the file's start": heard(events, y),
        "the listener without the codec, from any moment": heard(events, later, lead_s),
        "every cough cut 20 ms later": cut(file, events, later_s=0.02),
        "6 dB quieter": cut(file, events, y / 2),
        "the recording as it was, not at 48,000 Hz": cut(original, events),
        WHOLE: [said(predictors.default().predict(file).models)] * len(events),
    }
    truth = list(cut(file, events))
    for condition, found in conditions.items():
        yield condition, zip(truth, found, strict=True)


LIVE, BEFORE = "Live", "Live, if browsers were not asked for more"
WHOLE = "the whole recording in place of the cough"


def measure(root):
    """One row for each cough under each condition: whether each model's label is another one; missing if it was not found."""
    rows, rng = [], np.random.default_rng(0)
    for number, (person, original, file) in enumerate(recordings(root)):
        # The listener cuts coughs out in steps that are counted from the moment when the microphone was opened.
        lead = rng.integers(round(STEP_S * opus.RATE))
        for condition, coughs in answers(original, file, lead):
            for one, other in coughs:
                changed = {name: np.nan if other is None else other[name] != one[name] for name in one}
                rows.append({"condition": condition, "recording": number, "person": person} | changed)
    return pd.DataFrame(rows)


def share(people, changed):
    """How many coughs were changed, of how many, and the 95% interval of the share, by a bootstrap over people."""
    draws = np.concatenate(
        [changed @ counts / counts.sum(axis=0) for counts in bootstrap.draws(people, np.ones(len(people)))]
    )
    low, high = bootstrap.interval(draws, changed.mean())
    return labels.Share(int(changed.sum()), len(changed), round(low, 4), round(high, 4))


def summary(rows):
    """The shares of each condition, by model, and of coughs whose label any model changes."""
    models = list(predictors.default().names)
    found = {}
    for condition, group in rows.groupby("condition", sort=False):
        kept = group.dropna()
        changed = kept[models].astype(float)
        columns = {"any": changed.max(axis=1)} | {name: changed[name] for name in models}
        found[condition] = {
            name: share(kept["person"], column.to_numpy()) for name, column in columns.items()
        }
        print(f"{condition}: {len(group) - len(kept)} of {len(group)} coughs not found")
        for name, one in found[condition].items():
            by_cough = " to ".join(f"{end:.1%}" for end in wilson(one.share, one.of))
            print(f"  {name:4} {one.text()}; over coughs {by_cough}", flush=True)
    return found


def main():
    if not (root := os.environ.get("COUGHLAB_DATA")):
        missing("the real datasets: set COUGHLAB_DATA to the folder that holds them")
    rows = measure(root)
    found = summary(rows)
    coughs = rows[rows["condition"] == LIVE]
    measured = replace(
        labels.MEASURED,
        models=labels.identity(predictors.default().study),
        recordings=coughs["recording"].nunique(),
        people=coughs["person"].nunique(),
        coughs=len(coughs),
        live=found[LIVE],
        whole=found[WHOLE]["any"],
    )
    one = asdict(measured)
    live_shares = {name: list(numbers.values()) for name, numbers in one["live"].items()}
    print(json.dumps(one | {"live": live_shares, "whole": list(one["whole"].values())}, indent=2))
    same = {condition: 100 * (1 - found[condition]["any"].share) for condition in (LIVE, BEFORE)}
    what = "listening: coughs with the labels of the same sound as a file"
    show(Row(what, same[LIVE], same[BEFORE], "%", 1, more=True, against="as browsers send it unless asked"))
    stated = labels.MEASURED.live["any"]
    if size(True, False) and not stated.low <= measured.live["any"].share <= stated.high:
        sys.exit("coughlab/live/labels.json says something else. Replace its content by the above.")


if __name__ == "__main__":
    main()
