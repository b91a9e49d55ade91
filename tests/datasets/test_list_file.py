"""The text of a list: its encoding, its separator, and what stands above its header."""

import pytest

from coughlab.datasets import list_file, listing
from coughlab.datasets.listing import DatasetError

ROWS = "file,label\na.wav,x\nb.wav,y\n"


def read(text):
    return next(list_file.tables(text, lambda field: field.endswith(".wav")))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        *[
            ("cp1252", "ward ’A’ – ü"),
            ("cp1250", "kašeľ ř"),
            ("cp1251", "кашель"),
            ("koi8_r", "кашель"),
            ("cp1253", "βήχας"),
        ],
        *[
            ("mac_roman", "été’"),
            ("cp850", "für"),
            ("cp932", "咳の音"),
            ("gb18030", "咳嗽"),
            ("cp949", "기침"),
            ("latin-1", "für"),
        ],
        *[
            (encoding, "für кашель")
            for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
        ],
    ],
)
def test_the_encoding_that_gives_the_names_of_the_files(encoding, name):
    text = f"file,label\n{name} 1.webm,x\n{name} 2.webm,y\n"
    found, said = list_file.decoded(text.encode(encoding), [f"deep/{name} {k}.wav" for k in (1, 2)])
    assert found == text
    assert ("as the file names in the folder show" in said) != encoding.startswith("utf")


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("cp1252", "müde"),
        ("cp1251", "здоров"),
        ("cp1253", "υγιής"),
        ("cp949", "건강"),
        ("cp1250", "kašel žlutý"),
    ],
)
def test_an_encoding_that_no_file_name_shows_is_a_guess_and_said(encoding, label):
    text = "file,label\n" + "".join(f"c{k}.wav,{('other', label)[k % 2]}\n" for k in range(12))
    found, said = list_file.decoded(text.encode(encoding), ["c1.wav"])
    assert found == text and "a guess: save the list as UTF-8" in said


def test_a_damaged_character_does_not_change_the_encoding_of_all_others():
    found, said = list_file.decoded("é,ü,ö,ä,à\n".encode() + b"\xe9\n")
    assert found == "é,ü,ö,ä,à\n\ufffd\n" and "damaged" in said


@pytest.mark.parametrize(
    "above",
    [
        *[
            "sep=,\n",
            '"sep=,"\n',
            "\n\n",
            "\r\n",
            ",,\n",
            "# made in 2020, by me\n# and others\n",
            "\ufeff",
            "Coughs of 2020\n",
        ],
        *["sep=,\n\n# title\nThe coughs\n\n", "   \n"],
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_stands_above_the_header(above, end):
    tables = list_file.tables((above + ROWS).replace("\n", end), lambda field: field.endswith(".wav"))
    read = next(table for table in tables if "label" in table)
    assert read.to_dict("list") == {"file": ["a.wav", "b.wav"], "label": ["x", "y"]}


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("sep=;\nfile;label, or class\na,b.wav;x\n", ["file", "label, or class"]),
        ("sep=|\nfile|label\na.wav|x\n", ["file", "label"]),
        ("#file,label\na.wav,x\n", ["file", "label"]),
        ("file\tlabel\nwith, comma.wav\tx\n", ["file", "label"]),
        ("file;age\na.wav;3,5\nb.wav;4,5\n", ["file", "age"]),
        ("File_name  Covid_status\na  p\n", ["File_name", "Covid_status"]),
        ("file name,label\na b.wav,x y\n", ["file name", "label"]),
        ('"file; wav",label\na.wav,x\n', ["file; wav", "label"]),
    ],
)
def test_the_separator(text, columns):
    assert list(read(text)) == columns


def test_empty_lines_are_left_out_and_long_lines_refused():
    assert len(read("file,label,\na.wav,x,\n,,\n\n,,\n")) == 1
    assert list(read("file;label\na.wav;x;\nb.wav;y;\n")["label"]) == ["x", "y"]
    with pytest.raises(ValueError, match="more fields than its header"):
        read("file,label\na,b.wav,x\n")


def test_characters_that_do_not_show_are_left_out():
    assert list(read("file,label\n\ufeffa.wav,x\n\u202ab.wav\u202c,y\n\u200bc.wav,z\n")["file"]) == [
        "a.wav",
        "b.wav",
        "c.wav",
    ]


def test_a_line_of_data_is_no_header():
    found = list(
        list_file.tables("file label\na.wav well\nb.wav not covid\n", lambda field: field.endswith(".wav"))
    )
    assert [list(table) for table in found] == [["file label"]]
    assert next(list_file.tables("# label: 0 = x\nfile,label\n")).attrs["comments"] == ["label: 0 = x"]


def test_a_published_list_below_other_lines(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("sep=;\nA title\nfile;label\na.wav;x\n")
    assert list(listing.read_list(path, {"label"})["file"]) == ["a.wav"]
    with pytest.raises(DatasetError, match="lacks the column age"):
        listing.read_list(path, {"age"})
