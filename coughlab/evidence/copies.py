"""Rows of a dataset that hold the same audio: the same file, the same samples, or one recording changed into another.

Changed means re-encoded, resampled, trimmed, padded, louder or quieter, or with a little noise. No two recordings are compared
unless words of their fingerprints agree, so that time grows with the number of recordings, not with its square.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.fft
import scipy.signal

from coughlab.signal import fingerprint

#: Words are sorted in several orders of their bits, each of which brings together those that agree in its leading bits.
ROTATIONS = (0, 8, 16, 24)
#: How many of the words that follow in such an order each is compared with. Bounds the work where many sound alike.
NEIGHBOURS = 6
#: Bits of two such words that may differ.
BITS_WRONG = 4
#: Moments around them that must agree as well, in frames of 10 ms, how many of these must have words, ...
CONTEXT, LEAST_CONTEXT = np.array([-16, -12, -8, -4, 4, 8, 12, 16]), 3
#: ... and what share of the bits of these may differ.
CONTEXT_WRONG = 0.25
#: Most places at which two recordings are held against each other, and most recordings that one is held against.
PLACES, PARTNERS = 3, 12
#: Size of a place, in frames of 10 ms.
PLACE = 4
#: Pairs of words looked at in one go, which bounds memory.
CHUNK = 2**21
#: A place found by words is right to within this, in seconds.
SLACK_S = 0.04
#: Copies agree at one time shift. Where another one this far off, in seconds, agrees nearly as well (as share of the best),
#: the sound is a tone or a hum that any two recordings may share, or there is no agreement at all.
PEAK_S, RIVAL = 0.0015, 0.65
#: Waveforms are compared in stretches of this many samples at 4,000 a second: 128 ms.
STRETCH = 512
#: Stretches quieter than this below the loudest in either recording are not compared, in dB.
QUIET_DB = 25.0
#: Agreement of a stretch, from 0 to 1, above which it counts as the same sound ...
AGREES = 0.35
#: ... and the share of the sound in the overlap that must be the same.
SHARE = 0.6
#: Share of the sound of either recording that must lie in the overlap: a copy may be a part, but then a part of the other.
INSIDE = 0.95
#: A sound shorter than this, in seconds, is a click, and one click is like another.
LASTING_S = 0.025
#: Mean agreement that must be passed: this with many stretches, and that much more over the root of how few they are.
MEAN, MEAN_OF_ONE = 0.3, 0.25


def find(survey):
    """Which rows hold the same audio, and how that is known.

    Parameters
    ----------
    survey : pandas.DataFrame
        Columns ``recording``, ``status`` ("ok" where the file could be decoded), ``audio_hash`` (of the decoded samples) and
        ``fingerprint`` (what `coughlab.signal.fingerprint.compute` returned, or None).

    Returns
    -------
    pandas.DataFrame
        With the survey's index. ``audio``: number of the group of rows with the same audio, from 0 in order of their first rows.
        ``copy``: "" for the first row of a group, else "listed_twice" (an earlier row names the same file), "identical_audio"
        (an earlier row has the same samples) or "near_identical_audio".
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(survey)
    ok = (survey["status"] == "ok").to_numpy(dtype=bool)
    # Rows that could not be decoded have no samples to share.
    by_hash = survey["audio_hash"].where(ok, [f"row {i}" for i in range(n)])
    same_file, same_samples = _first_of(survey["recording"]), _first_of(by_hash)
    rows = np.arange(n)
    prints = survey["fingerprint"].to_numpy(dtype=object)
    alone = np.flatnonzero(ok & (same_samples == rows) & (same_file == rows))
    alone = np.array([i for i in alone if prints[i] is not None and len(prints[i])], dtype=int)
    near = alone[pairs([prints[i] for i in alone])]
    edges = np.concatenate(
        [np.stack([rows, same_file], 1), np.stack([rows, same_samples], 1), near.reshape(-1, 2)]
    )
    graph = coo_array((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(n, n))
    audio = pd.factorize(connected_components(graph, directed=False)[1])[0] if n else np.empty(0, int)
    copy = np.where(same_samples < rows, "identical_audio", "near_identical_audio").astype(object)
    copy[same_file < rows] = "listed_twice"
    copy[_first_of(audio) == rows] = ""
    return pd.DataFrame({"audio": audio, "copy": copy}, index=survey.index)


def people(person, audio):
    """Merge people under whose names the same audio stands: they cannot be told apart, so they count as one.

    Parameters
    ----------
    person : pandas.Series
        Who coughed.
    audio : pandas.Series
        Group of the same audio of each row, as of `find`.

    Returns
    -------
    pandas.Series
        The name of the first of the merged people, for each row.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    who, names = pd.factorize(person)
    first = _first_of(audio)
    graph = coo_array((np.ones(len(who), bool), (who, who[first])), shape=(len(names), len(names)))
    group = connected_components(graph, directed=False)[1] if len(names) else np.empty(0, int)
    return pd.Series(names[_first_of(group)[who]], index=person.index, name=person.name)


def contradictory(label, audio):
    """Rows whose audio also stands under another label.

    Parameters
    ----------
    label, audio : pandas.Series
        Label of each row, and its group of the same audio, as of `find`.

    Returns
    -------
    pandas.Series of bool
    """
    return label.groupby(audio.to_numpy()).transform("nunique") > 1


def clean(table):
    """Rows that are left when each audio is kept once, and none whose labels contradict each other.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns ``label`` and ``audio``.

    Returns
    -------
    pandas.Series of bool
    """
    return ~table["audio"].duplicated() & ~contradictory(table["label"], table["audio"])


def pairs(prints):
    """Pairs of fingerprints of the same recording.

    Parameters
    ----------
    prints : list of ndarray, dtype `coughlab.signal.fingerprint.ROW`
        Fingerprints of different audio.

    Returns
    -------
    ndarray, shape (n_pairs, 2), int
        Numbers of the two, the lower first. Where many are copies of one, enough pairs to connect them.
    """
    found = candidates(prints)
    same = [same_sound(prints[a], prints[b], places) for (a, b), places in found.items()]
    return np.array([pair for pair, s in zip(found, same, strict=True) if s], dtype=int).reshape(-1, 2)


def candidates(prints):
    """Pairs of fingerprints whose words agree somewhere, and where.

    Parameters
    ----------
    prints : list of ndarray
        Fingerprints.

    Returns
    -------
    dict of (int, int) to list of int
        For the numbers of two, how many frames the second starts after the first; the most promising place first.
    """
    if not prints:
        return {}
    lengths = np.array([len(p) for p in prints])
    words = np.concatenate([p["word"] for p in prints])
    owner = np.repeat(np.arange(len(prints), dtype=np.int32), lengths)
    start = np.cumsum(lengths) - lengths
    heard = np.flatnonzero(words)
    votes = []
    for rotation in ROTATIONS:
        key = (
            words[heard] << np.uint32(rotation) | words[heard] >> np.uint32(32 - rotation)
            if rotation
            else words[heard]
        )
        order = np.argsort(key, kind="stable")
        key, place = key[order], heard[order]
        for step in range(1, NEIGHBOURS + 1):
            for begin in range(0, place.size - step, CHUNK):
                end = min(begin + CHUNK, place.size - step)
                alike = np.bitwise_count(key[begin:end] ^ key[begin + step : end + step]) <= BITS_WRONG
                i = begin + np.flatnonzero(alike)
                a, b = place[i], place[i + step]
                apart = owner[a] != owner[b]
                votes.append(_agreeing(words, owner, start, a[apart], b[apart]))
    return _promising(*(np.concatenate(column) for column in zip(*votes, strict=True))) if votes else {}


def _promising(first, second, offset, right):
    """The best places of the best pairs, from one line for each two words that agree."""
    # Neighbouring offsets are one place; finer is the waveforms' matter.
    place = np.round(offset / PLACE) * PLACE
    table = pd.DataFrame({"first": first, "second": second, "offset": place.astype(int), "right": right})
    table = table.groupby(["first", "second", "offset"], as_index=False)["right"].sum()
    table = table.sort_values("right", ascending=False, kind="stable")
    table = table[table.groupby(["first", "second"]).cumcount() < PLACES]
    best = table.drop_duplicates(["first", "second"])
    rank = np.minimum(best.groupby("first").cumcount(), best.groupby("second").cumcount())
    best = best[rank < PARTNERS]
    found = {pair: [] for pair in zip(best["first"], best["second"], strict=True)}
    for a, b, place in zip(table["first"], table["second"], table["offset"], strict=True):
        if (a, b) in found:
            found[a, b].append(place)
    return found


def _agreeing(words, owner, start, a, b):
    """Keep the pairs of words whose neighbours in time agree too: first, second, offset, and how well they agree."""
    wrong, seen = np.zeros(a.size, np.int32), np.zeros(a.size, np.int32)
    for step in CONTEXT:
        i, j = (np.clip(x + step, 0, words.size - 1) for x in (a, b))
        both = (owner[i] == owner[a]) & (owner[j] == owner[b]) & (words[i] > 0) & (words[j] > 0)
        wrong += np.where(both, np.bitwise_count(words[i] ^ words[j]), 0)
        seen += both
    share = wrong / np.maximum(32 * seen, 1)
    keep = (seen >= LEAST_CONTEXT) & (share < CONTEXT_WRONG)
    a, b, share = a[keep], b[keep], share[keep]
    a, b = np.where(owner[a] < owner[b], a, b), np.where(owner[a] < owner[b], b, a)
    return owner[a], owner[b], (a - start[owner[a]]) - (b - start[owner[b]]), 1 - share


@dataclass(frozen=True)
class Overlay:
    """How well two waveforms agree where one is laid over the other.

    Attributes
    ----------
    inside : float
        Part of the sound of a recording that lies in the overlap, of the recording of which more does.
    share : float
        Part of the sound in the overlap that is the same.
    mean : float
        Agreement of the stretches, from 0 to 1, each counted by its loudness.
    stretches : int
        How many were loud enough to be compared.
    rival : float
        Agreement at the second best time shift, as share of the best.
    lasting_s : float
        For how long there is sound, in seconds: a click in silence lasts no longer than the click.
    """

    inside: float
    share: float
    mean: float
    stretches: int
    rival: float
    lasting_s: float

    @property
    def same(self):
        """Whether it is the same sound."""
        enough = MEAN + MEAN_OF_ONE / np.sqrt(max(self.stretches, 1))
        placed = self.rival < RIVAL and self.inside > INSIDE and self.lasting_s > LASTING_S
        return placed and self.share > SHARE and self.mean > enough


def same_sound(one, other, places):
    """Whether two fingerprints hold the same sound, their waveforms laid over each other.

    Parameters
    ----------
    one, other : ndarray
        Fingerprints.
    places : iterable of int
        Where to try: how many frames `other` starts after `one`.

    Returns
    -------
    bool
    """
    x, y = fingerprint.waveform(one), fingerprint.waveform(other)
    return any(overlay(x, y, place * fingerprint.WAVE_HOP).same for place in places)


def overlay(x, y, offset):
    """Lay one waveform over another and see how well they agree.

    The time shift is where their whitened cross-correlation peaks: C. H. Knapp and G. C. Carter, "The generalized correlation
    method for estimation of time delay", IEEE Transactions on Acoustics, Speech and Signal Processing 24 (1976).

    Parameters
    ----------
    x, y : ndarray
        Waveforms at 4,000 samples a second.
    offset : int
        How many samples `y` starts after `x`, to within `SLACK_S`.

    Returns
    -------
    Overlay
    """
    shift, rival = _shift(x, y, offset)
    y = _later(y, shift - round(shift))
    a, b = _overlap(x, y, round(shift))
    if a.size < STRETCH // 2 or not (a.any() and b.any()):
        return Overlay(0.0, 0.0, 0.0, 0, 1.0, 0.0)
    score, loud_a, loud_b = _stretches(a, b)
    inside = max(np.square(a).sum() / np.square(x).sum(), np.square(b).sum() / np.square(y).sum())
    share = min(loud[score > AGREES].sum() / loud.sum() for loud in (loud_a, loud_b))
    mean = np.average(score, weights=loud_a / loud_a.sum() + loud_b / loud_b.sum())
    lasting_s = min(_lasting_s(a), _lasting_s(b))
    return Overlay(float(inside), float(share), float(mean), score.size, rival, lasting_s)


def _overlap(x, y, offset):
    """The parts of two waveforms that lie over each other where the second starts `offset` samples after the first."""
    start, stop = max(offset, 0), max(min(x.size, offset + y.size), 0)
    return x[start:stop], y[max(start - offset, 0) : max(stop - offset, 0)]


def _shift(x, y, offset):
    """How many samples `y` starts after `x`, to an eighth of a sample, and how well a rival shift agrees."""
    a, b = _overlap(x, y, offset)
    slack = round(SLACK_S * fingerprint.WAVE_RATE)
    if a.size <= slack:
        return float(offset), 1.0
    size = scipy.fft.next_fast_len(a.size + slack, real=True)
    A, B = (_whitened(scipy.fft.rfft(w, size)) for w in (a, b))
    correlation = np.roll(scipy.fft.irfft(A * B.conj(), size), slack)[: 2 * slack]
    # Between the samples too: half a sample is a third of a period at 1,500 Hz.
    fine = np.abs(scipy.signal.resample(correlation, 8 * correlation.size))
    best = fine.argmax()
    away = np.abs(np.arange(fine.size) - best) > 8 * PEAK_S * fingerprint.WAVE_RATE
    return offset + best / 8 - slack, float(fine[away].max() / max(fine[best], 1e-30))


def _later(y, delay):
    """A waveform delayed by a part of a sample."""
    spectrum = scipy.fft.rfft(y)
    return scipy.fft.irfft(spectrum * np.exp(-2j * np.pi * delay * np.arange(spectrum.size) / y.size), y.size)


def _stretches(a, b):
    """Agreement of each stretch that is loud enough, and its energy in either waveform."""
    hop = STRETCH // 2
    filled = max(-(-a.size // hop) * hop, STRETCH) - a.size
    a, b = (np.pad(w, (0, filled)) for w in (a, b))
    a, b = (np.lib.stride_tricks.sliding_window_view(w, STRETCH)[::hop] for w in (a, b))
    energy_a, energy_b = np.square(a).sum(axis=1), np.square(b).sum(axis=1)
    floor = 10 ** (-QUIET_DB / 10)
    loud = (energy_a > floor * energy_a.max()) | (energy_b > floor * energy_b.max())
    A, B = (scipy.fft.rfft(w[loud] * np.hanning(STRETCH), axis=1) for w in (a, b))
    # Equal noise under different voices, or equal hum under different noise, agree in one of the two only.
    score = np.minimum(_cosine(A, B), _cosine(_whitened(A), _whitened(B)))
    return score, energy_a[loud], energy_b[loud]


def _cosine(A, B):
    norm = np.sqrt((np.abs(A) ** 2).sum(axis=1) * (np.abs(B) ** 2).sum(axis=1)) + 1e-30
    return np.abs((A * B.conj()).real.sum(axis=1)) / norm


def _lasting_s(wave):
    """Duration of a rectangle with the same energy and the same energy squared."""
    hop = fingerprint.WAVE_HOP
    energy = np.square(wave[: wave.size // hop * hop]).reshape(-1, hop).sum(axis=1)
    return float(energy.sum() ** 2 / max(np.square(energy).sum(), 1e-30) * fingerprint.HOP_S)


def _whitened(spectrum):
    """A spectrum whose strong lines count less, so that equal hum or equal pitch is not taken for equal sound."""
    magnitude = np.abs(spectrum)
    return spectrum / (magnitude + 1e-2 * magnitude.max(axis=-1, keepdims=True) + 1e-30) ** 0.75


def _first_of(values):
    """For every row, the number of the first row with the same value."""
    codes = pd.factorize(np.asarray(values))[0]
    first = np.full(codes.max(initial=-1) + 1, -1)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    return first[codes]
