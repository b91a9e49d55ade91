"""Finds rows of a dataset with the same audio: the same file, the same samples, or a changed copy.

Changed means re-encoded, resampled, trimmed, padded with silence, louder, quieter, or with a little noise. Two recordings are
compared only where words of their fingerprints agree, so that the time grows linearly with the number of recordings, not with its
square.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coughlab.features import fingerprint

#: Words are sorted several times, with their bits rotated by these numbers. Words that agree in the leading bits become
#: neighbours.
ROTATIONS = (0, 8, 16, 24)
#: How many following words each word is compared with. Bounds the work when many sound alike.
NEIGHBOURS = 6
#: Bits of two such words that may differ.
BITS_WRONG = 4
#: Frames of 10 ms around them that must agree as well, and how many of these must have words ...
CONTEXT, LEAST_CONTEXT = (-16, -12, -8, -4, 4, 8, 12, 16), 3
#: ... and what share of the bits of these may differ.
CONTEXT_WRONG = 0.25
#: Resolution, in frames of 10 ms, of the time offset between two recordings that words can find.
PLACE = 4
#: Pairs of words that must agree before two recordings are compared at an offset; most offsets and most partners that are tried.
VOTES, PLACES, PARTNERS = 2, 2, 6
#: Pairs of words compared at once; bounds memory.
CHUNK = 2**20

#: Accuracy of such an offset, in seconds.
SLACK_S = 0.04
#: Copies agree at exactly one time shift. If another shift, at least this many seconds away, agrees nearly as well (as share of
#: the best), the sound is a tone or a hum, which any two recordings may share, or there is no agreement at all.
PEAK_S, RIVAL = 0.0015, 0.65
#: Waveforms are compared in segments of this many samples at 4,000 Hz: 128 ms.
STRETCH = 512
#: Segments this far below the loudest one, in both recordings, are not compared, in dB.
QUIET_DB = 25.0
#: Agreement of a segment, from 0 to 1, above which it counts as the same sound ...
AGREES = 0.35
#: ... and the share of the sound in the overlap that must be the same.
SHARE = 0.8
#: Share of the energy of one of the recordings that must be in the overlap: a copy may be only a part of the other recording.
INSIDE = 0.95
#: The mean agreement must exceed the first number plus the second divided by the square root of the number of segments: two short
#: coughs of one person, which have few segments, agree by about a half.
MEAN, MEAN_OF_ONE = 0.4, 0.35
#: A sound shorter than this, in seconds, is a click, and all clicks are alike.
LASTING_S = 0.025


def find(survey: pd.DataFrame) -> pd.DataFrame:
    """Find the rows with the same audio, and how they are known to be the same.

    Parameters
    ----------
    survey
        Columns ``recording``, ``status`` ("ok" where the file could be decoded), ``audio_hash`` and ``fingerprint`` (or None).

    Returns
    -------
    pandas.DataFrame
        Has the survey's index. ``audio``: number of the group of rows with the same audio, from 0, in order of first rows.
        ``copy``: "" for the first row of a group, else "listed_twice" (an earlier row names the same file), "identical_audio" (an
        earlier row has the same samples) or "near_identical_audio".
    """
    rows = np.arange(len(survey))
    # Rows that could not be decoded have no samples to share.
    ok = (survey["status"] == "ok").to_numpy(dtype=bool)
    samples = survey["audio_hash"].astype(object).where(ok, [f"row {row}" for row in rows])
    same_file, same_samples = _first_of(survey["recording"]), _first_of(samples)
    prints = survey["fingerprint"].to_numpy(dtype=object)
    different = [row for row in rows[ok & (same_samples == rows)] if prints[row] is not None]
    near = np.array(different, dtype=int)[pairs([prints[row] for row in different])]
    edges = [np.stack([rows, first], axis=1) for first in (same_file, same_samples)]
    audio = _groups(np.concatenate([*edges, near]), len(rows))
    copy = np.where(same_samples < rows, "identical_audio", "near_identical_audio").astype(object)
    copy[same_file < rows] = "listed_twice"
    copy[_first_of(audio) == rows] = ""
    return pd.DataFrame({"audio": audio, "copy": copy}, index=survey.index)


def people(person: pd.Series, audio: pd.Series) -> pd.Series:
    """For each row, the first of the people who have the same audio (as `find` returns it); these people count as one."""
    who, names = pd.factorize(person, use_na_sentinel=False)
    group = _groups(np.stack([who, who[_first_of(audio)]], axis=1), len(names))
    return pd.Series(names[_first_of(group)][who], index=person.index, name=person.name)


def contradictory(label: pd.Series, audio: pd.Series) -> pd.Series:
    """Which rows have audio (as `find` returns it) that also has another label."""
    return label.groupby(np.asarray(audio)).transform("nunique") > 1


def clean(table: pd.DataFrame) -> pd.Series:
    """Which rows remain when each ``audio`` is kept once, and none with contradictory labels."""
    return ~table["audio"].duplicated() & ~contradictory(table["label"], table["audio"])


def pairs(prints: list[np.ndarray]) -> np.ndarray:
    """Pairs of fingerprints of the same recording, shape (n_pairs, 2): numbers of the two, the lower first.

    For many copies of one recording not every pair is found, but enough pairs to connect them.
    """
    found = [
        pair for pair, places in candidates(prints).items() if _same(prints[pair[0]], prints[pair[1]], places)
    ]
    return np.array(found, dtype=int).reshape(-1, 2)


def candidates(prints: list[np.ndarray]) -> dict[tuple[int, int], list[int]]:
    """Pairs of fingerprints with words that agree: by pair, the offsets between the two in frames, the likeliest first."""
    if not prints:
        return {}
    words = np.concatenate([rows["word"] for rows in prints])
    lengths = np.array([len(rows) for rows in prints])
    owner, start = np.repeat(np.arange(len(prints)), lengths), np.cumsum(lengths) - lengths
    voiced, votes = np.flatnonzero(words), []
    for rotation in ROTATIONS:
        key = words[voiced] << np.uint32(rotation)
        key |= words[voiced] >> np.uint32((32 - rotation) % 32)
        order = np.argsort(key, kind="stable")
        key, place = key[order], voiced[order]
        for step in range(1, NEIGHBOURS + 1):
            for begin in range(0, place.size - step, CHUNK):
                end = min(begin + CHUNK, place.size - step)
                wrong = np.bitwise_count(key[begin:end] ^ key[begin + step : end + step])
                i = begin + np.flatnonzero(wrong <= BITS_WRONG)
                votes.append(_agreeing(words, owner, start, place[i], place[i + step]))
    return _promising(*(np.concatenate(column) for column in zip(*votes, strict=True))) if votes else {}


def _agreeing(
    words: np.ndarray, owner: np.ndarray, start: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Keep pairs of words whose neighbours in time agree too: first recording, second recording, offset, agreement."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    apart = owner[a] != owner[b]
    a, b = a[apart], b[apart]
    wrong, seen = np.zeros(a.size, np.int32), np.zeros(a.size, np.int32)
    for step in CONTEXT:
        i, j = (np.clip(x + step, 0, words.size - 1) for x in (a, b))
        both = (owner[i] == owner[a]) & (owner[j] == owner[b]) & (words[i] > 0) & (words[j] > 0)
        wrong += np.where(both, np.bitwise_count(words[i] ^ words[j]), 0)
        seen += both
    share = wrong / np.maximum(32 * seen, 1)
    keep = (seen >= LEAST_CONTEXT) & (share < CONTEXT_WRONG)
    a, b = a[keep], b[keep]
    return owner[a], owner[b], (a - start[owner[a]]) - (b - start[owner[b]]), 1 - share[keep]


def _promising(
    first: np.ndarray, second: np.ndarray, offset: np.ndarray, right: np.ndarray
) -> dict[tuple[int, int], list[int]]:
    """The best offsets of the best pairs; the input has one item for each pair of words that agree."""
    place = np.round(offset / PLACE).astype(int) * PLACE
    table = pd.DataFrame({"first": first, "second": second, "place": place, "right": right})
    table = table.groupby(["first", "second", "place"])["right"].agg(["sum", "size"]).reset_index()
    table = table[table["size"] >= VOTES].sort_values("sum", ascending=False, kind="stable")
    best = table.drop_duplicates(["first", "second"])
    rank = np.minimum(best.groupby("first").cumcount(), best.groupby("second").cumcount())
    best = best.loc[rank < PARTNERS, ["first", "second"]]
    table = table[table.groupby(["first", "second"]).cumcount() < PLACES].merge(best)
    return table.groupby(["first", "second"], sort=False)["place"].agg(list).to_dict()


@dataclass(frozen=True)
class Overlay:
    """How well two waveforms agree at a time shift."""

    #: Agreement at the second best time shift, as share of the best.
    rival: float = 1.0
    #: Share of a recording's energy that is in the overlap, the larger of the two recordings' shares.
    inside: float = 0.0
    #: Seconds of sound in the overlap, without silence.
    lasting_s: float = 0.0
    #: Share of the energy in the overlap that is the same.
    share: float = 0.0
    #: Mean agreement of the segments, from 0 to 1, weighted by energy.
    mean: float = 0.0
    #: Number of segments that were loud enough to be compared.
    stretches: int = 1

    @property
    def same(self) -> bool:
        """Whether it is the same sound."""
        placed = self.rival < RIVAL and self.inside > INSIDE and self.lasting_s > LASTING_S
        return placed and self.share > SHARE and self.mean > MEAN + MEAN_OF_ONE / np.sqrt(self.stretches)


def overlay(x: np.ndarray, y: np.ndarray, offset: int) -> Overlay:
    """Compare the waveforms of two fingerprints; the second starts `offset` samples later, to within `SLACK_S`.

    The time shift is where their whitened cross-correlation peaks: C. H. Knapp and G. C. Carter, "The generalized correlation
    method for estimation of time delay", IEEE Transactions on Acoustics, Speech and Signal Processing 24 (1976). Without a clear
    peak, only `rival` is computed.
    """
    shift, rival = _shift(x, y, offset)
    if rival >= RIVAL:
        return Overlay(rival)
    y = _later(y, shift - round(shift))
    a, b = _overlap(x, y, round(shift))
    if a.size < STRETCH // 2 or not (a.any() and b.any()):
        return Overlay(rival)
    inside = max(np.square(a).sum() / np.square(x).sum(), np.square(b).sum() / np.square(y).sum())
    score, loud_a, loud_b = _stretches(a, b)
    share = min(loud[score > AGREES].sum() / loud.sum() for loud in (loud_a, loud_b))
    mean = np.average(score, weights=loud_a / loud_a.sum() + loud_b / loud_b.sum())
    lasting_s = min(_lasting_s(a), _lasting_s(b))
    return Overlay(rival, float(inside), lasting_s, float(share), float(mean), score.size)


def _same(one: np.ndarray, other: np.ndarray, places: list[int]) -> bool:
    x, y = fingerprint.waveform(one), fingerprint.waveform(other)
    return any(overlay(x, y, place * fingerprint.WAVE_HOP).same for place in places)


def _overlap(x: np.ndarray, y: np.ndarray, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """The overlapping parts of two waveforms, of which the second starts `offset` samples after the first."""
    start, stop = max(offset, 0), max(min(x.size, offset + y.size), 0)
    return x[start:stop], y[max(start - offset, 0) : max(stop - offset, 0)]


def _shift(x: np.ndarray, y: np.ndarray, offset: int) -> tuple[float, float]:
    """By how many samples `y` starts after `x`, to an eighth of a sample, and the agreement of the second best shift."""
    import scipy.fft
    import scipy.signal  # takes half a second, and the audit page imports this module

    a, b = _overlap(x, y, offset)
    slack = round(SLACK_S * fingerprint.WAVE_RATE)
    if a.size <= slack:
        return float(offset), 1.0
    size = scipy.fft.next_fast_len(a.size + slack, real=True)
    A, B = (_whitened(scipy.fft.rfft(w, size)) for w in (a, b))
    correlation = np.roll(scipy.fft.irfft(A * B.conj(), size), slack)[: 2 * slack]
    # Also between samples: half a sample is a large part of a period at 1,500 Hz.
    fine = np.abs(scipy.signal.resample(correlation, 8 * correlation.size))
    best = fine.argmax()
    away = np.abs(np.arange(fine.size) - best) > 8 * PEAK_S * fingerprint.WAVE_RATE
    return offset + best / 8 - slack, float(fine[away].max() / max(fine[best], 1e-30))


def _later(y: np.ndarray, delay: float) -> np.ndarray:
    """A waveform delayed by a fraction of a sample."""
    import scipy.fft

    spectrum = scipy.fft.rfft(y)
    return scipy.fft.irfft(spectrum * np.exp(-2j * np.pi * delay * np.arange(spectrum.size) / y.size), y.size)


def _stretches(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Agreement of each segment that is loud in one of the waveforms, and its energy in both."""
    import scipy.fft

    hop = STRETCH // 2
    filled = max(-(-a.size // hop) * hop, STRETCH) - a.size
    a, b = (np.pad(w, (0, filled)) for w in (a, b))
    a, b = (np.lib.stride_tricks.sliding_window_view(w, STRETCH)[::hop] for w in (a, b))
    energy_a, energy_b = np.square(a).sum(axis=1), np.square(b).sum(axis=1)
    floor = 10 ** (-QUIET_DB / 10)
    loud = (energy_a > floor * energy_a.max()) | (energy_b > floor * energy_b.max())
    A, B = (scipy.fft.rfft(w[loud] * np.hanning(STRETCH), axis=1) for w in (a, b))
    # The same noise under different voices, or the same hum under different noise, agrees in only one of the two.
    score = np.minimum(_cosine(A, B), _cosine(_whitened(A), _whitened(B)))
    return score, energy_a[loud], energy_b[loud]


def _cosine(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    norm = np.sqrt((np.abs(A) ** 2).sum(axis=1) * (np.abs(B) ** 2).sum(axis=1)) + 1e-30
    return np.abs((A * B.conj()).real.sum(axis=1)) / norm


def _lasting_s(wave: np.ndarray) -> float:
    """Duration of a steady sound of the same energy and the same sum of squared energies of its frames."""
    hop = fingerprint.WAVE_HOP
    energy = np.square(wave[: wave.size // hop * hop]).reshape(-1, hop).sum(axis=1)
    return float(energy.sum() ** 2 / max(np.square(energy).sum(), 1e-30) * fingerprint.HOP_S)


def _whitened(spectrum: np.ndarray) -> np.ndarray:
    """A spectrum with reduced strong lines, so that the same hum or pitch does not count as the same sound."""
    magnitude = np.abs(spectrum)
    return spectrum / (magnitude + 0.03 * magnitude.max(axis=-1, keepdims=True) + 1e-30) ** 0.75


def _groups(edges: np.ndarray, n: int) -> np.ndarray:
    """Number of the connected component of each of n nodes, numbered in order of their first nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not n:
        return np.empty(0, int)
    graph = coo_array((np.ones(len(edges), bool), tuple(edges.T)), shape=(n, n))
    return pd.factorize(connected_components(graph, directed=False)[1])[0]


def _first_of(values: object) -> np.ndarray:
    """For every row, the number of the first row with the same value."""
    codes, unique = pd.factorize(np.asarray(values), use_na_sentinel=False)
    first = np.empty(len(unique), int)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    return first[codes]
