"""Training scenes of five seconds: unchanged recordings, coughs mixed into other sounds, and scenes without coughs.

Every scene gets a random recording chain, drawn in the same way for coughs and for all other sounds: level, equaliser, bandwidth,
codec, room, noise, clipping. So the effects of the chain do not show whether there is a cough. All sounds of a scene come from
one fold, so that whole folds can be left out of a training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import soxr

from coughlab.audio import synthetic
from coughlab.detector import frames
from coughlab.detector.detect import FUTURE, PAST
from coughlab.detector.training import sounds
from coughlab.detector.training.chains import chain
from coughlab.detector.training.corpus import (
    BREATH,
    COUGH,
    MAYBE,
    NO_COUGH,
    OTHER,
    QUIET,
    UNKNOWN,
    VOICE,
    Sound,
)
from coughlab.detector.training.loaders import COLLECTIONS
from coughlab.system.progress import Progress, silent

RATE = frames.RATE
STEP = frames.MOMENT * frames.HOP
#: Frames of a scene; the network classifies those with enough frames before and after them.
FRAMES = PAST + 400 + FUTURE
STEPS = 400 // frames.MOMENT
#: Moments of a scene, and the number of moments before the first that the network classifies.
MOMENTS, BEFORE = -(-FRAMES // frames.MOMENT), PAST // frames.MOMENT
SIZE = MOMENTS * STEP
#: Share of scenes that go through a narrow telephone line: as many as in the collection that was recorded by telephone. That
#: collection has only coughs; without this, the telephone sound would identify coughs.
NARROW = 0.35
TELEPHONE = {one.name for one in COLLECTIONS if one.telephone}
#: Sounds other than coughs, and how often each is drawn.
OTHERS, OFTEN = ("other", "breathing", "speech", "vowel"), (0.44, 0.26, 0.21, 0.09)
#: Sounds that are hard to distinguish from coughs are drawn more often than the rest of their kind, by this factor.
HARD_KINDS = {"person sneeze": 4, "baby cry": 2}
#: Largest factor by which a recording is played faster or slower. There are coughs of many people, but few other sounds.
COUGH_SPEED, OTHER_SPEED = 1.25, 1.6
#: Share of the scenes without coughs that are made of short pieces, as scenes with coughs are.
BITS = 0.3
#: Share of the scenes in which the recording starts, and in which it stops, in the middle of a sound.
STARTS, STOPS = 0.25, 0.1
#: The class of two simultaneous sounds is the later one in this list.
_STRENGTH = (UNKNOWN, MAYBE, QUIET, NO_COUGH, BREATH, OTHER, VOICE, COUGH)
_RANK = {kind: rank for rank, kind in enumerate(_STRENGTH)}


@dataclass(frozen=True)
class Scenes:
    """Many scenes.

    Attributes
    ----------
    db : ndarray, shape (n, 525, 48), float16
        Log-mel frames.
    classes : ndarray, shape (n, STEPS), int8
        Label of each moment that the network classifies, as in `coughlab.detector.training.corpus.Sound`.
    fold : ndarray, shape (n,), int8
        Fold of the recordings in it.
    collections : ndarray, shape (n,), object
        The collections that are in it (frozenset of str).
    """

    db: np.ndarray
    classes: np.ndarray
    fold: np.ndarray
    collections: np.ndarray

    def __getitem__(self, rows):
        return Scenes(self.db[rows], self.classes[rows], self.fold[rows], self.collections[rows])

    def __len__(self):
        return len(self.db)


def make(
    listed: pd.DataFrame,
    sounds: Sequence[Sound | None],
    n: int,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Scenes:
    """Make `n` scenes, spread over the folds, from the recordings of `coughlab.detector.training.corpus.table`."""
    makers = [Maker(listed, sounds, fold) for fold in sorted(listed["fold"].unique())]
    db = np.empty((n, FRAMES, frames.N_MELS), np.float16)
    classes = np.empty((n, STEPS), np.int8)
    fold, collections = np.arange(n) % len(makers), np.empty(n, object)
    for number in range(n):
        if number % 100 == 0:
            progress("Making scenes", number, n)
        rng = np.random.default_rng((seed, number))
        db[number], classes[number], collections[number] = makers[fold[number]].scene(rng)
    return Scenes(db, classes, fold.astype(np.int8), collections)


class Maker:
    """Makes scenes from the recordings of one fold."""

    def __init__(self, listed, sounds, fold):
        rows = [
            (row, sound)
            for row, sound in zip(listed.to_dict("records"), sounds, strict=True)
            if row["fold"] == fold and sound is not None
        ]
        self._by = {}
        for row, sound in rows:
            kind = row["kind"] if row["kind"] in ("cough", "breathing", "speech", "vowel") else "other"
            group = row["source"] if row["source"] == "audioset" else row["collection"]
            within = row["kind"] if kind == "other" else group
            self._by.setdefault(kind, {}).setdefault(within, []).append((row, sound))
        self._coughs = {
            group: [(sound, row["collection"]) for row, sound in found if sound.bursts]
            for group, found in self._by["cough"].items()
            if group != "audioset"
        }

    def scene(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, frozenset[str]]:
        """One scene: frames (525, 48), classes (STEPS,) and the collections in it."""
        makers = self._natural, self._composed, self._negative, self._made
        sound, used = makers[rng.choice(len(makers), p=[0.33, 0.2, 0.34, 0.13])](rng)
        narrow = rng.random() < NARROW and not TELEPHONE & used
        # Pieces start at whole moments, as the network divides time. A shift by less than a moment removes this clue.
        shifted = np.roll(sound.samples, rng.integers(-STEP // 2, STEP // 2))
        y, classes = chain(shifted, rng, narrow), sound.classes.copy()
        for cut, share in (
            (slice(None, rng.integers(MOMENTS)), STARTS),
            (slice(rng.integers(MOMENTS), None), STOPS),
        ):
            if rng.random() < share:
                y[: MOMENTS * STEP].reshape(MOMENTS, STEP)[cut] = 0
                classes[cut] = QUIET
        padded = np.pad(y, frames.BEFORE).astype(np.float32)
        classes = classes[BEFORE : BEFORE + STEPS]
        return frames.log_mel(padded)[:FRAMES], classes, frozenset(used)

    def _one(self, kind, rng):
        """A random recording of a kind; groups are equally likely, except those that are hard to distinguish from coughs."""
        groups = self._by[kind]
        often = np.array([HARD_KINDS.get(name, 1) for name in groups])
        found = groups[rng.choice(list(groups), p=often / often.sum())]
        row, sound = found[rng.integers(len(found))]
        return sound, row["collection"]

    def _natural(self, rng):
        """An unchanged recording of coughs."""
        sound, collection = self._one("cough", rng)
        if MAYBE in sound.classes:
            # The loudest part is most likely a cough.
            power = (
                np.square(sound.samples[: sound.samples.size // STEP * STEP]).reshape(-1, STEP).mean(axis=1)
            )
            first = max(0, int(rng.choice(np.argsort(power)[-10:])) - int(rng.integers(40, 90)))
            sound = Sound(sound.samples[first * STEP :], sound.classes[first:])
            sound = Sound(sound.samples[: SIZE + 40 * STEP], sound.classes[: MOMENTS + 40])
        return _placed(sound, rng), {collection}

    def _negative(self, rng):
        """Breath, voice or another sound, sometimes two at once."""
        if rng.random() < BITS:
            return self._bits(rng)
        sound, collection = self._one(rng.choice(OTHERS, p=OFTEN), rng)
        used, placed = {collection}, _placed(sound, rng, OTHER_SPEED)
        if rng.random() < 0.15:
            more, collection = self._one(rng.choice(OTHERS), rng)
            placed = _mixed(placed, _placed(more, rng, OTHER_SPEED), rng.uniform(-15, 15))
            used.add(collection)
        return placed, used

    def _bits(self, rng):
        """Short pieces of one recording without a cough, in near silence one after the other, as coughs are."""
        sound, collection = self._one(rng.choice(OTHERS, p=OFTEN), rng)
        sound, whole = _placed(sound, rng, OTHER_SPEED), _still(rng)
        y, classes = whole.samples, whole.classes
        sounding = np.flatnonzero(sound.classes != QUIET)
        if not sounding.size:
            return whole, {collection}
        at = rng.uniform(0, 1.5)
        for _ in range(rng.integers(2, 7)):
            first = max(0, int(rng.choice(sounding)) - int(rng.integers(0, 3)))
            last = min(first + int(rng.integers(3, 15)), sound.classes.size)
            at = _put(y, classes, sound, first, last, at, rng)
            if at is None:
                break
        return Sound(y, classes), {collection}

    def _made(self, rng):
        """A synthetic sound: mostly not a cough, sometimes a synthetic cough."""
        name = rng.choice([*sounds.OTHERS, "silence", "cough"], p=[0.21, 0.13, 0.13, 0.18, 0.15, 0.04, 0.16])
        seed, seconds = int(rng.integers(2**31)), SIZE / RATE
        if name == "silence":
            return _still(rng), set()
        if name == "cough":
            onsets = np.cumsum(rng.uniform(0.45, 1.2, 6))
            onsets = onsets[onsets < seconds - 0.1]
            y = synthetic.recording(
                onsets_s=onsets, duration_s=seconds, rate=RATE, seed=seed, noise=10 ** -rng.uniform(2, 4.5)
            )
            classes = np.full(MOMENTS, NO_COUGH, np.int8)
            for onset in onsets:
                start = round(onset * RATE / STEP)
                classes[start : start + 9] = COUGH
                classes[start + 7 : start + 11] = UNKNOWN
            return Sound(y / np.abs(y).max(), classes), set()
        y = sounds.OTHERS[name](rate=RATE, seed=seed, duration_s=seconds)
        kind = VOICE if name == "speech" else OTHER
        return Sound(y / np.abs(y).max(), np.where(_loud(y), kind, NO_COUGH).astype(np.int8)), set()

    def _composed(self, rng):
        """Coughs mixed into other sounds, one after the other with random pauses."""
        kind = rng.choice(
            ["quiet", "made", "bits", "other", "breathing", "speech", "vowel"],
            p=[0.32, 0.12, 0.12, 0.16, 0.07, 0.15, 0.06],
        )
        if kind == "quiet":
            ground, used = _still(rng), set()
        elif kind == "bits":
            ground, used = self._bits(rng)
        elif kind == "made":
            ground, used = self._made_ground(rng), set()
        else:
            ground, collection = self._one(kind, rng)
            ground, used = _placed(ground, rng, OTHER_SPEED), {collection}
        sound, _, collection = self._coughing(ground, rng, rng.uniform(4, 35))
        return sound, used | {collection}

    def coughs_in(self, ground: str, rng: np.random.Generator) -> tuple[Sound, np.ndarray]:
        """Some coughs of one person in near silence, or over another person's sound that is at least 6 dB quieter.

        The `ground` is "quiet", "speech", "breathing", "vowel" or "other". The array, shape (MOMENTS,), bool, says where the
        coughs are.
        """
        under = _still(rng) if ground == "quiet" else _placed(self._one(ground, rng)[0], rng)
        return self._coughing(under, rng, rng.uniform(6, 20))[:2]

    def _coughing(self, ground, rng, quieter_db):
        """Coughs of one person mixed into a sound that is quieter by some dB, their positions, and their collection."""
        y, classes = ground.samples * 10 ** (-quieter_db / 20), ground.classes.copy()
        there = np.zeros(MOMENTS, bool)
        groups = list(self._coughs)
        found = self._coughs[groups[rng.integers(len(groups))]]
        chosen, collection = found[rng.integers(len(found))]
        at = rng.uniform(0, 1.5)
        for _ in range(rng.integers(1, 6)):
            start, end = chosen.bursts[rng.integers(len(chosen.bursts))]
            first, last = max(0, start - rng.integers(0, 2)), end + rng.integers(0, 3)
            begin, at = round(at * RATE / STEP), _put(y, classes, chosen, first, last, at, rng)
            if at is None:
                break
            there[begin + start - first : begin + end - first] = True
        return Sound(y, classes), there, collection

    def _made_ground(self, rng):
        name = rng.choice(list(sounds.OTHERS))
        y = sounds.OTHERS[name](rate=RATE, seed=int(rng.integers(2**31)), duration_s=SIZE / RATE)
        kind = VOICE if name == "speech" else OTHER
        return Sound(y / np.abs(y).max(), np.where(_loud(y), kind, NO_COUGH).astype(np.int8))


def _loud(y):
    """Moments within 25 dB of the loudest."""
    power = np.square(y[: y.size // STEP * STEP].astype(float)).reshape(-1, STEP).mean(axis=1)
    return power > power.max() * 10**-2.5


def _put(y, classes, sound, first, last, at, rng):
    """Put the moments `first` to `last` of a sound into a scene. Returns the earliest second of the next one; None if full."""
    piece, marks = sound.samples[first * STEP : last * STEP], sound.classes[first:last]
    fade = np.minimum(np.arange(piece.size) / 160, 1)
    piece = piece * fade * np.minimum(fade[::-1] / 2, 1)
    piece *= rng.uniform(0.5, 1) / (np.abs(piece).max() + 1e-9)
    begin = round(at * RATE / STEP)
    room = y[begin * STEP :][: piece.size]
    if room.size < piece.size:
        return None
    room += piece
    here = classes[begin : begin + marks.size]
    under = np.where(here == QUIET, NO_COUGH, here)
    here[:] = np.where((marks == QUIET) | (marks == NO_COUGH), under, marks)
    pause = rng.uniform(0.04, 0.15) if rng.random() < 0.4 else rng.uniform(0.15, 1.2)
    return (begin + marks.size) * STEP / RATE + pause


def _still(rng):
    """Near silence: digital silence or faint noise."""
    level = rng.choice([0.0, 1.0]) * 10 ** -rng.uniform(2.5, 5)
    return Sound((level * rng.standard_normal(SIZE)).astype(np.float32), np.full(MOMENTS, QUIET, np.int8))


def _placed(sound, rng, fastest=COUGH_SPEED):
    """Five seconds from a random place of a recording, a little faster or slower; a short one is surrounded by near silence."""
    speed = fastest ** rng.uniform(-1, 1) if rng.random() < 0.6 else 1.0
    wanted = MOMENTS
    steps = sound.classes.size
    need = int(np.ceil(wanted * speed)) + 2
    start = (
        rng.integers(-need // 3, max(steps - 2 * need // 3, 1))
        if steps > need
        else -rng.integers(0, need - steps + 1)
    )
    first, last = max(0, start), min(steps, start + need)
    y = sound.samples[first * STEP : last * STEP]
    marks = sound.classes[first:last]
    if speed != 1.0:
        y = soxr.resample(y, RATE, RATE / speed, quality="soxr_mq")
        marks = marks[np.minimum((np.arange(int(marks.size / speed)) * speed).astype(int), marks.size - 1)]
    before = round((first - start) / speed)
    whole, classes = np.zeros(SIZE, np.float32), np.full(wanted, QUIET, np.int8)
    room = whole[before * STEP :][: y.size]
    room += y[: room.size]
    here = classes[before : before + marks.size]
    here[:] = marks[: here.size]
    if rng.random() < 0.4:
        return Sound(whole, classes)
    edge = 160
    if before and room.size > edge:
        room[:edge] *= np.linspace(0, 1, edge)
    if room.size > edge and before * STEP + room.size < SIZE:
        room[-edge:] *= np.linspace(1, 0, edge)
    faint = 10 ** -rng.uniform(3, 5)
    return Sound(whole + faint * rng.standard_normal(SIZE).astype(np.float32), classes)


def _mixed(one, other, db):
    """Two scenes mixed, the other one quieter by some dB; the stronger class counts."""
    rank_one, rank_other = (np.vectorize(_RANK.get)(sound.classes) for sound in (one, other))
    if db > 12:
        rank_other = np.minimum(rank_other, _RANK[NO_COUGH])
    if db < -12:
        rank_one = np.minimum(rank_one, _RANK[NO_COUGH])
    classes = np.array(_STRENGTH, np.int8)[np.maximum(rank_one, rank_other)]
    return Sound(one.samples + 10 ** (-db / 20) * other.samples, classes)
