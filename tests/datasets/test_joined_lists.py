"""A list of people with their labels and a list of their recordings, joined by the column that both have."""

import re

import pytest

from coughlab import datasets
from coughlab.datasets import DatasetError
from tests.datasets.trees import rows, skipped, tree

RECORDINGS = [f"audio/c{k}.wav" for k in range(6)]
FILES = "participant,score,filename\n" + "".join(f"P{k // 2},0.9,c{k}.wav\n" for k in range(6))
PEOPLE = "participant,age,tb_status\nP0,40,1\nP1,41,0\nP2,42,1\n"


def load(folder, people=PEOPLE, files=FILES, **further):
    return datasets.load("mine", tree(folder, RECORDINGS, people_csv=people, recordings_csv=files, **further))


def test_two_lists_give_files_labels_and_people(tmp_path):
    dataset = load(tmp_path, other_csv="participant,weight\nP0,70\nP1,71\n")
    assert rows(dataset, "recording", "label", "person") == [
        (f"c{k}.wav", "101"[k // 2], f"P{k // 2}") for k in range(6)
    ]
    assert all(path.is_file() for path in dataset.table["path"]) and dataset.skipped.empty
    assert dataset.read_as.startswith(
        "By the list recordings.csv, joined with people.csv by the column “participant”: files from the column “filename”, labels"
        " from the column “tb_status”, people from the column “participant”."
    )


@pytest.mark.parametrize(
    ("people", "files"),
    [
        # The id may seem to be the name of a file; ids may be written in two ways.
        ("id,status\n0,ill\n1,well\n2,ill\n", FILES.replace("P", "").replace("participant", "PatientID")),
        (
            "id,status\n0,ill\n1,well\n2,ill\n",
            FILES.replace("participant", "id").replace(",0.9", ".0,0.9").replace("P", ""),
        ),
        (PEOPLE.replace("1\n", "ill\n").replace("0\n", "well\n").replace("P", "p"), FILES),
        # Excel leaves out zeros.
        ("participant,status\n0,ill\n1,well\n2,ill\n", FILES.replace("P", "00")),
        # Labels that are a guess, and that are all the same.
        (
            "participant,diagnosis\nP0,ill\nP1,well\nP2,ill\n",
            FILES.replace("score", "label").replace("0.9", "cough"),
        ),
        (
            "participant,diagnosis\nP0,ill\nP1,well\nP2,ill\n",
            FILES.replace("score", "upload_status").replace("0.9,c1", "late,c1"),
        ),
        # Both lists have more columns in common, which do not tell people apart.
        (
            "sex,participant,status\nm,P0,ill\nm,P1,well\nm,P2,ill\n",
            FILES.replace("score", "sex").replace("0.9", "m"),
        ),
        # The same line twice.
        ("participant,status\nP0,ill\nP0,ill\nP1,well\nP1,\nP2,ill\n", FILES),
    ],
    ids=["two names", "numbers", "capitals", "zeros", "one label", "a guess", "columns in common", "twice"],
)
def test_the_column_that_joins(tmp_path, people, files):
    dataset = load(tmp_path, people, files)
    assert dataset.table["label"].tolist() == ["ill", "ill", "well", "well", "ill", "ill"]
    assert dataset.table["person"].nunique() == 3


def test_who_is_in_one_list_only_or_has_two_labels_is_left_out_with_the_reason(tmp_path):
    people = PEOPLE.replace("P2,42,1", "P1,42,1\nP7,42,1") + ",43,0\n"
    dataset = load(tmp_path, people, FILES + ",0.9,c9.wav\n")
    assert dataset.table["recording"].tolist() == ["c0.wav", "c1.wav"]
    left_out = skipped(dataset)
    assert left_out["c2.wav"] == "The list people.csv gives “P1” several labels: 0, 1."
    assert (
        left_out["c4.wav"]
        == "The list of labels, people.csv, has no line for “P2” of the column “participant”."
    )
    assert "no line for “”" in left_out["c9.wav"]
    assert left_out["P7"].endswith("the list of files, recordings.csv, names no recording of it.")


def test_ids_that_differ_in_capitals_are_different_people(tmp_path):
    people = "participant,status\np0,ill\nP0,well\nP1,ill\nP2,well\n"
    assert load(tmp_path, people).table["label"].tolist() == ["well"] * 2 + ["ill"] * 2 + ["well"] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"people": PEOPLE.replace("P", "Q")},
        {"people": PEOPLE.replace("participant", "visit")},
        {"people": PEOPLE.replace("participant", "sex"), "files": FILES.replace("participant", "sex")},
        {"more_csv": PEOPLE.replace("40", "50")},
        {"more_csv": FILES.replace("0.9", "0.8")},
        {"files": FILES.replace("c", "x")},
    ],
    ids=[
        "no id in both",
        "no column in both",
        "a column of no ids",
        "two lists of people",
        "two lists of files",
        "no file is there",
    ],
)
def test_lists_that_are_not_surely_one_are_refused(tmp_path, change):
    with pytest.raises(
        DatasetError, match=r"labels in .*people.csv. They are joined if there is one of each"
    ):
        load(tmp_path, **change)


def test_values_that_differ_are_named(tmp_path):
    with pytest.raises(
        DatasetError, match=r"other values in both, such as “P0” in recordings.csv and “0” in people.csv"
    ):
        load(tmp_path, PEOPLE.replace("P", ""))


def test_people_of_another_list_of_the_same_files(tmp_path):
    labels = "filename,label\n" + "".join(f"c{k},{'ab'[k % 2]}\n" for k in range(6))
    dataset = load(tmp_path, labels)
    assert rows(dataset, "label", "person") == [("ab"[k % 2], f"P{k // 2}") for k in range(6)]
    assert "people from the column “participant of recordings.csv”" in dataset.read_as


@pytest.mark.parametrize(
    ("first", "second", "read"),
    [
        ("c0.wav,a\nc1.wav,b\n", "c2.wav,a\nc3.wav,b\n", "first.csv and second.csv: "),
        (
            "c0.wav,a\nc1.wav,b\n",
            "c0.wav,a\nc1.wav,b\n",
            "first.csv: .* All lines of second.csv are in first.csv.",
        ),
        ("c0.wav,a\nc1.wav,b\n", "c0.wav,a\n", "first.csv: .* All lines of second.csv are in first.csv."),
    ],
)
def test_parts_and_copies_of_a_list(tmp_path, first, second, read):
    lists = {"first_csv": f"file,label\n{first}", "second_csv": f"file,label\n{second}"}
    dataset = datasets.load("mine", tree(tmp_path, RECORDINGS, **lists))
    assert dataset.table["recording"].tolist() == [f"c{k}.wav" for k in range(4 if "c2" in second else 2)]
    assert re.match(f"By the list {read}", dataset.read_as)


def test_parts_of_a_list_of_people_and_a_list_of_missing_files(tmp_path):
    parts = PEOPLE.replace("P2,42,1\n", ""), "participant,age,tb_status\nP2,42,1\n"
    dataset = load(tmp_path, parts[0], more_csv=parts[1], long_csv=FILES.replace(",c", ",gone"))
    assert dataset.table["label"].tolist() == list("110011") and "long.csv was not read" in dataset.read_as


@pytest.mark.parametrize("names", ["{}/cough_{}.wav", "wav/{}_1b{}_Al.wav", "{}-cough-{}.wav"])
def test_files_that_are_named_after_people(tmp_path, names):
    recordings = [names.format(person, take) for person in ("101", "102", "P 3") for take in range(2)]
    people = "patient,diagnosis\n101,ill\n102,well\np3,ill\n104,well\n"
    dataset = datasets.load("mine", tree(tmp_path, recordings, people_csv=people))
    found = {(path.relative_to(tmp_path).as_posix(), label) for path, label in rows(dataset, "path", "label")}
    assert found == {(name, "well" if "102" in name else "ill") for name in recordings}
    assert dataset.table["person"].nunique() == 3
    assert skipped(dataset) == {"104": "No file or folder is named after it."}


def test_a_list_of_people_without_their_files_is_refused_with_what_to_add(tmp_path):
    with pytest.raises(
        DatasetError, match=r"a list of people: .* Add a list with the columns “file” and “participant”"
    ):
        datasets.load("mine", tree(tmp_path, RECORDINGS, people_csv=PEOPLE))
