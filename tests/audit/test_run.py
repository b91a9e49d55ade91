"""From a folder of recordings to a report."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from coughlab import datasets
from coughlab.audio import synthetic
from coughlab.audit import report as audit_text
from coughlab.audit import run
from coughlab.audit.checks import shortcut
from coughlab.studies import store
from tests.conftest import missing

RATE = 8000


def own_folder(folder, n=13):
    """A sound dataset: both classes have the same number of recordings, each of a different person."""
    for k in range(2 * n):
        y = synthetic.recording(onsets_s=(0.1 + 0.02 * (k % 7),), duration_s=0.8, rate=RATE, seed=k)
        write(folder / ("covid" if k % 2 else "healthy") / f"{k}.wav", y)
    return folder


def write(path, samples, subtype="PCM_16"):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype=subtype)


def plant(folder):
    """Put one fault of each kind into an `own_folder`."""
    samples, _ = soundfile.read(folder / "covid" / "1.wav")
    write(folder / "covid" / "again.flac", samples)
    write(folder / "healthy" / "quieter.wav", 0.5 * samples)
    (folder / "covid" / "letter.wav").write_text("Dear Sir")
    write(folder / "healthy" / "silent\x1b[31m.wav", np.zeros(RATE))


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = own_folder(tmp_path_factory.mktemp("own"))
    progress = []
    sound = run.audit(datasets.load("own", folder), lambda *one: progress.append(one))
    plant(folder)
    report, rows = run.examine(datasets.load("own", folder))
    return sound, report, progress, rows


def test_a_sound_dataset_is_called_sound(reports):
    report, _, progress, _ = reports
    assert report["sound"] and not [f for f in report["findings"] if f["severity"] == "severe"]
    assert (report["dataset"], report["recordings"], report["people"]) == ("own", 26, 26)
    assert sum(report["labels"].values()) == sum(report["sources"].values()) == 26
    assert [one["title"] for one in report["probes"]] == list(shortcut.SHORTCUTS)
    stages = list(dict.fromkeys(stage for stage, *_ in progress))
    assert stages == ["Listening to recordings", "Looking for copies", "Looking for shortcuts"]
    assert all(done <= total for _, done, total in progress)


def test_classes_of_one_person_each_are_audited(tmp_path):
    samples = [
        synthetic.recording(onsets_s=(0.1,), duration_s=0.6, rate=RATE, seed=seed) for seed in range(2)
    ]
    for label, y in zip(("healthy", "ill"), samples, strict=True):
        write(tmp_path / label / "x.wav", y)
    report = run.audit(datasets.load("own", tmp_path))
    assert "of too few people to be learnt and tested" in report["probes"][-1]["why"]
    assert [f["kind"] for f in report["findings"]] == ["small_sample", "person_overlap"]


def test_planted_faults_are_found(reports):
    report = reports[1]
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert not report["sound"]
    assert found["undecodable"]["recordings"] == 2
    assert found["identical_audio"]["recordings"] == 2 and found["near_identical_audio"]["recordings"] == 2
    assert found["contradictory_labels"]["severity"] == "severe"
    (names,) = found["contradictory_labels"]["examples"]
    assert {name.rpartition("/")[2] for name in names} == {
        "1.wav (COVID)",
        "again.flac (COVID)",
        "quieter.wav (not COVID)",
    }
    assert report["read_as"].startswith("One subfolder a class, 2 in all.")


def test_each_row_says_what_to_do_about_it(reports, tmp_path):
    rows = reports[3]
    assert len(rows) == 30
    run.write_rows(rows.assign(source="=1+1"), tmp_path / "rows.csv")
    read = pd.read_csv(tmp_path / "rows.csv", keep_default_na=False).set_index("recording")
    columns = ["person", "label", "source", "status", "problem", "audio", "copy"]
    assert list(read) == columns and set(read["source"]) == {"'=1+1"}
    same = read.loc[["covid/1.wav", "covid/again.flac", "healthy/quieter.wav"]]
    assert same["copy"].tolist() == ["", "identical_audio", "near_identical_audio"]
    assert same["audio"].nunique() == same["person"].nunique() == 1
    assert read.loc["covid/letter.wav", "status"] == "undecodable" and read.loc["covid/letter.wav", "problem"]


def test_a_saved_report_is_read_back_unchanged(reports, tmp_path):
    report = reports[1]
    path = run.save(report, tmp_path)
    assert path == tmp_path / "audits" / "own.json" and list(path.parent.iterdir()) == [path]
    assert run.load("own", tmp_path) == report == json.loads(path.read_text())
    run.save(report | {"dataset": "an-other"}, tmp_path)
    assert run.stored(tmp_path) == ["an-other", "own"]


@pytest.mark.parametrize("name", ["", "../own", "a/b", ".own", "own\n", "x" * 101])
def test_names_that_lead_out_of_the_folder_are_refused(reports, tmp_path, name):
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        run.save(reports[0] | {"dataset": name}, tmp_path)
    with pytest.raises(store.StoreError, match="no audit"):
        run.load(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_or_damaged_report_is_reported(tmp_path):
    assert run.stored(tmp_path) == []
    (tmp_path / "audits").mkdir()
    for content in (b"", b"[]", b"{}", b"\xff"):
        (tmp_path / "audits" / "own.json").write_bytes(content)
        with pytest.raises(store.StoreError, match="own"):
            run.load("own", tmp_path)


def test_a_report_without_a_required_field_is_reported_as_damaged(reports, tmp_path):
    report = reports[1]
    shortcut = {"kind": "shortcut", "severity": "note", "title": "x"}
    broken = [
        *({key: value for key, value in report.items() if key != lost} for lost in report),
        *(
            report | {"findings": [{k: v for k, v in f.items() if k != lost}]}
            for f in report["findings"][:1]
            for lost in f
        ),
        report | {"findings": [report["findings"][0] | shortcut]},
        report | {"findings": [report["findings"][0] | {"kind": "rumour"}]},
        report | {"probes": [{"title": "x", "recordings": 1, "people": 1}]},
        report | {"skipped": [{"recording": "x"}]},
        report | {"labels": {"covid": "many"}},
        report | {"findings": [report["findings"][0] | {"sizes": []}]},
    ]
    for one in broken:
        path = tmp_path / "audits" / "own.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(one))
        with pytest.raises(store.StoreError, match="damaged or of another version"):
            run.load("own", tmp_path)


def test_the_text_is_for_a_terminal(reports):
    report = reports[1]
    text = audit_text.text(report)
    assert all(
        finding["message"].split(".")[0][:30] in text.replace("\n  ", " ") for finding in report["findings"]
    )
    assert "NOT SOUND: " in text and "SEVERE: contradictory_labels" in text and "What to do: " in text
    assert "Sources: unknown 30." in text and "How the folder was read: One subfolder a class" in text
    assert "Source alone: not tried. It is the same in every recording" in text
    for one in report["probes"]:
        if "auc" in one:
            assert (
                f"{one['title']}: AUC {one['auc']:.2f}" in text
                or f"an AUC of {one['auc']:.2f}" in text.replace("\n  ", " ")
            )
    assert max(map(len, text.splitlines())) <= audit_text.WIDTH
    assert all(line.isprintable() for line in text.splitlines()) and "silent?[31m.wav" in text


def test_examples_that_are_not_shown_are_counted():
    finding = {"kind": "identical_audio", "examples": [["a", "b"], ["c", "d"]], "sizes": [2, 9], "more": 14}
    assert audit_text.examples(finding) == ["a = b", "c = d and 7 more", "and 14 more"]
    assert audit_text.examples(finding | {"kind": "person_overlap", "more": 0}) == ["a, b", "c, d and 7 more"]
    twice = {"kind": "listed_twice", "examples": [["a", "a", "a"]], "sizes": [3], "more": 0}
    assert audit_text.examples(twice) == ["a (3 times)"]


def test_the_stored_audits_can_be_read():
    assert run.stored() == ["coswara-sample", "covid19-cough", "esc10", "kaggle-trial"]
    assert all(run.load(name)["dataset"] == name for name in run.stored())


@pytest.mark.parametrize("name", ["kaggle-trial", "coswara-sample"])
def test_an_audit_of_the_real_dataset_is_the_stored_one(name):
    folder = datasets.folder(name) or missing(f"the real dataset: COUGHLAB_DATA with {name}/")
    assert run.audit(datasets.load(name, folder)) == run.load(name)
