"""A name in a list and its file, written in different ways: found where one file can be meant, never by a wrong guess."""

import unicodedata

import pytest

from coughlab.datasets import listing, matching
from coughlab.datasets.matching import Files

ROOT = "/data/set"


def match(names, found, links=()):
    return Files(ROOT, found, links).match(names)


def paths(names, found, links=()):
    return [one.path for one in match(names, found, links)]


@pytest.mark.parametrize(
    ("name", "file", "assumed"),
    [
        *[
            ("a.wav", "a.wav", ()),
            ("a", "a.wav", ()),
            ("./a.wav", "a.wav", ()),
            ("a.wav", "deep/a.wav", ()),
            ("x\\a.wav", "x/a.wav", ()),
        ],
        *[
            ("p1/a.wav", "audio/p1/a.wav", ()),
            (f"{ROOT}/x/a.wav", "x/a.wav", ()),
            ("a%20b.wav", "a%20b.wav", ()),
        ],
        *[
            ("A.WAV", "a.wav", ("spelling",)),
            ("a.wav", "A.Wav", ("spelling",)),
            ("'a b.wav'", "a b.wav", ("spelling",)),
        ],
        *[
            ("a  b .wav", "a b.wav", ("spelling",)),
            ("a%20b.wav", "a b.wav", ("spelling",)),
            ("a b.wav", "a_b.wav", ("spelling",)),
        ],
        *[("WARD/x/a.wav", "Ward/x/a.wav", ("spelling",)), ("“a.wav”", "a.wav", ("spelling",))],
        *[
            ("a.webm", "a.wav", ("ending",)),
            ("a.wav", "a.wav.wav", ("ending",)),
            ("a.mp3.wav", "a.wav", ("ending",)),
        ],
        *[("A.webm", "x/a.flac", ("ending",)), ("a.raw", "a.wav", ("ending",))],
        *[
            ("1", "001.wav", ("zeros",)),
            ("001", "1.wav", ("zeros",)),
            ("1.0", "1.wav", ("zeros",)),
            ("1,0", "001.wav", ("zeros",)),
        ],
        *[
            ("c1_2.wav", "c01_002.wav", ("zeros",)),
            ("P01.webm", "p1.wav", ("zeros", "ending")),
            ("p1/7", "p01/07.wav", ("zeros",)),
        ],
        *[("/home/me/set/x/a.wav", "x/a.wav", ("folders",)), ("C:\\set\\a.wav", "a.wav", ("folders",))],
        *[
            ("\\\\server\\set\\a.wav", "wav/a.wav", ("folders",)),
            ("https://h.org/a.wav", "a.wav", ("folders",)),
        ],
        *[
            ("my set/a.wav", "a.wav", ("folders",)),
            ("../set/x/a.wav", "x/a.wav", ("folders",)),
            ("/u/wav/a.wav", "audio/wav/a.wav", ("folders",)),
        ],
        ("C:a.wav", "a.wav", ("folders",)),
        ("D:\\Coughs\\AUDIO\\A.WEBM", "audio/a.wav", ("folders", "ending")),
    ],
)
def test_one_file_can_be_meant(name, file, assumed):
    found = [file, "other.wav", "notes.txt"]
    assert match([name], found) == [(file, "", assumed)]


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize(
    "name", ["müde gehört.wav", "müde gehört", "MÜDE GEHÖRT.webm", "/home/me/müde gehört.wav"]
)
def test_a_file_in_another_unicode_form(forms, name):
    file = unicodedata.normalize(forms[0], "müde gehört.wav")
    assert paths([unicodedata.normalize(forms[1], name)], [file, "mude gehort.wav"]) == [file]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("b.wav", ["x/a.wav", "a.wav"]),
        ("1.5", ["15.wav", "1.wav"]),
        ("10", ["1.wav", "01.wav"]),
        ("WARD/a.wav", ["Ward/b.wav", "a.wav"]),
        # Another folder is another recording.
        ("p1/a.wav", ["p2/a.wav"]),
        ("train/a.wav", ["test/a.wav"]),
        # Only recordings are guessed.
        ("a.wav", ["a.txt", "a.png"]),
    ],
)
def test_a_file_that_no_name_means(name, found):
    assert match([name], found) == [(name, "", ())]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.webm", ["a.wav", "a.mp3"]),
        ("a.wav", ["1/a.wav", "2/a.wav"]),
        ("A.wav", ["a.wav", "A.WAV"]),
        ("1", ["01.wav", "001.wav"]),
    ],
)
def test_two_files_that_a_name_may_mean(name, found):
    (one,) = match([name], found)
    assert not one.path and all(file in one.problem for file in found)


def test_one_file_for_several_names_only_if_the_list_has_one_name_twice():
    assert paths(["a.webm", "a.webm"], ["a.wav"]) == ["a.wav"] * 2
    assert (
        paths([unicodedata.normalize(form, "ä.WAV") for form in ("NFC", "NFD")], ["ä.wav"]) == ["ä.wav"] * 2
    )
    # The file has a name of its own.
    assert paths(["a.webm", "a.wav", "A.wav", "x/a.wav"], ["a.wav"]) == [
        "a.webm",
        "a.wav",
        "A.wav",
        "x/a.wav",
    ]
    for names in (
        ["a.webm", "a.ogg"],
        ["p1/a.wav", "p2/a.wav"],
        ["1", "1.0"],
        ["/home/1/a.wav", "/home/2/a.wav"],
    ):
        file = "01.wav" if names[0] == "1" else "a.wav"
        for one in match(names, [file]):
            assert not one.path and all(name in one.problem for name in (file, *names))


@pytest.mark.parametrize(
    "name", ["../x.wav", "/etc/x.wav", "C:\\x.wav", "c:x.wav", "//server/x.wav", "a/../../x.wav", "..\\x.wav"]
)
def test_a_path_that_leads_out_is_refused(name):
    assert match([name], ["a.wav", "y/b.wav"]) == [("", listing.OUTSIDE, ())]


@pytest.mark.parametrize(
    "name", ["link.wav", "LINK.wav", "folder/x.wav", "Folder\\x.wav", "./link.wav", "y/../link.wav"]
)
def test_a_link_that_leads_elsewhere_is_not_followed(name):
    (one,) = match([name], ["a.wav", "y/b.wav"], ["link.wav", "folder"])
    assert one.problem == listing.LINK
    # Nor is it found by a guess.
    assert paths(["link.webm", "/home/me/set/link.wav"], ["a.wav"], ["link.wav"]) == ["link.webm", ""]


def test_a_folder_in_another_spelling_is_not_left_out():
    assert paths(["WARD/a.wav"], ["Ward/a.wav", "a.wav"]) == ["Ward/a.wav"]


def test_what_was_assumed_is_said():
    matches = match(
        ["A.wav", "b.webm", "b.webm", "7", "d.wav", "/home/E.wav"],
        ["a.wav", "b.wav", "07.wav", "d.wav", "e.wav"],
    )
    assert matching.assumed(matches) == (
        "1 name was found without the first folders of the path."
        " 2 names were found in another spelling (capitals, accents, blanks or quotes)."
        " 1 name was found with another ending. 1 name was found with other zeros in a number, as 001 for 1 or 1.0."
    )
    assert not matching.assumed(match(["a.wav", "gone.wav"], ["a.wav"]))


def test_the_nearest_recording():
    files = Files(ROOT, ["audio/kid01.wav", "audio/mother.wav", "kid-1.txt"])
    assert files.near("kids-01.webm") == "audio/kid01.wav"
    assert files.near("x.wav") == ""
