"""Studies on disk: complete or absent, and every changed byte is detected."""

import json
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coughlab.studies import store
from coughlab.studies.store import StoredStudy, StoreError
from coughlab.studies.writer import replacing, sealed, tidy, write_large
from tests.files import bytes_of

CONTENT = {
    "mlp.tflite": bytes(range(256)) * 40,
    "knn.npz": b"PK\x03\x04 not really",
    "README.md": "# Überblick\n".encode(),
}
TABLE = pd.DataFrame({"recording": ["a.wav", "b.wav"], "rms": np.float32([0.1, 0.2]), "row": [0, 1]})
ENTRY = {"threshold": 0.5, "serve": "mlp.tflite", "large": {}}


def save(folder, content=CONTENT, **manifest):
    with replacing(folder) as writer:
        for name, data in content.items():
            writer.write(name, data)
        writer.write_table(store.FEATURES, TABLE)
        writer.manifest |= {"study": folder.name, "models": {"mlp": ENTRY}} | manifest
    return folder


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "models" / "trial")


def snapshot(folder):
    """Every file below the study's parent folder, hidden ones included."""
    return bytes_of(folder.parent)


def test_a_study_is_read_as_it_was_written(folder):
    study = StoredStudy(folder)
    assert study.name == "trial"
    assert {name: study.read(name) for name in CONTENT} == CONTENT
    pd.testing.assert_frame_equal(study.features, TABLE)
    assert study.thresholds == {"mlp": 0.5}
    assert study.manifest["study"] == "trial"


def test_the_manifest_lists_every_other_file_and_there_are_no_more_files(folder):
    manifest = json.loads((folder / store.MANIFEST).read_text())
    assert set(manifest["files"]) == set(CONTENT) | {store.FEATURES}
    assert {path.name for path in folder.iterdir()} == set(manifest["files"]) | {store.MANIFEST}
    assert [path.name for path in folder.parent.iterdir()] == ["trial"]
    for name, facts in manifest["files"].items():
        assert facts["bytes"] == (folder / name).stat().st_size
    # The folder is readable for all users, like any other.
    assert folder.stat().st_mode & 0o777 == 0o755


CHANGES = {
    "first byte": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "last bit": lambda data: data[:-1] + bytes([data[-1] ^ 0x80]),
    "cut off": lambda data: data[:-1],
    "longer": lambda data: data + b"\0",
    "emptied": lambda data: b"",
}


@pytest.mark.parametrize("name", [*CONTENT, store.FEATURES])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_refused_by_name(folder, name, change):
    path = folder / name
    path.write_bytes(CHANGES[change](path.read_bytes()))
    study = StoredStudy(folder)
    with pytest.raises(StoreError, match=f"trial/{name} was changed .*coughlab study run trial"):
        study.read(name)
    for other in set(CONTENT) - {name}:
        assert study.read(other) == CONTENT[other]


def test_a_changed_table_is_refused_before_it_is_parsed(folder):
    (folder / store.FEATURES).write_bytes(b"no parquet")
    with pytest.raises(StoreError, match=f"trial/{store.FEATURES} was changed"):
        _ = StoredStudy(folder).features


def test_a_missing_file_is_named(folder):
    (folder / "mlp.tflite").unlink()
    with pytest.raises(
        StoreError, match=r"trial/mlp\.tflite is missing or cannot be read\. Restore .*rebuild"
    ):
        StoredStudy(folder).read("mlp.tflite")


def test_a_folder_in_place_of_a_file_is_named(folder):
    (folder / "mlp.tflite").unlink()
    (folder / "mlp.tflite").mkdir()
    with pytest.raises(StoreError, match=r"trial/mlp\.tflite is missing or cannot be read"):
        StoredStudy(folder).read("mlp.tflite")


@pytest.mark.parametrize("name", ["extra.bin", store.MANIFEST, "../outside.bin", ""])
def test_a_file_the_manifest_does_not_list_is_refused(folder, name):
    for path in (folder / "extra.bin", folder.parent / "outside.bin"):
        path.write_bytes(b"planted")
    with pytest.raises(StoreError, match="does not belong to the study"):
        StoredStudy(folder).read(name)


def test_the_detector_is_stored_like_a_study_but_is_not_one(tmp_path):
    for name in ("trial", store.DETECTOR):
        (tmp_path / name).mkdir()
        (tmp_path / name / store.MANIFEST).write_text("{}")
    assert store.names(tmp_path) == ["trial"]
    with pytest.raises(StoreError, match="coughlab detector train --data DIR"):
        StoredStudy(tmp_path / store.DETECTOR)


def test_a_study_that_is_not_there(tmp_path):
    with pytest.raises(
        StoreError, match=r"There is no study 'trial' in .*coughlab study run trial --data DIR"
    ):
        StoredStudy(tmp_path / "trial")


def test_a_study_without_a_manifest(folder):
    (folder / store.MANIFEST).unlink()
    with pytest.raises(StoreError, match="There is no study 'trial'"):
        StoredStudy(folder)


BROKEN = {
    "empty": b"",
    "cut off": b'{"models": {"mlp"',
    "not text": b"\xff\xfe\x00\x01",
    "a list": b"[]",
    "null": b"null",
    "no files": sealed({"models": {}}),
    "no models": sealed({"files": {}}),
    "no hash of its own": b'{"models": {}, "files": {}}',
    "an entry of nothing": sealed({"models": {"mlp": {}}, "files": {}}),
    "of an earlier version": sealed(
        {"models": {"mlp": {"threshold": 0.5, "serve": "mlp.tflite"}}, "files": {}}
    ),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_manifest_is_refused_by_name(folder, content):
    (folder / store.MANIFEST).write_bytes(content)
    with pytest.raises(StoreError, match=r"trial/manifest\.json cannot be read\. Restore"):
        StoredStudy(folder)


def test_a_manifest_that_was_changed_is_refused_by_name(folder):
    path = folder / store.MANIFEST
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps(manifest, separators=(",", ":")))  # same content
    assert StoredStudy(folder).thresholds == {"mlp": ENTRY["threshold"]}
    manifest["models"]["mlp"]["threshold"] /= 2
    path.write_text(json.dumps(manifest, indent=1))
    with pytest.raises(StoreError, match=r"trial/manifest\.json was changed after it was written\. Restore"):
        StoredStudy(folder)


def test_a_manifest_that_is_a_folder(folder):
    (folder / store.MANIFEST).unlink()
    (folder / store.MANIFEST).mkdir()
    with pytest.raises(StoreError, match=r"trial/manifest\.json cannot be read"):
        StoredStudy(folder)


# Tables


def test_the_words_of_the_predictions_table_are_categories(folder):
    table = pd.DataFrame({"model": ["mlp", "knn"], "probability": [0.25, 1.0], "row": [0, 1]})
    with replacing(folder) as writer:
        writer.write_table(store.PREDICTIONS, table)
        writer.manifest["models"] = {}
    read = StoredStudy(folder).predictions
    assert read["model"].dtype == "category"
    pd.testing.assert_frame_equal(read.astype({"model": "str"}), table.astype({"model": "str"}))


@pytest.mark.parametrize("table", ["predictions", "fits", "metrics", "scores", "evidence"])
def test_a_table_that_the_study_lacks_is_named_and_not_computed(folder, table):
    with pytest.raises(StoreError, match=rf"trial/{table}\.parquet does not belong to the study\. .*rebuild"):
        getattr(StoredStudy(folder), table)


def test_a_study_without_a_search_has_no_trials(folder):
    assert StoredStudy(folder).trials.empty
    with replacing(folder) as writer:
        writer.write_table(store.TRIALS, TABLE)
        writer.manifest["models"] = {}
    pd.testing.assert_frame_equal(StoredStudy(folder).trials, TABLE)


# Large files


@pytest.fixture
def large(folder):
    """A study with one model in its folder and one that is too large for it."""
    sha = {name: write_large(folder, name, data) for name, data in LARGE_FILES.items()}
    models = {"mlp": ENTRY, "big": {"threshold": 0.5, "serve": "big.tflite", "large": sha}}
    models["measured only"] = {"threshold": 0.5, "serve": None, "large": {}}
    return save(folder, models=models)


LARGE_FILES = {"big.keras": b"to train on" * 100, "big.tflite": b"to serve" * 100}


def test_large_files_are_stored_beside_the_studies(large):
    place = large.parent / "large" / "trial"
    assert bytes_of(place) == LARGE_FILES
    study = StoredStudy(large)
    for name, data in LARGE_FILES.items():
        assert study.large(name).read_bytes() == data
        assert not (large / name).exists()
    assert study.large("mlp.tflite") is None and study.large("absent.tflite") is None


def test_only_models_that_were_kept_are_served(large):
    assert StoredStudy(large).served == {
        "mlp": CONTENT["mlp.tflite"],
        "big": large.parent / "large" / "trial" / "big.tflite",
    }


UNUSABLE = {
    "absent": lambda path: path.unlink(),
    "changed": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!"),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("how", UNUSABLE)
def test_a_wrong_large_file_only_disables_its_model(large, how):
    UNUSABLE[how](large.parent / "large" / "trial" / "big.tflite")
    study = StoredStudy(large)
    assert study.large("big.tflite") is None
    assert study.served == {"mlp": CONTENT["mlp.tflite"]}
    assert set(study.models) == {"mlp", "big", "measured only"}


def test_a_large_file_of_a_later_fit_is_used_only_with_its_manifest(large):
    sha = write_large(large, "big.tflite", b"another fit")
    place = large.parent / "large" / "trial"
    assert StoredStudy(large).served["big"].read_bytes() == LARGE_FILES["big.tflite"]
    models = StoredStudy(large).models
    # A save without this file leaves it there, and so does a run that is killed before it moves the file to its place.
    save(large, models=models)
    assert StoredStudy(large).served["big"] == place / "big.tflite"
    models["big"]["large"]["big.tflite"] = sha
    manifest = StoredStudy(large).manifest | {"models": models}
    (large / store.MANIFEST).write_bytes(sealed(manifest))
    assert StoredStudy(large).served["big"].read_bytes() == b"another fit"
    save(large, models=models)
    assert StoredStudy(large).served["big"] == place / "big.tflite"
    assert bytes_of(place) == LARGE_FILES | {"big.tflite": b"another fit"}


def test_a_large_file_that_cannot_be_written_leaves_the_existing_one(large):
    done = run(
        """
        import resource, sys
        from coughlab.studies.writer import write_large

        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        write_large(sys.argv[1], "big.tflite", b"x" * 6000)
        """,
        large,
    )
    assert done.returncode == 1 and "File too large" in done.stderr
    assert StoredStudy(large).large("big.tflite").read_bytes() == LARGE_FILES["big.tflite"]
    assert {path.name for path in (large.parent / "large" / "trial").iterdir()} == set(LARGE_FILES)


# Replacing


def test_whether_there_is_a_study(folder):
    assert store.exists(folder) and store.exists(str(folder))
    assert not store.exists(folder.with_name("other"))
    (folder / store.MANIFEST).unlink()
    assert store.exists(folder)
    folder.rename(folder.with_name(".trial.previous"))
    assert store.exists(folder)


def test_one_at_a_time_replaces_the_studies_of_a_folder(folder):
    other = threading.Thread(target=save, args=(folder.with_name("other"),))
    with replacing(folder) as writer:
        other.start()
        other.join(0.5)
        assert other.is_alive() and not store.exists(folder.with_name("other"))
        writer.manifest["models"] = {}
    other.join()
    assert StoredStudy(folder.with_name("other")).read("mlp.tflite") == CONTENT["mlp.tflite"]


def test_a_new_study_takes_the_place_of_the_old_one(folder):
    save(folder, {"other.bin": b"new"})
    study = StoredStudy(folder)
    assert study.read("other.bin") == b"new"
    assert set(snapshot(folder)) == {
        f"trial/{name}" for name in ("other.bin", store.FEATURES, store.MANIFEST)
    }


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, OSError, MemoryError])
@pytest.mark.parametrize("before", [True, False], ids=["over a study", "the first study"])
def test_an_interrupted_run_leaves_everything_as_it_was(tmp_path, error, before):
    folder = tmp_path / "models" / "trial"
    if before:
        save(folder)
    there = snapshot(folder)
    with pytest.raises(error), replacing(folder) as writer:
        writer.write("mlp.tflite", b"half a study")
        raise error
    assert snapshot(folder) == there
    assert [path.name for path in folder.parent.iterdir()] == (["trial"] if before else [])


def test_a_manifest_that_cannot_be_written_leaves_everything_as_it_was(folder):
    there = snapshot(folder)
    with pytest.raises(TypeError), replacing(folder) as writer:
        writer.manifest["models"] = object()
    assert snapshot(folder) == there


def run(code, *arguments):
    """Run code in a separate process, with a study in progress in `folder`."""
    lines = textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", lines, *map(str, arguments)], capture_output=True, text=True)


def test_a_disk_that_is_full_leaves_everything_as_it_was(folder):
    there = snapshot(folder)
    done = run(
        """
        import resource, sys
        from pathlib import Path
        from coughlab.studies.writer import replacing

        # No file may grow beyond this: the second write fails half-way, in the kernel.
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        with replacing(Path(sys.argv[1])) as writer:
            writer.write("small.bin", b"x" * 4000)
            writer.write("large.bin", b"x" * 6000)
        """,
        folder,
    )
    assert done.returncode == 1 and "OSError" in done.stderr and "File too large" in done.stderr
    assert snapshot(folder) == there
    assert [path.name for path in folder.parent.iterdir()] == ["trial"]


# A process that is killed at its n-th file system operation while it replaces a study, for every n.
KILLED = """
    import os, signal, sys
    from pathlib import Path
    from coughlab.studies.writer import replacing

    folder, last = Path(sys.argv[1]), int(sys.argv[2])
    acts = 0

    def count(event, arguments):
        global acts
        if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"):
            acts += 1
            if acts == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    with replacing(folder) as writer:
        writer.write("one.bin", b"new")
        writer.write("two.bin", b"new")
        writer.manifest["models"] = {}
    """


def test_a_run_killed_at_any_moment_leaves_the_old_study_or_the_new(tmp_path):
    seen = []
    for last in range(1, 60):
        folder = tmp_path / str(last) / "trial"
        save(folder, {"one.bin": b"old", "two.bin": b"old"})
        done = run(KILLED, folder, last)
        study = StoredStudy(folder)
        seen.append((study.read("one.bin"), study.read("two.bin")))
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        # Leftovers do not disturb the next run.
        save(folder, {"one.bin": b"next"})
        assert StoredStudy(folder).read("one.bin") == b"next"
    old, new = (b"old", b"old"), (b"new", b"new")
    assert seen == [old] * seen.count(old) + [new] * seen.count(new)
    assert seen.count(old) > 5 and seen.count(new) > 1


def test_a_study_set_aside_by_a_killed_run_is_put_back(folder):
    previous = folder.with_name(".trial.previous")
    folder.rename(previous)
    assert StoredStudy(folder).read("mlp.tflite") == CONTENT["mlp.tflite"]
    with pytest.raises(RuntimeError), replacing(folder):
        raise RuntimeError
    assert folder.is_dir() and not previous.exists()
    assert StoredStudy(folder).read("mlp.tflite") == CONTENT["mlp.tflite"]


def test_leftovers_of_a_killed_run_are_removed_without_a_new_study(folder):
    for left in (".trial.new", ".trial.previous"):
        save(folder.with_name(left), {"other.bin": b"of another run"})
    there = snapshot(folder)
    tidy(folder)
    assert snapshot(folder) == {name: data for name, data in there.items() if name.startswith("trial/")}
    assert [path.name for path in folder.parent.iterdir()] == ["trial"]
    folder.rename(folder.with_name(".trial.previous"))
    tidy(folder)
    assert StoredStudy(folder).read("mlp.tflite") == CONTENT["mlp.tflite"]
    tidy(folder.with_name("none"))


def test_a_reader_in_the_middle_of_a_swap_disturbs_nothing(folder):
    done = run(
        """
        import sys
        from pathlib import Path
        from coughlab.studies import store
        from coughlab.studies.writer import replacing

        folder, renames = Path(sys.argv[1]), 0

        def look(event, arguments):
            global renames
            if event == "os.rename" and folder.parent == Path(arguments[0]).parent:
                renames += 1
                if renames == 2:  # the old study is set aside, the new one not yet in its place
                    assert store.StoredStudy(folder).read("mlp.tflite") != b"new"

        sys.addaudithook(look)
        with replacing(folder) as writer:
            writer.write("mlp.tflite", b"new")
            writer.manifest["models"] = {}
        """,
        folder,
    )
    assert done.returncode == 0, done.stderr
    assert StoredStudy(folder).read("mlp.tflite") == b"new"


def test_a_reader_never_mixes_two_studies(folder):
    early = StoredStudy(folder)
    assert early.read("mlp.tflite") == CONTENT["mlp.tflite"]
    save(folder, CONTENT | {"knn.npz": b"retrained"})
    with pytest.raises(StoreError, match=r"trial/knn\.npz was changed"):
        early.read("knn.npz")
    assert StoredStudy(folder).read("knn.npz") == b"retrained"


def test_a_study_is_found_by_a_text_path_too(folder):
    assert StoredStudy(str(folder)).read("README.md") == CONTENT["README.md"]
    assert Path(StoredStudy(str(folder)).folder) == folder
