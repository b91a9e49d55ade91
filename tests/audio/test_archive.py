"""What the unpacking of an untrusted ZIP accepts and what it refuses."""

import io
import stat
import struct
import warnings
import zipfile

import pytest

from coughlab.audio import archive
from coughlab.audio.archive import ArchiveError, Limits
from tests.files import bytes_of

SOUND = bytes(range(256)) * 8
FEW = Limits(max_bytes=20_000, max_files=4, max_file_bytes=5_000, max_list_bytes=100, max_total_bytes=9_000)


def entry(name, **attributes):
    info = zipfile.ZipInfo("x")
    # Set after the constructor, which normalises names.
    info.filename = name
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


def zipped(*entries, compression=zipfile.ZIP_DEFLATED):
    """A ZIP made from pairs of name and content; a name is a str or a ZipInfo."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of duplicates
        for name, content in entries:
            info = name if isinstance(name, zipfile.ZipInfo) else entry(name)
            file.writestr(info, content, info.compress_type or compression)
    return buffer.getvalue()


def patched(data, old, new):
    assert old in data and len(old) == len(new)
    return data.replace(old, new)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


def test_files_and_folders_are_unpacked(folder):
    data = zipped(
        ("list.csv", b"a,b"), ("covid/", b""), ("covid/c.wav", SOUND), ("ill/née\u202f1.wav", SOUND)
    )
    file = io.BytesIO(data)
    assert archive.unpack(file, folder) == folder
    assert bytes_of(folder) == {"list.csv": b"a,b", "covid/c.wav": SOUND, "ill/née\u202f1.wav": SOUND}
    assert not file.closed


def test_a_path_is_accepted_and_backslashes_separate_folders(folder, tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped(("covid\\", b""), ("covid\\c.wav", SOUND), ("./list.csv", b"")))
    archive.unpack(tmp_path / "a.zip", folder)
    assert bytes_of(folder) == {"covid/c.wav": SOUND, "list.csv": b""}


def test_a_single_top_folder_is_entered_and_what_systems_add_is_left_out(folder):
    data = zipped(
        ("set/covid/c.wav", SOUND),
        ("__MACOSX/set/._c.wav", b""),
        ("set/covid/._c.wav", b""),
        (".DS_Store", b""),
        ("set/Icon\r", b""),
        ("$RECYCLE.BIN/c.wav", b""),
        (".venv/" + 12 * "deep/" + "c.wav", b""),
        (entry(".venv/python", external_attr=stat.S_IFLNK << 16), b"/usr/bin/python"),
        # A person may have hidden a single file: who reads the folder says that it is left out.
        (".hidden.wav", SOUND),
    )
    assert archive.unpack(io.BytesIO(data), folder) == folder / "set"
    assert bytes_of(folder) == {"set/covid/c.wav": SOUND, ".hidden.wav": SOUND}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../c.wav", "outside its own folder"),
        ("a/../../c.wav", "outside its own folder"),
        ("..\\c.wav", "outside its own folder"),
        ("/etc/c.wav", "outside its own folder"),
        ("\\\\server\\c.wav", "outside its own folder"),
        ("C:\\c.wav", "outside its own folder"),
        ("d:c.wav", "outside its own folder"),
        ("a\nb.wav", "cannot be printed: 'a.b.wav'"),
        ("é" * 128, "too long"),
        ("a/" * 11 + "c.wav", "more than 10 folders"),
        (entry("c.wav", external_attr=stat.S_IFLNK << 16), "a link or a device"),
        (entry("c.wav", external_attr=stat.S_IFIFO << 16), "a link or a device"),
        (entry("c.wav", compress_type=zipfile.ZIP_LZMA), "uncommon way"),
        ("a.wav", "two things of the name 'a.wav'"),
        ("./a.wav", "two things of the name 'a.wav'"),
        ("a.wav/c.wav", "both a file and a folder"),
    ],
)
def test_what_is_refused_before_anything_is_written(folder, tmp_path, name, why):
    with pytest.raises(ArchiveError, match=why):
        archive.unpack(io.BytesIO(zipped(("a.wav", SOUND), (name, b"/etc/passwd"))), folder)
    assert [path for path in tmp_path.rglob("*") if path != folder] == []


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([(f"{n}.wav", b"") for n in range(5)], "more than 4 files"),
        # Its list of entries is not read.
        ([(f"{n}.wav", b"") for n in range(120)], "more than 4 files"),
        ([("a.wav", b"0" * 5_001)], "'a.wav' has 0 MB unpacked"),
        ([("a.CSV", b"0" * 101)], "a list may have at most"),
        ([("a.wav", b"0" * 5_000), ("b.wav", b"0" * 5_000)], "would unpack to"),
        ([(entry("a.wav", compress_type=zipfile.ZIP_STORED), SOUND * 10)], "The ZIP has 0 MB"),
        ([], "holds no files"),
        ([("a/", b""), (".git/", b"")], "holds no files\\."),
        ([("a/", b""), (".git/c.wav", b"")], "holds no files, except hidden folders"),
    ],
)
def test_limits(folder, entries, why):
    compression = zipfile.ZIP_STORED if why == "The ZIP has 0 MB" else zipfile.ZIP_DEFLATED
    with pytest.raises(ArchiveError, match=why):
        archive.unpack(io.BytesIO(zipped(*entries, compression=compression)), folder, FEW)
    assert list(folder.iterdir()) == []


def test_a_zip_bomb_is_refused_by_its_compression_ratio(folder):
    data = zipped(("silence.wav", bytes(2_200_000)))
    with pytest.raises(ArchiveError, match="2 times its size"):
        archive.unpack(io.BytesIO(data), folder, Limits(max_ratio=2))
    assert list(folder.iterdir()) == []


def test_an_entry_is_not_unpacked_beyond_the_size_it_declares(folder):
    length = struct.pack("<I", 2_000_000)
    data = patched(zipped(("a.wav", bytes(2_000_000))), length, struct.pack("<I", 1_000))
    with pytest.raises(ArchiveError, match="damaged"):
        archive.unpack(io.BytesIO(data), folder)
    assert sum(map(len, bytes_of(folder).values())) <= 1_000


def test_an_encrypted_entry_is_refused(folder):
    data = bytearray(zipped(("a.wav", SOUND)))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArchiveError, match="locked with a password"):
        archive.unpack(io.BytesIO(data), folder)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF" + SOUND,
        zipped(("a.wav", SOUND))[:-9],
        patched(zipped(("a.wav", b"abc"), compression=0), b"abc", b"abd"),
    ],
)
def test_a_file_that_is_not_a_zip_or_is_damaged_is_reported(folder, data):
    with pytest.raises(ArchiveError, match="not a ZIP file, or it is damaged"):
        archive.unpack(io.BytesIO(data), folder)
