"""The health check reports missing or changed files, a full or read-only disk, and a wrong clock, until they are repaired."""

import json
import os
import shutil
import sys
import threading
import time

import pytest

from coughlab.serving import health
from coughlab.studies import store
from coughlab.studies.writer import replacing, sealed
from tests import stored_studies

DAY = 86_400


def of(folder, **options):
    """For each problem its code and whether it stops answers."""
    return [(problem["code"], problem["stops"]) for problem in health.problems(folder, **options)]


def test_where_all_is_well_there_are_no_problems(models):
    assert health.problems(models) == health.problems() == []


def test_without_the_folder_of_the_models(tmp_path):
    (problem,) = health.problems(tmp_path / "nowhere")
    assert problem["code"] == "models_missing" and problem["stops"]
    assert "COUGHLAB_MODELS" in problem["message"]


@pytest.mark.parametrize("name", ["kaggle-trial", "detector"])
def test_a_study_that_is_missing_is_named_until_it_is_back(models, name):
    (models / name).rename(models.parent / "elsewhere")
    (problem,) = health.problems(models)
    assert problem["code"] == "study_missing" and problem["stops"]
    assert name in problem["message"] and "Restore it, or rebuild it with 'coughlab" in problem["message"]
    (models.parent / "elsewhere").rename(models / name)
    assert of(models) == []


def test_a_study_that_no_answer_needs_may_be_missing(models):
    shutil.rmtree(models / "covid19-cough")
    assert of(models) == []


HARM = {
    "missing": (lambda path: path.unlink(), "file_missing"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "file_missing"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"!"), "file_changed"),
    "a bit": (
        lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
        "file_changed",
    ),
    "cut off": (lambda path: os.truncate(path, path.stat().st_size // 2), "file_changed"),
    "emptied": (lambda path: os.truncate(path, 0), "file_changed"),
}
FILES = {
    "kaggle-trial/mlp.tflite": True,
    "kaggle-trial/knn.npz": True,
    "kaggle-trial/novelty.npz": True,
    "detector/detector.tflite": True,
    "kaggle-trial/mlp.keras": False,
    "kaggle-trial/predictions.parquet": False,
    "covid19-cough/mlp.tflite": False,
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_or_changed_is_named_until_it_is_back(models, name, harm):
    assert of(models) == []
    path, whole = models / name, (models / name).read_bytes()
    act, code = HARM[harm]
    act(path)
    (problem,) = health.problems(models)
    assert (problem["code"], problem["stops"]) == (code, FILES[name])
    assert (
        problem["message"].startswith(f"{name} ") and "Restore the folder, or rebuild" in problem["message"]
    )
    assert str(models) not in problem["message"]
    if path.is_dir():
        path.rmdir()
    path.write_bytes(whole)
    assert of(models) == []


def test_a_change_that_hides_behind_the_old_time_and_size_is_seen(models):
    path = models / "kaggle-trial" / "mlp.tflite"
    assert of(models) == []
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_ino, path.stat().st_size) == (before.st_ino, before.st_size)
    assert of(models) == [("file_changed", True)]


def test_nothing_is_read_again_that_has_not_changed(models):
    health.problems(models)
    # A file that cannot be read still has its inode number, size and times.
    opened = []
    sys.addaudithook(lambda event, about: opened.append(about[0]) if event == "open" else None)
    assert health.problems(models) == []
    inside = [str(path) for path in opened if str(path).startswith(str(models))]
    assert inside and all(path.endswith(store.MANIFEST) for path in inside)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"models": {"mlp": {}}, "files": {}}'])
@pytest.mark.parametrize("name", ["kaggle-trial", "detector", "covid19-cough"])
def test_a_manifest_that_cannot_be_read(models, name, content):
    (models / name / store.MANIFEST).write_bytes(content)
    (problem,) = health.problems(models)
    assert (problem["code"], problem["stops"]) == ("study_damaged", name != "covid19-cough")
    assert f"{name}/{store.MANIFEST} cannot be read" in problem["message"]


def test_a_manifest_without_an_entry_s_file_is_damaged(models):
    path = models / "kaggle-trial" / store.MANIFEST
    manifest = store.StoredStudy(path.parent).manifest
    del manifest["models"]["knn"]["serve"]
    path.write_bytes(sealed(manifest))
    assert of(models) == [("study_damaged", True)]


def test_a_manifest_that_was_changed(models):
    path = models / "kaggle-trial" / store.MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"threshold": 0.', b'"threshold": 0.9', 1))
    (problem,) = health.problems(models)
    assert (problem["code"], problem["stops"]) == ("study_damaged", True)
    assert problem["message"].startswith("kaggle-trial/manifest.json was changed after it was written.")


def test_a_large_file_may_be_missing_but_not_changed(tmp_path, models):
    shutil.rmtree(models / "kaggle-trial")
    path = stored_studies.with_large(models)
    assert of(models) == []
    with path.open("ab") as file:
        file.write(b"!")
    (problem,) = health.problems(models)
    assert problem["code"] == "file_changed" and not problem["stops"]
    assert "large/kaggle-trial/big.tflite" in problem["message"]
    path.unlink()
    assert of(models) == []


def test_a_study_that_is_replaced_all_the_time_is_never_called_damaged(models):
    folder, done = models / "detector", threading.Event()
    stored = store.StoredStudy(folder)
    files = {name: stored.read(name) for name in stored.hashes}

    def replace():
        for number in range(30):
            with replacing(folder) as writer:
                for name, data in files.items():
                    writer.write(name, data + bytes(number))
                writer.manifest |= {"models": stored.models}
        done.set()

    thread = threading.Thread(target=replace)
    thread.start()
    asked = 0
    while not done.is_set():
        assert health.problems(models) == []
        asked += 1
    thread.join()
    assert asked > 5


# Disks


def problems_of(disk, folder):
    code = "import json, sys; from coughlab.serving import health; print(json.dumps(health.problems(disks=[sys.argv[1]])))"
    done = disk.run(sys.executable, "-c", code, folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_full_or_read_only_disk_is_reported_until_it_is_repaired(disk):
    # 8 MB are less than the required space.
    (problem,) = problems_of(disk, disk.path / "models")
    assert problem["code"] == "disk_full" and "8 MB are free" in problem["message"] and not problem["stops"]
    disk.fill()
    (problem,) = problems_of(disk, disk.path)
    assert "0 MB are free" in problem["message"] and "Make room" in problem["message"]
    disk.read_only()
    assert [problem["code"] for problem in problems_of(disk, disk.path)] == ["disk_full", "disk_read_only"]
    disk.read_only(False)
    assert [problem["code"] for problem in problems_of(disk, disk.path)] == ["disk_full"]


def test_a_disk_that_is_not_written_to_is_not_looked_at(models):
    assert of(models, disks=()) == []


# The clock


def test_a_clock_behind_the_models_is_wrong(models):
    manifest = models / "covid19-cough" / store.MANIFEST
    ahead = time.time() + 3 * DAY
    os.utime(manifest, (ahead, ahead))
    (problem,) = health.problems(models)
    assert problem["code"] == "clock_wrong" and not problem["stops"]
    assert time.strftime("%Y-%m-%d", time.gmtime(ahead)) in problem["message"]
    manifest.touch()
    assert of(models) == []


def test_a_clock_that_differs_by_minutes_is_not_wrong(models):
    soon = time.time() + 600
    os.utime(models / "detector" / store.MANIFEST, (soon, soon))
    assert of(models) == []
