"""The case study's dataset: its published layout, the information in names, and every error of a folder."""

import numpy as np
import pytest

from coughlab import datasets
from coughlab.datasets import COLUMNS, DatasetError
from tests.recordings import kaggle_trial_tree

LIST = "cough_trial_extended.csv"
AUDIOSET = "0v8MGxNetjg_ 10.000_ 20.000.wav"
HEAVY, SHALLOW = "cough-heavy-3CwioNQVDBQ6.wav", "cough-shallow-3CwioNQVDBQ6.wav"
VIRUFY = "pos-0421-084-cough-m-50.wav"
UNKNOWN = "cov1.wav"
ROWS = [
    (VIRUFY, "covid"),
    (AUDIOSET, "not_covid"),
    (HEAVY, "covid"),
    (AUDIOSET, "not_covid"),
    (UNKNOWN, "covid"),
    (SHALLOW, "covid"),
]


def listing(rows, header="file_properties,class"):
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def tree(folder, rows=ROWS, *, missing=(), header="file_properties,class"):
    files = {name: None if name in missing else np.zeros(1600) for name, _ in ROWS}
    return kaggle_trial_tree(folder / "data", files, listed=listing(rows, header))


def test_rows_come_in_the_lists_order_with_repeated_ones(tmp_path):
    folder = tree(tmp_path)
    dataset = datasets.load("kaggle-trial", folder)
    table = dataset.table
    assert dataset.name == "kaggle-trial" and dataset.skipped.empty
    assert list(table.columns) == COLUMNS
    assert list(zip(table["recording"], table["label"], strict=True)) == ROWS
    assert list(table["path"]) == [folder / "trial_covid" / name for name, _ in ROWS]


def test_names_give_person_and_source(tmp_path):
    table = datasets.load("kaggle-trial", tree(tmp_path)).table.set_index("recording")
    assert table["source"].to_dict() == {
        VIRUFY: "virufy",
        AUDIOSET: "audioset",
        HEAVY: "coswara",
        SHALLOW: "coswara",
        UNKNOWN: "unknown",
    }
    people = table["person"].to_dict()
    assert people[HEAVY] == people[SHALLOW]
    assert len({people[name] for name, _ in ROWS}) == 4


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0v8MGxNetjg_ 10.000_ 20.000.wav", "0v8MGxNetjg_ 30.000_ 40.000.wav", True),
        ("-a_b-c_d-e__ 0.000_ 10.000.wav", "0v8MGxNetjg_ 0.000_ 10.000.wav", False),
        ("pos-0421-084-cough-m-50.wav", "pos-0421-086-cough-m-65.wav", False),
        ("pos-0421-084-cough-m-50.wav", "pos-0422-084-cough-m-50.wav", False),
        ("cov1.wav", "cov2.wav", False),
    ],
)
def test_recordings_of_one_person(tmp_path, one, other, same):
    rows = [(one, "covid"), (other, "not_covid")]
    folder = kaggle_trial_tree(tmp_path, dict.fromkeys([one, other], np.zeros(1600)), listed=listing(rows))
    assert (datasets.load("kaggle-trial", folder).table["person"].nunique() == 1) is same


def test_columns_may_come_in_any_order_and_beside_others(tmp_path):
    folder = tree(tmp_path, [("covid", "30", VIRUFY)], header="class,age,file_properties")
    table = datasets.load("kaggle-trial", folder).table
    assert table[["recording", "label"]].to_numpy().tolist() == [[VIRUFY, "covid"]]
    assert list(table.columns) == COLUMNS


def test_folder_without_a_list(tmp_path):
    with pytest.raises(DatasetError, match=f"{tmp_path} has no {LIST}"):
        datasets.load("kaggle-trial", tmp_path)


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(DatasetError, match="There is no folder"):
        datasets.load("kaggle-trial", tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00\xd8 not text", b'file_properties,class\n"a,b'],
    ids=["empty", "not text", "broken"],
)
def test_list_that_cannot_be_read(tmp_path, content):
    folder = tree(tmp_path)
    (folder / LIST).write_bytes(content)
    with pytest.raises(DatasetError, match=f"{LIST} could not be read: ."):
        datasets.load("kaggle-trial", folder)


def test_list_that_is_a_folder(tmp_path):
    (tmp_path / LIST).mkdir()
    with pytest.raises(DatasetError, match=f"{LIST} could not be read: ."):
        datasets.load("kaggle-trial", tmp_path)


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("file_properties,label", "class"),
        ("file,class", "file_properties"),
        ("file,label", "class and file_properties"),
    ],
)
def test_list_without_a_column(tmp_path, header, lacking):
    with pytest.raises(DatasetError, match=f"{LIST} lacks the column {lacking}\\."):
        datasets.load("kaggle-trial", tree(tmp_path, header=header))


def test_list_without_rows(tmp_path):
    with pytest.raises(DatasetError, match=f"{LIST} lists no recordings"):
        datasets.load("kaggle-trial", tree(tmp_path, []))


def test_a_folder_without_the_recordings_folder(tmp_path):
    (tmp_path / LIST).write_text(listing(ROWS))
    with pytest.raises(DatasetError, match="has no folder trial_covid"):
        datasets.load("kaggle-trial", tmp_path)


def test_lines_that_cannot_be_used_are_left_out_and_reported(tmp_path):
    bad = [(UNKNOWN, "healthy"), ("", "covid"), ("../../etc/passwd", "covid"), ("/etc/passwd", "covid")]
    dataset = datasets.load("kaggle-trial", tree(tmp_path, [*bad, *ROWS, (UNKNOWN, "")]))
    assert dataset.table["recording"].tolist() == [name for name, _ in ROWS]
    recordings, reasons = dataset.skipped["recording"].tolist(), dataset.skipped["reason"].tolist()
    assert recordings == [*(name for name, _ in bad), UNKNOWN]
    for reason, expected in zip(
        reasons, ["healthy", "no file name", "leads out", "leads out", "(empty)"], strict=True
    ):
        assert expected in reason


def test_a_list_without_any_line_that_can_be_used(tmp_path):
    with pytest.raises(DatasetError, match=f"no recording that can be used.*{UNKNOWN}: Its class is COVID"):
        datasets.load("kaggle-trial", tree(tmp_path, [(UNKNOWN, "COVID")]))


def test_missing_recordings_stay_and_unlisted_ones_are_reported(tmp_path):
    folder = tree(tmp_path, ROWS[:-1], missing=[HEAVY])
    dataset = datasets.load("kaggle-trial", folder)
    assert len(dataset.table) == len(ROWS) - 1
    assert [path.name for path in dataset.table["path"] if not path.is_file()] == [HEAVY]
    assert dataset.skipped["recording"].tolist() == [SHALLOW]


def test_the_published_dataset(kaggle_trial):
    dataset = datasets.load("kaggle-trial", kaggle_trial)
    table = dataset.table
    assert dataset.skipped.empty and all(path.is_file() for path in table["path"])
    assert table["label"].value_counts().to_dict() == {"not_covid": 151, "covid": 19}
    assert table["recording"].nunique() == 166
    assert table.groupby("recording")["label"].nunique().max() == 1
    assert table[table["label"] == "not_covid"]["source"].unique().tolist() == ["audioset"]
    assert table[table["label"] == "covid"]["source"].value_counts().to_dict() == {
        "coswara": 10,
        "virufy": 7,
        "unknown": 2,
    }
    assert table[table["source"] == "coswara"]["person"].nunique() == 5
