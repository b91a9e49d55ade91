import numpy as np
import pandas as pd
import pytest
import soxr

from coughlab import audio, datasets
from coughlab.audio import synthetic
from coughlab.datasets import duplicates, survey
from coughlab.features import fingerprint
from tests.conftest import missing
from tests.recordings import recorded
from tests.sounds import with_av

RATE = 22_050


def surveyed(recordings):
    """The survey data for recordings by name, as input to the search for copies; None: it could not be decoded."""
    return pd.DataFrame(
        {
            "recording": [name for name, _ in recordings],
            "status": ["missing" if r is None else "ok" for _, r in recordings],
            "audio_hash": [None if r is None else survey.audio_hash(r) for _, r in recordings],
            "fingerprint": [None if r is None else fingerprint.compute(r) for _, r in recordings],
        }
    )


def coughs(seed, **options):
    return synthetic.recording(seed=seed, rate=RATE, **options)


def noisy(y, db):
    noise = np.random.default_rng(9).standard_normal(y.size)
    return y + noise * np.sqrt(np.square(y).mean()) * 10 ** (-db / 20)


def telephone(y):
    """Band-limited and with the 8 bits of a telephone line (G.711 mu-law, decoded again)."""
    y = soxr.resample(y, RATE, 8000)
    f = np.fft.rfftfreq(y.size, 1 / 8000)
    y = np.fft.irfft(np.fft.rfft(y) * ((f > 300) & (f < 3400)), y.size)
    steps = np.round(127 * np.log1p(255 * np.abs(y)) / np.log(256)) / 127
    return recorded(np.sign(y) * (256**steps - 1) / 255, 8000)


def coded(y, container, codec, rate=RATE):
    y = np.asarray(y if rate == RATE else soxr.resample(y, RATE, rate), np.float32)
    return audio.load(with_av(container, codec, rate=rate, samples=y))


CHANGES = {
    "mp3": lambda y: coded(y, "mp3", "libmp3lame"),
    "opus": lambda y: coded(y, "ogg", "libopus", 48_000),
    "aac": lambda y: coded(y, "adts", "aac"),
    "telephone": telephone,
    "resampled": lambda y: recorded(soxr.resample(y, RATE, 44_100), 44_100),
    "start off": lambda y: recorded(y[round(0.137 * RATE) :], RATE),
    "end off": lambda y: recorded(y[: -round(0.137 * RATE)], RATE),
    "a part": lambda y: recorded(y[round(0.3 * y.size) : round(0.9 * y.size)], RATE),
    "louder": lambda y: recorded(4 * y, RATE),
    "quieter": lambda y: recorded(np.round(y / 4 * 2**15) / 2**15, RATE),
    "offset": lambda y: recorded(y + 0.05, RATE),
    "upside down": lambda y: recorded(-y, RATE),
    "noise": lambda y: recorded(noisy(y, 20), RATE),
    "padded": lambda y: recorded(np.pad(y, (7000, 17_000)), RATE),
    "trimmed, mp3": lambda y: coded(y[3000:] / 2, "mp3", "libmp3lame"),
}


@pytest.mark.parametrize(
    "y",
    [coughs(100), coughs(200, onsets_s=(0.1,), duration_s=0.6)],
    ids=["three coughs", "one cough of 0.6 s"],
)
def test_changed_copies_are_found_and_not_joined_with_others(y):
    others = [(f"other {seed}", recorded(coughs(seed), RATE)) for seed in (300, 400, 500)]
    found = duplicates.find(
        surveyed([("original", recorded(y, RATE)), *others, *((n, f(y)) for n, f in CHANGES.items())])
    )
    assert found["audio"].tolist() == [0, 1, 2, 3] + [0] * len(CHANGES)
    assert found["copy"].tolist() == [""] * 4 + ["near_identical_audio"] * len(CHANGES)


def test_how_a_copy_is_known_and_rows_without_samples():
    y, other = recorded(coughs(100), RATE), recorded(coughs(300), RATE)
    quieter = recorded(0.3 * coughs(100), RATE)
    rows = [("a", y), ("gone", None), ("b", other), ("b", other), ("c", y), ("gone", None), ("d", quieter)]
    rows += [("away", None), ("d", quieter), ("e", other)]
    table = surveyed(rows).set_index(pd.Index(range(10, 20)))
    found = duplicates.find(table)
    assert found.index.equals(table.index)
    assert found["audio"].tolist() == [0, 1, 2, 2, 0, 1, 0, 3, 0, 2]
    assert found["copy"].tolist() == [
        *("", "", "", "listed_twice", "identical_audio", "listed_twice", "near_identical_audio"),
        *("", "listed_twice", "identical_audio"),
    ]
    assert duplicates.find(table.iloc[:0]).empty
    assert duplicates.find(table[table["status"] == "missing"])["audio"].tolist() == [0, 0, 1]


def test_similar_sounds_are_not_copies():
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    # Recordings of neighbouring seeds share the noise of some of their coughs.
    sounds = [coughs(seed) for seed in range(6)]
    sounds += [coughs(seed, onsets_s=(0.2, 0.7), duration_s=1.2) for seed in range(10, 16)]
    sounds += [coughs(seed, onsets_s=np.arange(0.2, 5, 0.9), duration_s=5) for seed in range(20, 26)]
    sounds += [synthetic.cough(rate=RATE, seed=seed) for seed in range(40, 46)]
    sounds += [np.sin(2 * np.pi * hz * t[: n * RATE]) for hz in (300, 440, 880, 1000) for n in (1, 2)]
    # A device adds the same hum to every recording; its silence is noise of one quantisation step.
    hum = [
        sum(np.sin(2 * np.pi * 50 * k * (t + start) + k) / k for k in range(1, 20))
        for start in rng.uniform(0, 1, 6)
    ]
    sounds += [0.1 * h + rng.normal(0, 0.002, t.size) for h in hum]
    sounds += [np.round(rng.normal(0, 1, t.size)) / 2**15 for _ in range(4)]
    sounds += [0.02 * h + coughs(seed)[: t.size] for h, seed in zip(hum, range(50, 110, 10), strict=True)]
    for at in rng.integers(RATE, size=4):
        click = rng.normal(0, 1e-4, RATE)
        click[at] = 0.9
        sounds.append(click)
    found = duplicates.find(surveyed([(str(i), recorded(y, RATE)) for i, y in enumerate(sounds)]))
    assert found["audio"].is_unique


def short_coughs(person, n):
    """Coughs of 0.3 s that agree by about a half: the same click and resonances, and noise of their own."""
    rng, t = np.random.default_rng(person), np.arange(2000) / 8000
    resonances = zip(rng.uniform(300, 1800, 8), rng.uniform(0.01, 0.04, 8), strict=True)
    throat = sum(np.exp(-t / decay) * np.sin(2 * np.pi * hz * t) for hz, decay in resonances)
    for _ in range(n):
        source = 0.05 * rng.standard_normal(2400) * np.exp(-np.arange(2400) / 240)
        source[0] += 1
        y = np.convolve(np.pad(source, (240, 0)), throat)[:2400]
        yield y / np.abs(y).max() / 2 + rng.normal(0, 5e-4, y.size)


def test_short_coughs_of_one_person_are_no_copies_but_copies_of_them_are():
    for person in range(12):
        sounds = list(short_coughs(person, 8))
        sounds.append(np.round(sounds[0] / 2 * 2**15) / 2**15)
        prints = [fingerprint.compute(recorded(y, 8000)) for y in sounds]
        assert duplicates.pairs(prints).tolist() == [[0, 8]], person


def test_many_copies_and_much_hum_do_not_need_all_pairwise_comparisons():
    y = coughs(100)
    many = [recorded(noisy(y[200 * k :], 25), RATE) for k in range(30)]
    prints = [fingerprint.compute(r) for r in many]
    assert len(duplicates.candidates(prints)) < duplicates.PARTNERS * 2 * len(many)
    found = duplicates.find(surveyed([(str(k), r) for k, r in enumerate(many)]))
    assert (found["audio"] == 0).all()


def test_people_of_one_audio_are_one():
    person = pd.Series(["a", "b", "b", "c", "d", "e"], name="person")
    audio = pd.Series([0, 0, 1, 1, 2, 3])
    assert duplicates.people(person, audio).tolist() == ["a", "a", "a", "a", "d", "e"]


def test_clean_keeps_each_audio_once_and_none_with_two_labels():
    table = pd.DataFrame({"label": list("xxyxyy"), "audio": [0, 0, 1, 1, 2, 2]}, index=list("abcdef"))
    assert duplicates.contradictory(table["label"], table["audio"]).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    kept = duplicates.clean(table)
    assert kept.index.equals(table.index) and kept.tolist() == [True, False, False, False, True, False]


def test_real_copies():
    folder = datasets.folder("covid19-cough")
    if folder is None:
        missing("the real dataset: set COUGHLAB_DATA to the folder that holds covid19-cough/")
    # Both of a pair were cut from one recording at different positions and encoded again.
    starts = ("96824131", "d5a7c9a7", "4b047ea2", "4e61d38b", "2a0bf889", "6f6ae34d", "e4589ce5", "791bac9e")
    names = [next((folder / "raw").glob(f"{start}*")) for start in starts]
    found = duplicates.find(surveyed([(path.name, audio.load(path)) for path in names]))
    assert found["audio"].tolist() == [0, 0, 1, 1, 2, 2, 3, 4]
