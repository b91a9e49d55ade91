"""The command that rebuilds the detector, on small collections made by the tests."""

import json
import os
import subprocess
import sys

import pytest

from coughlab.audio import load
from coughlab.cli import main
from coughlab.detector import Detector
from coughlab.detector.training import card, corpus, fitting, measures, scenes
from coughlab.studies import store
from tests.detector.training import collections


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return collections.make(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="module")
def studies(tmp_path_factory, folder):
    """Folder of studies with a detector trained by the command line."""
    studies = tmp_path_factory.mktemp("studies")
    command = f"-m coughlab detector train --data {folder} --studies {studies} --scenes 160 --epochs 2"
    # On two cores, because other tests run at the same time.
    two = sorted(os.sched_getaffinity(0))[:2]
    subprocess.run(
        [sys.executable, *command.split()],
        check=True,
        capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, two),
    )
    return studies


def test_it_writes_model_tables_and_card(studies, folder):
    stored = store.StoredStudy(studies / store.DETECTOR)
    asked = stored.table(store.PREDICTIONS)
    assert list(asked.columns) == measures.COLUMNS
    people = asked[(asked["protocol"] == "person-disjoint") & (asked["chain"] == "as recorded")]
    listed = corpus.table(folder)
    assert stored.manifest["recordings"] == len(listed) == 9 * collections.PEOPLE
    assert sorted(people["recording"]) == sorted(listed["recording"][listed["fold"] < fitting.TESTED_FOLDS])
    assert set(asked["tested_on"][asked["protocol"] == "external"]) == set(fitting.KEPT_AWAY)
    assert stored.thresholds[store.DETECTOR] == measures.threshold(asked, fitting.FALSE_SHARE)
    text = stored.read("README.md").decode()
    assert (
        "Not a medical device" in text
        and f"{stored.models[store.DETECTOR]['parameters']:,} parameters" in text
    )
    assert "Measured on people and clips it had not heard" in card.line(stored)


def test_the_written_detector_can_be_used(studies, folder):
    stored = store.StoredStudy(studies / store.DETECTOR)
    detector = Detector(stored.read("detector.tflite"), stored.thresholds[store.DETECTOR])
    detection = detector.detect(load(next(folder.glob("covid19-cough/raw/*.wav"))))
    assert 0 <= detection.probability <= 1
    assert bool(detection.events) == (detection.probability >= detector.threshold)


def test_it_is_not_listed_as_a_study(studies):
    assert store.names(studies) == []


def test_no_person_is_in_both_training_and_test(folder):
    listed = corpus.table(folder)
    made = scenes.make(listed, corpus.load_all(listed), 50)
    for split in fitting.splits(listed, made):
        assert split.train.any() and split.test.any()
        used = frozenset().union(*made.collections[split.train])
        if split.protocol == "external":
            assert not used & set(listed["collection"][split.test])
        else:
            assert not set(made.fold[split.train]) & set(listed["fold"][split.test])


def test_a_missing_folder_is_reported_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(["detector", "train", "--data", str(tmp_path)])
    assert ended.value.code == 2
    assert "kaggle-trial" in (errors := capsys.readouterr().err) and "Traceback" not in errors


def test_too_few_scenes_are_reported_in_one_line(folder, capsys):
    few = str(fitting.LEAST_SCENES - 1)
    with pytest.raises(SystemExit) as ended:
        main.main(["detector", "train", "--data", str(folder), "--scenes", few])
    assert ended.value.code == 2
    errors = capsys.readouterr().err
    assert few in errors and str(fitting.LEAST_SCENES) in errors and errors.count("\n") == 1


def test_the_help_has_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main.main(["detector", "train", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert f"scenes to train on (default: {fitting.SCENES})" in printed
    assert f"passes over them (default: {fitting.EPOCHS})" in printed


def test_a_changed_model_is_refused(studies, tmp_path):
    folder = tmp_path / store.DETECTOR
    folder.mkdir()
    for path in (studies / store.DETECTOR).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    stored = store.StoredStudy(folder)
    (folder / "detector.tflite").write_bytes(b"something else")
    with pytest.raises(store.StoreError, match="coughlab detector train"):
        stored.read("detector.tflite")
    assert json.loads((folder / store.MANIFEST).read_bytes())["files"]
