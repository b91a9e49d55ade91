"""The files of one upload: recordings, ZIPs, and hostile files."""

import io
import stat
import tempfile
import zipfile

import pytest

from coughlab import audio
from coughlab.serving import recordings
from tests import sounds
from tests.audio.test_archive import entry, zipped

WAV = sounds.FORMATS["wav 16-bit"]()
BOMB = zipped(("bomb.wav", bytes(150 * 2**20)))


@pytest.fixture(autouse=True)
def temporary(monkeypatch, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def take(*uploads):
    return recordings.take((name, io.BytesIO(data)) for name, data in uploads)


def test_files_are_there_to_be_read_again_and_their_file_has_no_name(temporary):
    taken = take(("a.wav", b"one"), ("b.wav", b"two"), ("empty.wav", b""))
    assert taken.names == ["a.wav", "b.wav", "empty.wav"]
    for _ in range(2):
        assert [taken.read(name) for name in reversed(taken.names)] == [b"", b"two", b"one"]
    assert list(temporary.iterdir()) == []
    taken.close()
    with pytest.raises(ValueError, match="closed"):
        taken.read("a.wav")


def test_equal_names_are_made_distinct():
    taken = take(("a.wav", b"1"), ("a.wav", b"2"), ("a.wav (2)", b"3"), ("a.wav", b"4"))
    assert len(set(taken.names)) == 4 and taken.names[:2] == ["a.wav", "a.wav (2)"]
    assert [taken.read(name) for name in taken.names] == [b"1", b"2", b"3", b"4"]


def test_a_zip_gives_its_recordings_and_lists_what_it_left_out(temporary):
    data = zipped(
        ("ward/ill/c.wav", WAV),
        ("ward/no ending", WAV),
        ("ward/damaged.mp3", b"x"),
        ("ward/list.csv", b"a,b"),
        ("ward/letter", b"Dear Sir"),
        ("__MACOSX/ward/._c.wav", b"x"),
        ("ward/.hidden.wav", WAV),
    )
    taken = take(("Ward.ZIP", data), ("c.wav", WAV))
    assert taken.names == [
        *("Ward.ZIP/damaged.mp3", "Ward.ZIP/ill/c.wav", "Ward.ZIP/no ending"),
        "c.wav",
    ]
    assert taken.read("Ward.ZIP/no ending") == WAV
    assert sorted(taken.left_out) == ["Ward.ZIP/.hidden.wav", "Ward.ZIP/letter", "Ward.ZIP/list.csv"]
    assert taken.refused == {} and list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no zip", "not a ZIP file"),
        (zipped(("../c.wav", WAV)), "outside its own folder"),
        (zipped(("/c.wav", WAV)), "outside its own folder"),
        (zipped((entry("c.wav", external_attr=stat.S_IFLNK << 16), b"/etc/passwd")), "a link or a device"),
        (BOMB, "more than 100 times its size"),
        (zipped(("a.txt", b"x")), "no recordings"),
        (zipped(*((f"{n}.wav", b"") for n in range(recordings.MOST + 1))), "more than 500"),
        (zipped(*((f"{n}.wav", b"") for n in range(2 * recordings.MOST + 200))), "more than 1,100 files"),
    ],
)
def test_a_refused_zip_is_reported_and_does_not_affect_other_files(temporary, data, why):
    taken = take(("a.wav", WAV), ("evil.zip", data), ("b.wav", WAV))
    assert taken.names == ["a.wav", "evil.zip", "b.wav"]
    assert why in taken.refused["evil.zip"] and "audit" not in taken.refused["evil.zip"]
    assert list(temporary.parent.rglob("*")) == [temporary]
    assert taken.read("b.wav") == WAV


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    def unpacks(*args):
        raise AssertionError

    monkeypatch.setattr(zipfile.ZipFile, "open", unpacks)
    assert take(("bomb.zip", BOMB)).refused


def test_all_zips_together_may_hold_no_more_than_one(monkeypatch):
    monkeypatch.setattr(recordings, "MOST_BYTES", 2 * 2**20)
    sound = bytes(range(256)) * 2**12  # 1 MB
    data = zipped(("a.wav", sound + b"0"), compression=zipfile.ZIP_STORED)
    taken = take(("one.zip", data), ("two.zip", data), ("three.wav", b"x"))
    assert list(taken.refused) == ["two.zip"]
    assert taken.read("three.wav") == b"x"


def test_too_many_files_are_refused_and_nothing_stays(temporary, monkeypatch):
    monkeypatch.setattr(recordings, "MOST", 2)
    with pytest.raises(recordings.IntakeError, match="more than 2 recordings"):
        take(*((f"{n}.wav", b"x") for n in range(3)))
    monkeypatch.setattr(recordings, "MOST_BYTES", 5)
    with pytest.raises(recordings.IntakeError, match="at once"):
        take(("a.wav", b"123"), ("b.wav", b"456"))
    assert list(temporary.iterdir()) == []


class Predictor:
    """A predictor that returns the number of samples."""

    def predict(self, recording, **options):
        return type("Prediction", (), {"to_dict": lambda self: {"samples": recording.samples.size}})()


def test_answers_come_in_order_with_an_error_for_what_is_no_recording():
    most = audio.LIMITS.max_bytes
    taken = take(("a.wav", WAV), ("z.zip", b""), ("large.wav", WAV + bytes(most)), ("text.wav", b"Dear Sir"))
    # Only as much of it is kept as shows that it is too large.
    assert len(taken.read("large.wav")) == most + 1
    found = list(taken.answers(taken.names, Predictor()))
    assert [answer["file"] for answer in found] == taken.names
    assert found[0]["samples"] == audio.load(WAV).samples.size
    assert [answer["error"]["code"] for answer in found[1:]] == ["bad_zip", "too_large", "not_audio"]
    assert [a["file"] for a in taken.answers(taken.names[3:], Predictor())] == ["text.wav"]


def test_names_that_are_treated_as_recordings():
    assert recordings.is_sound("ill/a.WAV", b"") and recordings.is_sound("noname", WAV[: recordings.HEAD])
    assert recordings.is_sound("x", b"ID3\x04\x00\x00\x00\x00\x00\x00" + WAV)
    assert not recordings.is_sound("ill/.a.wav", WAV) and not recordings.is_sound("a.csv", b"file,label\n")
