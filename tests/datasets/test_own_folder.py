"""A user's own folder: all kinds of lists, one folder per class, and the entries that are left out."""

import zipfile

import pytest

from coughlab import datasets
from coughlab.audio import archive
from coughlab.datasets import DatasetError, listing
from coughlab.serving import batch_file
from tests.datasets.trees import rows, skipped, tree

TWO = ["a.wav", "b.wav"]


def load(folder):
    return datasets.load("my own", folder)


@pytest.mark.parametrize(
    "content",
    [
        "file,label\na.wav,positive\nb.wav,negative\n",
        "label;age;filename\nPositive;3;a.wav\nNEGATIVE ;5;b.wav\n",
        "Wav File\tCovid-19\n./a.wav\t1.0\n.\\b.wav\t0\n",
        "uuid|covid_test_result|file_size\na|Yes|7\nb|no|8\n",
        # No header names the files; the content of the column identifies it.
        "what,diagnosis\na.wav,COVID-19\nb.wav,healthy\n",
        "\ufeffpath,class\nmy set/a.wav,covid\nmy set/b.wav,not_covid\n",
        'recording,recording_device,status\n"a.wav",phone,True\n"b.wav",phone,False\n',
        '"file; wav; or | mp3",status\n"a.wav",True\n"b.wav",False\n',
    ],
    ids=[
        *(
            "plain",
            "semicolons",
            "tabs",
            "no endings",
            "by content",
            "own folder's name",
            "quoted",
            "in quotes",
        ),
    ],
)
def test_lists_of_many_kinds(tmp_path, content):
    (tmp_path / "list.csv").write_text(content, encoding="utf-8")
    dataset = load(tree(tmp_path, TWO))
    assert [(path.name, label) for path, label in rows(dataset, "path", "label")] == [
        ("a.wav", "covid"),
        ("b.wav", "not_covid"),
    ]
    assert all(path.is_file() for path in dataset.table["path"])
    assert dataset.skipped.empty


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8"])
def test_lists_in_many_encodings(tmp_path, encoding):
    (tmp_path / "list.csv").write_text("file,class\nfrühling.wav,Vögel\nb.wav,other\n", encoding=encoding)
    dataset = load(tree(tmp_path, ["frühling.wav", "b.wav"]))
    assert rows(dataset, "recording", "label")[0] == ("frühling.wav", "Vögel")
    assert dataset.table["path"][0].is_file()


def test_every_line_and_every_recording_is_in_the_table_or_left_out_with_a_reason(tmp_path):
    outside = tree(tmp_path / "outside", ["x.wav"]) / "x.wav"
    folder = tree(
        tmp_path / "set", ["a.wav", "deep/b.wav", "1/twin.wav", "2/twin.wav", "extra.wav", "README.md"]
    )
    (folder / "link.wav").symlink_to(outside)
    (folder / "folder").symlink_to(outside.parent)
    (folder / "inner.wav").symlink_to(folder / "a.wav")
    good = [
        "a.wav",
        f"{folder}/deep/b.wav",
        "b.wav",
        "gone.wav",
        "1/twin.wav",
        "a.wav",
        "inner.wav",
        "3/b.wav",
    ]
    bad = [
        "../outside/x.wav",
        str(outside),
        "C:\\x.wav",
        "link.wav",
        "folder/x.wav",
        "twin.wav",
        "",
        "nul\0.wav",
        "deep/",
    ]
    names = good + bad
    lines = [f"{name},{'sick' if number % 3 else 'well'}" for number, name in enumerate(names)]
    (folder / "list.csv").write_text("\n".join(["file,label", *lines, "2/twin.wav,"]))
    dataset = load(folder)
    assert dataset.table["recording"].tolist() == good
    places = [path.relative_to(folder).as_posix() for path in dataset.table["path"]]
    assert places == [
        *("a.wav", "deep/b.wav", "deep/b.wav", "gone.wav", "1/twin.wav", "a.wav", "inner.wav", "3/b.wav")
    ]
    left_out = skipped(dataset)
    assert list(left_out) == [*bad, "2/twin.wav", "extra.wav", "folder"]
    assert "1/twin.wav and 2/twin.wav" in left_out["twin.wav"]
    assert left_out["2/twin.wav"] == "The list gives it no label."


def test_placeholders_for_no_label_are_left_out_and_other_labels_stay(tmp_path):
    none = ["unknown", "N/A", "na", "NaN", "None", "?", "-", "missing"]
    lines = ["a.wav,positive", "b.wav,negative", *(f"{k}.wav,{label}" for k, label in enumerate(none))]
    (tmp_path / "list.csv").write_text("\n".join(["file,label", *lines]))
    dataset = load(tree(tmp_path, TWO))
    assert dataset.table["label"].tolist() == ["covid", "not_covid"]
    assert skipped(dataset)["1.wav"] == "The list gives it no label, but says “N/A”."
    assert len(dataset.skipped) == len(none)


def test_labels_of_something_else_stay_as_they_are(tmp_path):
    (tmp_path / "list.csv").write_text("file,label\na.wav,positive\nb.wav,asthma\n")
    assert load(tree(tmp_path, TWO)).table["label"].tolist() == ["positive", "asthma"]


def test_person_and_source_columns(tmp_path):
    content = "file,patient_id,patient_age,recording_device,label\n"
    content += "a.wav,7,30,Phone,0\nb.wav,7,30,,1\np9_1.wav,,4,Phone,1\np9_2.wav,,5,Mic,0\n"
    dataset = load(tree(tmp_path, [*TWO, "p9_1.wav", "p9_2.wav"], list_csv=content))
    assert rows(dataset, "person", "source") == [
        ("7", "Phone"),
        ("7", "unknown"),
        ("p9", "Phone"),
        ("p9", "Mic"),
    ]
    assert dataset.read_as == (
        "By the list list.csv: files from the column “file”, labels from the column “label”, people from the column “patient_id”,"
        " sources from the column “recording_device”. Labels: “0” as not COVID, “1” as COVID."
    )


def test_an_id_that_several_recordings_share_is_a_person(tmp_path):
    content = "id,file,label\n1,a.wav,x\n1,b.wav,y\n2,c.wav,x\n"
    dataset = load(tree(tmp_path, [*TWO, "c.wav"], list_csv=content))
    assert dataset.table["person"].tolist() == ["1", "1", "2"]
    assert dataset.read_as.endswith("people from the column “id”. Sources as far as the file names tell.")


def test_names_of_public_collections_give_person_and_source(tmp_path):
    names = ["cough-heavy-3Cwio.wav", "cough-shallow-3Cwio.wav", "pos-0421-084-cough-m-50.wav", "mine.wav"]
    content = "\n".join(["file,label", *(f"{name},{number % 2}" for number, name in enumerate(names))])
    dataset = load(tree(tmp_path, names, list_csv=content))
    assert dataset.table["source"].tolist() == ["coswara", "coswara", "virufy", "unknown"]
    assert dataset.table["person"].tolist()[:3] == ["coswara:3Cwio", "coswara:3Cwio", "virufy:0421-084"]


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (
            {"a_csv": "file,label\na.wav,0\n", "b_csv": "file,label\nb.wav,1\n"},
            "several lists.*a.csv and b.csv",
        ),
        ({"a_csv": "file,age\na.wav,30\n"}, "a.csv has no column of labels.*label, class, category"),
        ({"a_csv": "age,label\n30,yes\n"}, "a.csv has no column of file names"),
        ({"a_csv": "file,label\n"}, "a.csv lists no recordings"),
        ({"a_csv": ""}, "a.csv could not be read"),
        ({"a_csv": "file,label\na,b.wav,1\n"}, "more fields than its header"),
        ({"a_csv": 'file,label\n"a.wav,1\n'}, "a.csv could not be read"),
        ({"a_csv": "file,label\na.wav,\n"}, "no recording that can be used.*no label"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_the_reason(tmp_path, lists, message):
    with pytest.raises(DatasetError, match=message):
        load(tree(tmp_path, TWO, **lists))


def test_another_table_beside_the_list_has_no_effect(tmp_path):
    lists = {"list_csv": "file,label\na.wav,0\nb.wav,1\n", "notes_csv": "day,weather\n1,rain\n"}
    assert len(load(tree(tmp_path, TWO, **lists)).table) == 2


def test_one_folder_a_class(tmp_path):
    recordings = [
        "train/COVID/p01_1.wav",
        "train/COVID/p01_2.wav",
        "test/COVID/rec_1.flac",
        "test/COVID/rec_2.flac",
    ]
    recordings += ["train/Healthy/alice/1.wav", "train/Healthy/alice/2.wav", "test/Healthy/p01_1.wav"]
    others = ["stray.wav", "README.md", "train/Healthy/notes.txt", "train/Healthy/._1.wav"]
    dataset = load(tree(tmp_path, recordings + others))
    assert rows(dataset, "recording", "label") == [
        (name, "covid" if "COVID" in name else "not_covid") for name in sorted(recordings)
    ]
    people = dataset.table.groupby("person")["recording"].apply(list).tolist()
    # One person, p01, is in both classes.
    assert sorted(map(len, people)) == [1, 1, 2, 3]
    assert set(skipped(dataset)) == set(others)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("p1.wav", "p2.wav"), "A name or number in several classes was taken for one person: p1, p2."),
        (
            ("1.wav", "2.wav"),
            "Names that only count recordings were taken for different people: 1.wav, 2.wav.",
        ),
    ],
)
def test_what_was_assumed_of_names_in_several_classes_is_said(tmp_path, names, said):
    folder = tree(tmp_path, [f"{label}/{name}" for label in ("ill", "well") for name in names])
    assert load(folder).read_as == (
        "One subfolder a class, 2 in all. People and sources as far as the file names tell."
        f" {said} If that is wrong, add a CSV list with columns of files, labels and people."
    )
    apart = tree(tmp_path / "apart", ["ill/p1.wav", "well/p2.wav"])
    assert load(apart).read_as.endswith("People and sources as far as the file names tell.")


JUNK = [
    *(
        ".ipynb_checkpoints",
        ".Trash-1000",
        "$RECYCLE.BIN",
        "__MACOSX",
        "System Volume Information",
        "found.000",
    ),
    *("lost+found", "#recycle", "@Recycle", ".git", ".stversions", ".dropbox.cache", ".venv", "__pycache__"),
    *("well/@eaDir", "well/.AppleDouble", "ill/.@__thumb"),
]
JUNK_FILES = [
    *("ill/._1.wav", "ill/.hidden.wav", "~$labels.csv", "._labels.csv", ".DS_Store", "Thumbs.db", "Icon\r"),
    *("ill/2.wav.part", "ill/1.wav~", "ill/1.wav:Zone.Identifier"),
]


def test_what_systems_and_programs_leave_behind_is_no_data(tmp_path):
    recordings = ["ill/1.wav", "ill/3.wav", "well/2.wav", "well/4.wav"]
    folder = tree(tmp_path / "set", [*recordings, *JUNK_FILES, *(f"{place}/ill/x.wav" for place in JUNK)])
    dataset = load(folder)
    assert dataset.table["recording"].tolist() == recordings
    assert set(skipped(dataset)) == {*JUNK, *JUNK_FILES} and set(dataset.skipped["reason"]) == {listing.JUNK}
    assert batch_file.recordings(folder) == (recordings, 0)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        for path in folder.rglob("*"):
            packed.write(path, f"set/{path.relative_to(folder)}")
    with archive.unpacked(tmp_path / "set.zip") as unpacked:
        assert load(unpacked).table["recording"].tolist() == recordings
        assert "ill/.hidden.wav" in skipped(load(unpacked))


@pytest.mark.parametrize("linked", [["ill", "well"], ["well"]])
def test_classes_that_are_links_are_named(tmp_path, linked):
    elsewhere = tree(tmp_path / "elsewhere", ["ill/1.wav", "well/2.wav"])
    folder = tree(
        tmp_path / "set", [f"{label}/1.wav" for label in {"ill", "well"} - set(linked)] + ["notes.txt"]
    )
    for label in linked:
        (folder / label).symlink_to(elsewhere / label)
    with pytest.raises(DatasetError, match=rf"Links are not followed: {', '.join(linked)}\."):
        load(folder)
    tree(folder, ["one/1.wav", "two/1.wav"])
    assert [skipped(load(folder))[label] for label in linked] == [listing.LINK] * len(linked)


def test_a_name_that_is_not_text_is_left_out(tmp_path):
    tree(tmp_path, ["a/1.wav", "b/1.wav", "b/\udcff.wav"])
    dataset = load(tmp_path)
    assert len(dataset.table) == 2 and list(skipped(dataset)) == ["b/\\udcff.wav"]


def test_a_single_folder_is_not_a_set_of_classes(tmp_path):
    with pytest.raises(DatasetError, match="one class only, in covid"):
        load(tree(tmp_path, ["covid/a.wav"]))
