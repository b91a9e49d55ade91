"""The survey of a dataset: every recording is decoded once."""

import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from coughlab import audio
from coughlab.datasets import survey
from coughlab.features import recording_chain
from tests import sounds
from tests.recordings import recorded


def dataset(folder, files):
    """A dataset from pairs of recording and bytes; None for a missing file."""
    rows = []
    for k, (name, data) in enumerate(files):
        path = folder / name
        if data is not None:
            path.write_bytes(data)
        rows.append((name, f"person {k}", "covid", "here", path))
    table = pd.DataFrame(rows, columns=["recording", "person", "label", "source", "path"])
    return SimpleNamespace(name="own", table=table, skipped=pd.DataFrame(columns=["recording", "reason"]))


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    wav = sounds.FORMATS["wav 16-bit"]()
    files = [
        ("one.wav", wav),
        ("same.flac", sounds.FORMATS["flac 16-bit"]()),
        ("gone.wav", None),
        ("letter.wav", b"Dear Sir"),
        ("silent.wav", sounds.with_soundfile("WAV", samples=np.zeros(48_000))),
        ("short.wav", sounds.with_soundfile("WAV", samples=sounds.cough()[:2000])),
        ("two.webm", sounds.FORMATS["webm opus"]()),
        ("one.wav", wav),
        ("empty.wav", b""),
    ]
    seen = []
    table = survey.run(dataset(tmp_path_factory.mktemp("own"), files), lambda *report: seen.append(report))
    return table, seen


def test_every_row_is_present_in_its_order(surveyed):
    table, seen = surveyed
    assert list(table.columns) == survey.COLUMNS and list(table.index) == list(range(9))
    assert list(table["person"]) == [f"person {k}" for k in range(9)]
    assert [done for _, done, _ in seen] == list(range(10)) and {total for *_, total in seen} == {9}


def test_unusable_recordings_have_their_status_and_reason(surveyed):
    table, _ = surveyed
    assert list(table["status"]) == ["ok", "ok", "missing", *["undecodable"] * 3, "ok", "ok", "undecodable"]
    problems = dict(zip(table["recording"], table["problem"], strict=True))
    assert problems["one.wav"] == ""
    assert problems["gone.wav"] == audio.MESSAGES["not_found"]
    assert "not a sound file" in problems["letter.wav"] and "empty" in problems["empty.wav"]
    assert "silent" in problems["silent.wav"] and "shorter" in problems["short.wav"]
    bad = table[table["status"] != "ok"]
    assert bad["fingerprint"].isna().all() and bad[list(recording_chain.NAMES)].isna().all().all()


def test_good_rows_have_their_facts(surveyed):
    table, _ = surveyed
    webm, flac = table.iloc[6], table.iloc[1]
    assert (webm["container"], webm["codec"], webm["sample_rate"]) == ("webm", "opus", 48_000)
    assert np.isnan(webm["bit_depth"]) and flac["bit_depth"] == 16
    assert flac["bytes"] == len(sounds.FORMATS["flac 16-bit"]())
    assert table.loc[table["status"] == "ok", list(recording_chain.NAMES)].notna().all().all()
    np.testing.assert_array_equal(table.loc[0, "fingerprint"], table.loc[1, "fingerprint"])


def test_the_hash_is_of_samples_and_rate(surveyed):
    table, _ = surveyed
    hashes = table["audio_hash"]
    assert hashes[0] == hashes[1] == hashes[7] and hashes[0] != hashes[6]
    y = sounds.cough()
    assert survey.audio_hash(recorded(y, 48_000)) != survey.audio_hash(recorded(y, 44_100))
    assert survey.audio_hash(recorded(y)) != survey.audio_hash(recorded(np.float32(0.5) * y))
    zeros = np.zeros(100, np.float32)
    assert survey.audio_hash(recorded(zeros)) == survey.audio_hash(recorded(-zeros))


def test_a_file_listed_several_times_is_decoded_once(tmp_path, monkeypatch):
    decoded = []
    load = audio.load
    monkeypatch.setattr(audio, "load", lambda *arguments: decoded.append(arguments[0]) or load(*arguments))
    wav = sounds.FORMATS["wav 16-bit"]()
    table = survey.run(dataset(tmp_path, [("a.wav", wav), ("b.wav", wav), ("a.wav", wav)]))
    assert [path.name for path in decoded] == ["a.wav", "b.wav"]
    assert (table["status"] == "ok").all()


def test_recordings_longer_than_a_server_takes_are_read(tmp_path):
    y = 0.1 * np.random.default_rng(0).standard_normal(90 * 1000)
    buffer = io.BytesIO()
    soundfile.write(buffer, y, 1000, format="WAV", subtype="PCM_16")
    (row,) = survey.run(dataset(tmp_path, [("long.wav", buffer.getvalue())])).to_dict("records")
    assert row["status"] == "ok" and row["duration_s"] == 90


def test_nothing_can_be_read(tmp_path):
    table = survey.run(dataset(tmp_path, [("a.wav", None), ("b.wav", None)]))
    assert list(table["status"]) == ["missing", "missing"] and list(table.columns) == survey.COLUMNS
