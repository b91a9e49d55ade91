"""The published layouts without a separate test module."""

import json

import pytest

from coughlab import datasets
from coughlab.datasets import COLUMNS, DatasetError
from tests.conftest import missing
from tests.datasets.trees import rows, skipped, tree

COSWARA = ["20200413/ann/cough-heavy.wav", "20200413/ann/cough-shallow.wav", "20200413/ann/vowel-a.wav"]


def real(name):
    return datasets.folder(name) or missing(f"the real dataset: COUGHLAB_DATA with {name}/")


def covid19_cough(folder, items, files):
    return tree(folder, [f"raw/{name}" for name in files], metadata_json=json.dumps(items))


def test_covid19_cough_has_label_and_source_but_not_the_person(tmp_path):
    items = [
        {"filename": "b.mp3", "covid19": True, "source": "telegram"},
        {"filename": "a.mp3", "covid19": False, "source": "call-center", "kind": None},
        {"filename": "gone.mp3", "covid19": False, "source": None},
        {"filename": "unsaid.mp3", "covid19": None, "source": "telegram"},
        {"filename": "../out.mp3", "covid19": True, "source": "telegram"},
        {"covid19": True},
    ]
    covid19_cough(tmp_path, items, ["a.mp3", "b.mp3", "extra.mp3", "notes.txt"])
    dataset = datasets.load("covid19-cough", tmp_path)
    assert list(dataset.table.columns) == COLUMNS
    assert rows(dataset, "recording", "label", "source") == [
        ("b.mp3", "covid", "telegram"),
        ("a.mp3", "not_covid", "call-center"),
        ("gone.mp3", "not_covid", "unknown"),
    ]
    assert dataset.table["person"].nunique() == 3
    assert [path.is_file() for path in dataset.table["path"]] == [True, True, False]
    assert list(skipped(dataset)) == ["unsaid.mp3", "../out.mp3", "", "extra.mp3"]


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"filename": "a.mp3"}', "[]", "[" * 100_000])
def test_covid19_cough_with_another_list(tmp_path, content):
    with pytest.raises(DatasetError, match=r"metadata\.json"):
        datasets.load("covid19-cough", tree(tmp_path, ["raw/a.mp3"], metadata_json=content))


def test_coswara_takes_coughs_of_people_whose_status_is_clear(tmp_path):
    people = {
        "ann": "positive_mild",
        "bob": "healthy",
        "cec": "recovered_full",
        "dan": "",
        "eve": "no_resp_illness_exposed",
        "far": "healthy",
    }
    lines = ["id,a,covid_status,record_date"]
    lines += [
        f"{person},30,{status},2020-04-1{3 if person != 'far' else 9}" for person, status in people.items()
    ]
    recordings = [*COSWARA, "20200413/ann/metadata.json", "20200413/bob/cough-heavy.wav"]
    recordings += [f"20200413/{person}/cough-heavy.wav" for person in ("cec", "dan")]
    # A day's archive that was unpacked inside the day's folder, and a person who is not in the list.
    recordings += ["20210816/20210816/gus/cough-heavy.wav", "20210816/20210816/hal/cough-heavy.wav"]
    tree(tmp_path, recordings, combined_data_csv="\n".join(lines))
    (tmp_path / "20210816/20210816/gus/metadata.json").write_text('{"covid_status": "positive_asymp"}')
    dataset = datasets.load("coswara", tmp_path)
    assert rows(dataset, "recording", "person", "label", "source") == [
        ("20200413/ann/cough-heavy.wav", "coswara:ann", "covid", "coswara 20200413"),
        ("20200413/ann/cough-shallow.wav", "coswara:ann", "covid", "coswara 20200413"),
        ("20200413/bob/cough-heavy.wav", "coswara:bob", "not_covid", "coswara 20200413"),
        ("20200413/bob/cough-shallow.wav", "coswara:bob", "not_covid", "coswara 20200413"),
        ("20200413/eve/cough-heavy.wav", "coswara:eve", "not_covid", "coswara 20200413"),
        ("20200413/eve/cough-shallow.wav", "coswara:eve", "not_covid", "coswara 20200413"),
        ("20210816/20210816/gus/cough-heavy.wav", "coswara:gus", "covid", "coswara 20210816"),
        ("20210816/20210816/gus/cough-shallow.wav", "coswara:gus", "covid", "coswara 20210816"),
    ]
    # Bob lacks one of the two coughs. Eve, whose day is present, lacks both.
    there = dict(
        zip(dataset.table["recording"], (path.is_file() for path in dataset.table["path"]), strict=True)
    )
    assert [name for name, is_there in there.items() if not is_there] == [
        "20200413/bob/cough-shallow.wav",
        "20200413/eve/cough-heavy.wav",
        "20200413/eve/cough-shallow.wav",
        "20210816/20210816/gus/cough-shallow.wav",
    ]
    left_out = skipped(dataset)
    assert left_out["20200413/ann/vowel-a.wav"] == "It is not a cough."
    assert "recovered_full" in left_out["20200413/cec/cough-heavy.wav"]
    assert "Nothing is said" in left_out["20200413/dan/cough-heavy.wav"]
    assert "Nothing is said" in left_out["20210816/20210816/hal/cough-heavy.wav"]
    assert "no folder" in left_out["far"]


def test_coswara_without_its_list_asks_the_peoples_own_files(tmp_path):
    tree(tmp_path, COSWARA, **{"20200413__ann__metadata_json": '{"covid_status": "healthy"}'})
    assert datasets.load("anything", tmp_path).table["label"].tolist() == ["not_covid"] * 2


VIRUFY = """date,corona_test,age,gender,medical_history,smoker,patient_reported_symptoms,cough_filename
0421,positive,50,M,"a, b",yes,None,pos-0421-084-cough-m-50.mp3
0421,negative,24,F,None,no,None,neg-0421-083-cough-f-24.mp3
0421,positive,30,F,None,no,None,pos-0421-099-cough-f-30.mp3
0422,pending,30,F,None,no,None,neg-0422-001-cough-f-30.mp3
"""


# The published folders of the originals, and one folder for all.
@pytest.mark.parametrize("folders", [("pos/", "neg/"), ("", "")])
def test_virufy_takes_segments_where_there_are_any(tmp_path, folders):
    pos, neg = folders
    one, other, gone, unclear = (line.rpartition(",")[2] for line in VIRUFY.splitlines()[1:])
    cut = [f"clinical/segmented/pos/{one.removesuffix('.mp3')}-{n}.mp3" for n in (0, 2, 10)]
    wrong = f"segmented/neg/{one.removesuffix('.mp3')}-11.mp3"
    originals = [f"original/{pos}{one}", *(f"original/{neg}{name}" for name in (other, unclear, "extra.mp3"))]
    recordings = [f"clinical/{name}" for name in originals]
    tree(tmp_path, [*recordings, *cut, f"clinical/{wrong}"], clinical__labels_csv=VIRUFY)
    dataset = datasets.load("virufy", tmp_path)
    person = "virufy:0421-084"
    assert rows(dataset, "recording", "person", "label") == [
        *((name.removeprefix("clinical/"), person, "covid") for name in cut),
        (originals[1], "virufy:0421-083", "not_covid"),
        (f"original/{gone}", "virufy:0421-099", "covid"),
    ]
    assert [path.is_file() for path in dataset.table["path"]] == [True] * 4 + [False]
    left_out = skipped(dataset)
    assert set(left_out) == {originals[0], wrong, *originals[2:]}
    assert "pending" in left_out[originals[2]]


def test_virufy_without_segments_takes_the_originals(tmp_path):
    names = [line.rpartition(",")[2] for line in VIRUFY.splitlines()[1:4]]
    places = [f"original/{name[:3]}/{name}" for name in names]
    # A second file of a patient, and one in the folder of the other result.
    again, wrong = f"original/{names[0]}", places[1].replace("/neg/", "/pos/")
    found = [again, places[0], wrong, places[2]]
    tree(tmp_path, [f"clinical/{name}" for name in found], clinical__labels_csv=VIRUFY)
    dataset = datasets.load("virufy", tmp_path)
    assert dataset.table["recording"].tolist() == [again, places[2]]
    left_out = skipped(dataset)
    assert "lies in pos, but the list says negative" in left_out[wrong]
    assert left_out[places[0]] == f"It is the same patient's as {again}."


COUGHVID = """uuid,datetime,cough_detected,SNR,status,status_SSL
aaa,2020-04-09,0.99,5.1,COVID-19,
bbb,2020-04-09,0.8,5.1,healthy,
ccc,2020-04-09,0.9,5.1,symptomatic,
ddd,2020-04-09,0.79,5.1,healthy,
eee,2020-04-09,0.95,5.1,,healthy
fff,2020-04-09,,5.1,healthy,
ggg,2020-04-09,1.0,5.1,healthy,
"""


def test_coughvid_takes_what_is_a_cough_and_has_a_status(tmp_path):
    recordings = [
        "aaa.webm",
        "aaa.wav",
        "bbb.ogg",
        "ccc.wav",
        "ddd.webm",
        "eee.webm",
        "fff.webm",
        "zzz.webm",
        "aaa.json",
    ]
    dataset = datasets.load("coughvid", tree(tmp_path, recordings, metadata_compiled_csv=COUGHVID))
    assert rows(dataset, "recording", "label") == [
        ("aaa.webm", "covid"),
        ("bbb.ogg", "not_covid"),
        ("ccc.wav", "not_covid"),
        ("ggg.webm", "not_covid"),
    ]
    assert dataset.table["person"].nunique() == 4
    assert [path.is_file() for path in dataset.table["path"]] == [True, True, True, False]
    assert list(skipped(dataset)) == ["ddd.webm", "eee.webm", "fff.webm", "aaa.wav", "zzz.webm"]


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("covid19-cough", "metadata.json and no raw"),
        ("coswara", "<YYYYMMDD>/<person>/<kind>.wav"),
        ("virufy", "clinical/labels.csv"),
        ("coughvid", "metadata_compiled.csv"),
        ("kaggle-trial", "cough_trial_extended.csv"),
        ("folder", "neither a list of recordings"),
        ("whatever", "neither a list of recordings"),
    ],
)
def test_a_folder_with_another_layout_gives_the_missing_parts(tmp_path, name, lacking):
    with pytest.raises(DatasetError, match=lacking):
        datasets.load(name, tmp_path)


def test_an_unknown_name_is_identified_by_its_layout(tmp_path):
    covid19_cough(tmp_path / "a", [{"filename": "a.mp3", "covid19": True}], ["a.mp3"])
    tree(tmp_path / "b", COSWARA, combined_data_csv="id,covid_status\nann,healthy\n")
    tree(tmp_path / "c", ["clinical/original/x.mp3"], clinical__labels_csv=VIRUFY)
    tree(tmp_path / "d", ["aaa.webm"], metadata_compiled_csv=COUGHVID)
    tree(
        tmp_path / "e", ["trial_covid/a.wav"], cough_trial_extended_csv="file_properties,class\na.wav,covid\n"
    )
    read = {name: datasets.load("mine", tmp_path / name) for name in "abcde"}
    assert {dataset.name for dataset in read.values()} == {"mine"}
    assert [dataset.table["person"][0].partition(":")[0] for dataset in read.values()] == [
        *("covid19-cough", "coswara", "virufy", "coughvid", "unknown")
    ]


def test_the_real_covid19_cough():
    dataset = datasets.load("covid19-cough", real("covid19-cough"))
    assert dataset.table.groupby(["label", "source"]).size().to_dict() == {
        ("covid", "call-center"): 496,
        ("covid", "telegram"): 186,
        ("not_covid", "call-center"): 204,
        ("not_covid", "telegram"): 438,
    }
    assert dataset.skipped.empty and all(path.is_file() for path in dataset.table["path"])


def test_the_real_coswara_sample():
    dataset = datasets.load("coswara-sample", real("coswara-sample"))
    assert len(dataset.table) == 102 and dataset.table["person"].nunique() == 51
    assert set(dataset.table["label"]) == {"not_covid"}
    assert sum(not path.is_file() for path in dataset.table["path"]) == 2
    # 250 recordings are present.
    assert len(dataset.skipped) == 150 and set(dataset.skipped["reason"]) == {"It is not a cough."}


def test_the_real_esc10():
    dataset = datasets.load("esc10", real("esc10"))
    assert dataset.table["label"].value_counts().tolist() == [20] * 10
    assert dataset.skipped["recording"].tolist() == ["README.md"]
    # Clips are named <fold>-<id of the original>-<take>.
    cut = dataset.table["recording"].str.extract(r"/(.+)-[A-Z]\.ogg")[0]
    assert dataset.table["person"].nunique() == cut.nunique() < 200
