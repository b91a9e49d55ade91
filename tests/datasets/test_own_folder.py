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
    ("content", "labels"),
    [
        ("file,label\na.wav,COVID+\nb.wav,COVID-\n", ("covid", "not_covid")),
        ("label;age;filename\nPositive;3;a.wav\nNEGATIVE ;5;b.wav\n", ("Positive", "NEGATIVE")),
        ("Wav File\tCovid-19\n./a.wav\t1.0\n.\\b.wav\t0\n", ("covid", "not_covid")),
        ("uuid|covid_test_result|file_size\na|Yes|7\nb|no|8\n", ("covid", "not_covid")),
        # No header names the files; the content of the column identifies it.
        ("what,diagnosis\na.wav,COVID-19\nb.wav,healthy\n", ("covid", "not_covid")),
        ("\ufeffpath,class\nmy set/a.wav,covid\nmy set/b.wav,not_covid\n", ("covid", "not_covid")),
        ('recording,recording_device,status\n"a.wav",phone,True\n"b.wav",phone,False\n', ("True", "False")),
        ('"file; wav; or | mp3",status\n"a.wav",ill\n"b.wav",well\n', ("ill", "well")),
        ("sep=;\nfile;tb_status\na.wav;1\nb.wav;0\n", ("1", "0")),
        ("File_name Covid_status Gender\na p m\nb n m\n", ("covid", "not_covid")),
        ("My list of recordings, covid\nfile,pcr\na.wav,+\nb.wav,-\n", ("+", "-")),
        ("# made by me\n\nfile,condition\n/home/me/a.webm,asthma\n/home/me/B.WAV,none\n", ("asthma", "none")),
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
        *("line of Excel", "blanks", "title", "another computer"),
    ],
)
def test_lists_of_many_kinds(tmp_path, content, labels):
    (tmp_path / "list.csv").write_text(content, encoding="utf-8")
    dataset = load(tree(tmp_path, TWO))
    assert [(path.name, label) for path, label in rows(dataset, "path", "label")] == list(
        zip(TWO, labels, strict=True)
    )
    assert all(path.is_file() for path in dataset.table["path"])
    assert dataset.skipped.empty


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "cp1252", "mac_roman"])
def test_lists_in_many_encodings(tmp_path, encoding):
    (tmp_path / "list.csv").write_text("file,class\nfrühling.wav,Vögel\nb.wav,other\n", encoding=encoding)
    dataset = load(tree(tmp_path, ["frühling.wav", "b.wav"]))
    assert rows(dataset, "recording", "label")[0] == ("frühling.wav", "Vögel")
    assert dataset.table["path"][0].is_file()
    assert ("The text of the list was read as" in dataset.read_as) != encoding.startswith("utf")


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
    assert dataset.table["label"].tolist() == ["positive", "negative"]
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
        " sources from the column “recording_device”. 2 lines have nothing in the column “patient_id”: there the file name"
        " tells. 1 line has nothing in the column “recording_device”: there the file name tells. The list does not say what its"
        " labels “0” and “1” mean."
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
            {"a_csv": "file,label\na.wav,0\n", "b_csv": "file,label\na.wav,1\n"},
            "several lists.*a.csv and b.csv",
        ),
        ({"a_csv": "file,age\na.wav,30\n"}, "a.csv has no column of labels.*label, class, category"),
        ({"a_csv": "age,label\n30,yes\n"}, "a.csv has no column of file names"),
        ({"a_csv": "file,label\n"}, "a.csv lists no recordings"),
        ({"a_csv": ""}, "a.csv could not be read"),
        ({"a_csv": "file,label\na,b.wav,1\n"}, "more fields than its header.*“,” in quotes"),
        (
            {"a_csv": "file label\na.wav not covid\nb.wav long covid\nc.wav x\n"},
            "one column only, “file label”.*commas",
        ),
        (
            {"a_csv": "file,kind\na.wav,x\nb.wav,y\n"},
            "no column of labels.*If “kind” has the labels, call it “label”",
        ),
        ({"a_csv": 'file,label\n"a.wav,1\n'}, "a.csv could not be read"),
        ({"a_csv": "file,label\na.wav,\n"}, "no recording that can be used.*no label"),
        ({"a_csv": "a.wav,1\nb.wav,0\n"}, "a.csv has no header.*“file,label”"),
        (
            {"a_csv": "file,label\nx/a.wav,1\na.webm,0\n"},
            "None of the files in the column “file” .*Several names in the list may mean the file a.wav",
        ),
        ({"a_csv": "file,label\nbb.wav,1\n"}, "None of the files.*says “bb.wav”, the folder has “b.wav”"),
        ({"a_csv": "file,label\nc.wav,1\n"}, "None of the files.*says “c.wav”, .*such as “a.wav”"),
        (
            {"a_csv": "file,visit\na.wav,1\nb.wav,2\n", "b_csv": "visit,status\n8,ill\n9,well\n"},
            "File names are in a.csv, labels in b.csv. They are joined if",
        ),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_the_reason(tmp_path, lists, message):
    with pytest.raises(DatasetError, match=message):
        load(tree(tmp_path, TWO, **lists))


def test_a_name_that_fits_several_files_is_refused_without_a_contradiction(tmp_path):
    with pytest.raises(DatasetError, match=r"“0” fits 00.wav and 000.wav") as caught:
        load(tree(tmp_path, ["00.wav", "000.wav"], list_csv="file,label\n0,x\n"))
    assert "None of the files" not in str(caught.value)


def test_headings_and_sums_between_the_lines_are_no_classes(tmp_path):
    lines = [f"{name}.wav,{label}" for name, label in zip("abcdefgh", "xyxyxyxy", strict=True)]
    content = "\n".join(["file,label", *lines[:4], "file,label", *lines[4:], "Total,8"])
    dataset = load(tree(tmp_path, [f"{name}.wav" for name in "abcdefgh"], list_csv=content))
    assert sorted(set(dataset.table["label"])) == ["x", "y"] and len(dataset.table) == 8
    assert list(skipped(dataset)) == ["file", "Total"]


def test_files_in_a_second_column_are_named(tmp_path):
    content = "patient,cough1,cough2,diagnosis\np1,a.wav,c.wav,ill\np2,b.wav,d.wav,well\n"
    dataset = load(tree(tmp_path, ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"], list_csv=content))
    left_out = skipped(dataset)
    assert left_out["e.wav"] == listing.NOT_LISTED and len(dataset.table) == 2
    assert (
        "in the column “cough2” only" in left_out["c.wav"]
        and "in the column “cough2” only" in left_out["d.wav"]
    )


CLASSES = [f"{label}/{k}{label[0]}.wav" for label in ("ill", "well") for k in range(3)]


@pytest.mark.parametrize(
    ("lists", "people"),
    [
        ({"features_csv": "a,b\n1,2\n3,4\n"}, 6),
        ({"patients_csv": "patient,age\nP1,30\nP2,31\n"}, 6),
        ({"files_csv": "file,duration\n" + "".join(f"{name},0.{k}\n" for k, name in enumerate(CLASSES))}, 6),
        # People are taken, also where names of files do not tell them.
        (
            {
                "files_csv": "file,patient_id\n"
                + "".join(f"{name},P{k // 3}\n" for k, name in enumerate(CLASSES))
            },
            2,
        ),
    ],
)
def test_a_list_without_labels_beside_class_folders(tmp_path, lists, people):
    dataset = load(tree(tmp_path, CLASSES, **lists))
    assert dict(rows(dataset, "recording", "label")) == {name: name.partition("/")[0] for name in CLASSES}
    assert dataset.table["person"].nunique() == people
    assert "no labels, the folders were taken for the classes." in dataset.read_as


def test_a_guess_of_labels_of_people_is_not_enough_beside_class_folders(tmp_path):
    recordings = [f"{label}/P{k}{label[0]}_1.wav" for label in ("ill", "well") for k in range(3)]
    people = [f"P{k}{label}" for label in "iw" for k in range(3)]
    for header in ("group", "diagnosis"):
        content = f"patient,{header}\n" + "".join(f"{name},{'xy'[k % 2]}\n" for k, name in enumerate(people))
        folder = tree(tmp_path, recordings, list_csv=content)
        if header == "group":
            with pytest.raises(
                DatasetError, match=r"a list of people.*If “group” has the labels, call it “label”"
            ):
                load(folder)
        else:
            assert load(folder).table["label"].tolist() == list("xyxyxy")


def test_tables_of_recordings_below_the_folder_are_no_lists(tmp_path):
    tables = {f"ill__{k}_csv": f"start,end,label\n{k},1,cough\n" for k in range(3)}
    recordings = [f"{label}/{k}.wav" for label in ("ill", "well") for k in range(3)]
    dataset = load(tree(tmp_path, recordings, **tables, well__empty_csv=""))
    assert dataset.table["label"].tolist() == ["ill"] * 3 + ["well"] * 3


@pytest.mark.parametrize(
    "content",
    ["file,kind\nill/0i.wav,x\nwell/0w.wav,y\n", "patient,diagnosis\nP1,x\nP2,y\n"],
)
def test_a_list_that_may_have_labels_is_not_passed_over_for_class_folders(tmp_path, content):
    with pytest.raises(DatasetError, match=r"list.csv"):
        load(tree(tmp_path, CLASSES, list_csv=content))


@pytest.mark.parametrize("names", ["cough/{}.wav", "../cough/{}.wav", "{}.wav"])
def test_a_list_in_a_folder_below_is_read(tmp_path, names):
    content = "file,label\n" + "".join(f"{names.format(k)},{'xy'[k % 2]}\n" for k in range(4))
    recordings = [
        f"{place}/{k}.wav"
        for place in (("cough", "metadata") if names == "{}.wav" else ("cough", "breath"))
        for k in range(4)
    ]
    dataset = load(tree(tmp_path, recordings, metadata__list_csv=content))
    place = "metadata" if names == "{}.wav" else "cough"
    assert [path.relative_to(tmp_path).as_posix() for path in dataset.table["path"]] == [
        f"{place}/{k}.wav" for k in range(4)
    ]
    assert dataset.table["label"].tolist() == list("xyxy")


def test_a_list_alone_names_what_is_missing(tmp_path):
    dataset = load(tree(tmp_path, [], list_csv="file,label\na.wav,x\nb.wav,y\n"))
    assert len(dataset.table) == 2 and not any(path.exists() for path in dataset.table["path"])


def test_another_table_beside_the_list_has_no_effect(tmp_path):
    lists = {"list_csv": "file,label\na.wav,0\nb.wav,1\n", "notes_csv": "day,weather\n1,rain\n"}
    assert len(load(tree(tmp_path, TWO, **lists)).table) == 2


def test_the_report_says_what_was_assumed(tmp_path):
    content = "patient;filename;diagnosis;class;vaccination status\n"
    content += "".join(
        f"p{k};C{k}.WEBM;{'sick' if k % 2 else 'none'};{'AB'[k % 3 % 2]};yes\n" for k in range(1, 13)
    )
    (tmp_path / "list.csv").write_text(content)
    dataset = load(tree(tmp_path, [f"sounds/c{k:02}.wav" for k in range(1, 13)]))
    assert dataset.table["label"].tolist() == ["B", "A", "A"] * 4
    assert dataset.read_as == (
        "By the list list.csv: files from the column “filename”, labels from the column “class”, people from the column"
        " “patient”. Sources as far as the file names tell."
        " The column “diagnosis” may be labels too, and says something else in 4 lines: “class” was taken."
        " 12 names were found with another ending."
        " 9 names were found with other zeros in a number, as 001 for 1 or 1.0."
    )


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["covid", "healthy"], ["covid", "not_covid"]),
        (["COVID+", "COVID-"], ["covid", "not_covid"]),
        (["COVID-19", "no COVID"], ["covid", "not_covid"]),
        (["positive", "negative"], ["positive", "negative"]),
        (["0", "1"], ["0", "1"]),
        (["asthma", "healthy"], ["asthma", "healthy"]),
    ],
)
def test_class_folders_are_of_covid_only_if_they_say_so(tmp_path, classes, expected):
    table = load(tree(tmp_path, [f"{name}/{k}.wav" for name in classes for k in "ab"])).table
    assert dict(zip(table["recording"].str.partition("/")[0], table["label"], strict=True)) == dict(
        zip(classes, expected, strict=True)
    )


def test_a_list_that_cannot_be_read_beside_the_list_is_said(tmp_path):
    lists = {"list_csv": "file,label\na.wav,0\nb.wav,1\n", "old_csv": ""}
    dataset = load(tree(tmp_path, TWO, **lists))
    assert len(dataset.table) == 2 and "old.csv could not be read" in dataset.read_as


def test_a_list_of_other_files_beside_the_list_is_not_read(tmp_path):
    lists = {"list_csv": "file,label\na.wav,0\nb.wav,1\n", "people_csv": "id,status\np7,ill\np8,well\n"}
    dataset = load(tree(tmp_path, TWO, **lists))
    assert len(dataset.table) == 2
    assert "The list people.csv names no file that is in the folder, and was not read." in dataset.read_as


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
            "Names that several classes have, and that may only count recordings, were taken for different people: 1.wav, 2.wav.",
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
    assert batch_file.recordings(folder) == (recordings, 0, [])
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


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["my data/ill/1.wav", "my data/well/1.wav", "README.md"],
            "subfolders of .*my data are the classes .ill, well.,",
        ),
        (
            ["my data/audio/ill/1.wav", "my data/audio/well/1.wav"],
            "subfolders of .*my data/audio are the classes",
        ),
        (
            ["P01/1.wav", "P02/1.wav", "list.xlsx"],
            "named like people or dates.* If list.xlsx is a list .* CSV",
        ),
        (["a.wav", "labels.txt", "readme.txt"], "neither a list .* If labels.txt is a list"),
        (
            ["ill/1.wav", "NA/1.wav", "-/1.wav", "meta/list.csv"],
            "list.csv could not be read.*in ill.*no class: -, NA.*not read: meta/list.csv. Move one",
        ),
    ],
)
def test_folders_that_are_no_classes_are_refused_with_what_to_do(tmp_path, names, message):
    with pytest.raises(DatasetError, match=message):
        load(tree(tmp_path, names))


def test_folders_without_a_class_or_a_recording_are_named(tmp_path):
    names = [f"{label}/{k}.wav" for label in ("ill", "well", "unknown", "NA") for k in (1, 2)]
    folder = tree(tmp_path, [*names, "notes/a.txt"])
    (folder / "asthma").mkdir()
    dataset = load(folder)
    assert set(dataset.table["label"]) == {"ill", "well"}
    assert skipped(dataset)["unknown/1.wav"] == "Its folder, “unknown”, names no class."
    assert dataset.read_as.endswith("no class: NA, unknown. No recording is in 2 subfolders: asthma, notes.")


def test_the_folders_around_the_classes_are_sources(tmp_path):
    dataset = load(
        tree(tmp_path, [f"hospital {place}/{label}/p1.wav" for place in "AB" for label in ("ill", "well")])
    )
    assert rows(dataset, "person", "label", "source") == [
        (f"hospital {place}/p1", label, f"hospital {place}") for place in "AB" for label in ("ill", "well")
    ]
    assert "one person: p1 of hospital A, p1 of hospital B." in dataset.read_as


def test_a_recording_and_the_link_to_it_count_once(tmp_path):
    folder = tree(tmp_path, ["store/0.wav", "store/1.wav", "ill/2.wav", "well/3.wav"])
    for label, name in (("ill", "0.wav"), ("well", "1.wav")):
        (folder / label / name).symlink_to(f"../store/{name}")
    dataset = load(folder)
    assert dataset.table["recording"].tolist() == ["ill/0.wav", "ill/2.wav", "well/1.wav", "well/3.wav"]
    assert skipped(dataset)["store/0.wav"] == "The link ill/0.wav leads to it, and is used instead."
