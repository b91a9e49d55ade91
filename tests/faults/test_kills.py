"""Commands that write files are killed before each file system operation ("act"), and continue to the same result.

``make test`` kills the slow commands at some fixed moments; with COUGHLAB_FAULTS=all, as in ``make faults``, they are killed at
every moment.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from coughlab.audit import run
from coughlab.studies import store
from coughlab.studies.store import StoredStudy
from tests.faults.killer import ROOT, Killer
from tests.files import bytes_of
from tests.studies.test_runner import tiny_dataset

EVERY = os.environ.get("COUGHLAB_FAULTS") == "all"
KILLED = -signal.SIGKILL
#: Files of a study that contain durations.
TIMED = {store.FITS, store.MANIFEST, "README.md"}


@pytest.fixture(scope="module")
def killer():
    killer = Killer()
    yield killer
    killer.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_dataset(tmp_path_factory.mktemp("tiny"))


def moments(acts, n):
    """All act numbers, or an evenly spaced selection that includes the last one."""
    count = sum(not act.startswith("fsync") for act in acts)
    return range(1, count + 1) if EVERY else sorted({round(count * k / n) or 1 for k in range(1, n + 1)})


def run_to_end(killer, argv, below, status=0, **options):
    done = killer.run(argv, below=below, **options)
    assert done["status"] == status, done["output"]
    return done


# Studies


def study_run(data, studies, *more):
    command = ["study", "run", "kaggle-trial", "--data", data, "--studies", studies, "--others", data]
    return [*command, "--models", "knn,naive_bayes", "--protocols", "published", "--splits", 2, *more]


def search(data, studies, *more):
    return ["search", "kaggle-trial", "--data", data, "--studies", studies, "--trials", 3, *more]


def whole(folder):
    """The study if it exists, else None; checks that its folder has exactly the files of its manifest, unchanged."""
    if not store.exists(folder):
        return None
    study = StoredStudy(folder)
    assert {path.name for path in study.folder.iterdir()} == {*study.hashes, store.MANIFEST}
    for name in study.hashes:
        study.read(name)
    return study


def content(study):
    """The content of a study without durations."""
    files = {name: study.read(name) for name in study.hashes if name not in TIMED}
    trials = study.trials.drop(columns="seconds", errors="ignore")
    files.pop(store.TRIALS, None)
    return (
        files,
        trials.to_dict("list"),
        study.fits.drop(columns=["seconds", "answer_ms"]).to_dict("list"),
        study.models,
    )


def names_in(studies):
    return {path.name for path in studies.iterdir()} if studies.exists() else set()


def is_part_of(study, later):
    """Whether the later study contains everything in the earlier one."""
    rows = [set(one.predictions.itertuples(index=False, name=None)) for one in (study, later)]
    return rows[0] <= rows[1]


@pytest.fixture(scope="module")
def undisturbed(killer, data, tmp_path_factory):
    """A study of an uninterrupted run and the number of its acts, and both after a search."""
    studies = tmp_path_factory.mktemp("undisturbed") / "studies"
    acts = run_to_end(killer, study_run(data, studies), studies)["acts"]
    before = shutil.copytree(studies, tmp_path_factory.mktemp("before") / "studies")
    searching = run_to_end(killer, search(data, studies), studies)["acts"]
    return before / "kaggle-trial", acts, studies / "kaggle-trial", searching


def test_a_study_killed_at_any_moment_is_whole_and_continues(killer, data, undisturbed, tmp_path):
    folder, acts = undisturbed[:2]
    expected = StoredStudy(folder)
    for moment in moments(acts, 3):
        studies = tmp_path / str(moment)
        assert killer.run(study_run(data, studies), below=studies, act=moment)["status"] == KILLED
        study = whole(studies / "kaggle-trial")
        assert study is None or is_part_of(study, expected)
        assert names_in(studies) <= {"kaggle-trial", ".kaggle-trial.new", ".kaggle-trial.previous"}
        run_to_end(killer, study_run(data, studies), studies)
        assert content(whole(studies / "kaggle-trial")) == content(expected)
        assert names_in(studies) == {"kaggle-trial"}


def test_leftovers_of_a_replaced_study_are_removed_by_a_run_without_work(killer, data, undisturbed, tmp_path):
    studies = shutil.copytree(undisturbed[0].parent, tmp_path / "studies")
    shutil.copytree(studies / "kaggle-trial", studies / ".kaggle-trial.previous")
    run_to_end(killer, study_run(data, studies), studies)
    assert names_in(studies) == {"kaggle-trial"}
    assert content(whole(studies / "kaggle-trial")) == content(StoredStudy(undisturbed[0]))


def test_a_study_killed_repeatedly_ends_with_the_same_result(killer, data, undisturbed, tmp_path):
    expected, saved = StoredStudy(undisturbed[0]), []
    for moment in (21, 27, 9) if not EVERY else [*range(1, 40)] * 3:
        killer.run(study_run(data, tmp_path), below=tmp_path, act=moment)
        study = whole(tmp_path / "kaggle-trial")
        saved.append(0 if study is None else len(study.predictions))
        assert names_in(tmp_path) <= {"kaggle-trial", ".kaggle-trial.new", ".kaggle-trial.previous"}
    # Saved results are never lost.
    assert saved == sorted(saved) and saved[-1] > 0
    run_to_end(killer, study_run(data, tmp_path), tmp_path)
    assert content(whole(tmp_path / "kaggle-trial")) == content(expected)
    assert names_in(tmp_path) == {"kaggle-trial"}


@pytest.mark.parametrize("size", [500, 5000, 12_000] if EVERY else [5000])
def test_a_study_killed_in_the_middle_of_a_file(killer, data, undisturbed, tmp_path, size):
    studies = shutil.copytree(undisturbed[0].parent, tmp_path / "studies")
    before = content(whole(studies / "kaggle-trial"))
    again = study_run(data, studies, "--again", "--seed", 0)
    assert killer.run(again, below=studies, size=size)["status"] == -signal.SIGXFSZ
    assert content(whole(studies / "kaggle-trial")) == before
    run_to_end(killer, again, studies)
    assert content(whole(studies / "kaggle-trial")) == before
    assert names_in(studies) == {"kaggle-trial"}


def test_a_search_killed_at_any_moment_is_whole_and_continues(killer, data, undisturbed, tmp_path):
    before, _, after, acts = undisturbed
    for moment in moments(acts, 2):
        studies = shutil.copytree(before.parent, tmp_path / str(moment))
        assert killer.run(search(data, studies), below=studies, act=moment)["status"] == KILLED
        study = whole(studies / "kaggle-trial")
        assert len(study.trials) <= 3 and study.predictions.equals(StoredStudy(before).predictions)
        run_to_end(killer, search(data, studies), studies)
        assert content(whole(studies / "kaggle-trial")) == content(StoredStudy(after))
        assert names_in(studies) == {"kaggle-trial"}


def test_a_detector_killed_while_it_is_written_is_the_old_one_or_the_new(killer, tmp_path):
    acts = run_to_end(killer, ["write detector", tmp_path / "whole" / "detector"], tmp_path / "whole")["acts"]
    new = whole(tmp_path / "whole" / "detector")
    for moment in moments(acts, 4):
        studies = tmp_path / str(moment)
        folder = shutil.copytree(store.MODELS / "detector", studies / "detector")
        (folder / store.MANIFEST).write_bytes((folder / store.MANIFEST).read_bytes() + b"\n")
        old = StoredStudy(folder).manifest
        killer.run(["write detector", folder], below=studies, act=moment)
        assert whole(folder).manifest in (old, new.manifest)
        run_to_end(killer, ["write detector", folder], studies)
        assert whole(folder).manifest == new.manifest
        assert names_in(studies) == {"detector"}


PARENT = """
import time
from coughlab.detector.training import fitting
fitting.resources.cores = lambda: 2
fitting._in_parallel(
    [lambda progress: (print("begun", flush=True), time.sleep(30), print("lives on", flush=True))] * 2,
    lambda stage, done, total: None,
)
"""


def test_the_trainings_of_the_detector_end_with_a_command_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout.readline() == b"begun\n"
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert children
        parent.kill()
        # The pipe is closed when the last of them has ended.
        assert b"lives on" not in parent.stdout.read()


# Tables in parts, reports, answers


def test_features_killed_at_any_moment_continue_to_the_same_bytes(killer, data, tmp_path):
    def command(folder, *more):
        return ["features", "own", "--data", data, "--out", folder, *more]

    out = tmp_path / "whole"
    acts = run_to_end(killer, command(out), out)["acts"]
    expected = bytes_of(out)
    assert len(expected) == 5
    for again in ([], ["--again"]):
        for moment in moments(acts, 4):
            folder = tmp_path / f"{moment}{len(again)}"
            if again:
                shutil.copytree(out, folder)
            assert killer.run(command(folder, *again), below=folder, act=moment)["status"] == KILLED
            there = bytes_of(folder) if folder.exists() else {}
            assert expected.items() >= {n: data for n, data in there.items() if n[0] != "."}.items()
            # A killed run with --again is continued by a run without it.
            run_to_end(killer, command(folder), folder)
            assert bytes_of(folder) == expected


@pytest.mark.parametrize("size", [1, 3000])
def test_features_killed_in_the_middle_of_a_part(killer, data, tmp_path, size):
    command = ["features", "own", "--data", data, "--out", tmp_path / "table"]
    assert killer.run(command, below=tmp_path, size=size)["status"] == -signal.SIGXFSZ
    run_to_end(killer, command, tmp_path)
    assert len(pd.read_parquet(tmp_path / "table")) == 20
    assert not list((tmp_path / "table").glob(".*"))


def test_an_audit_killed_at_any_moment_continues_to_the_same_report(killer, data, tmp_path):
    def command(folder):
        return [
            "audit",
            "own",
            "--data",
            data,
            "--parts",
            folder / "parts",
            "--rows",
            folder / "rows.csv",
            "--json",
        ]

    def report(output):
        return json.loads(next(line for line in output.splitlines() if line.startswith("{")))

    out = tmp_path / "whole"
    out.mkdir()
    done = killer.run(command(out), below=out)
    expected, rows = report(done["output"]), (out / "rows.csv").read_bytes()
    for moment in moments(done["acts"], 2):
        folder = tmp_path / str(moment)
        folder.mkdir()
        (folder / "rows.csv").write_bytes(b"earlier")
        assert killer.run(command(folder), below=folder, act=moment)["status"] == KILLED
        assert (folder / "rows.csv").read_bytes() == b"earlier"
        assert report(killer.run(command(folder), below=folder)["output"]) == expected
        assert (folder / "rows.csv").read_bytes() == rows
        assert names_in(folder) == {"parts", "rows.csv"}


def test_a_report_is_saved_over_the_partial_file_of_a_killed_run(tmp_path):
    report = run.load("esc10")
    path = run.save(report, tmp_path)
    assert run.load("esc10", tmp_path) == report and names_in(path.parent) == {"esc10.json"}
    # The partial file of a killed run is overwritten.
    (path.parent / ".esc10.json.new").write_bytes(b"half of a longer report" * 10_000)
    run.save(report, tmp_path)
    assert run.load("esc10", tmp_path) == report and names_in(path.parent) == {"esc10.json"}


def answers(file):
    """The complete answers in a file, by recording."""
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    found = [json.loads(line) for line in lines if line.endswith(b"\n")]
    assert len(lines) - len(found) <= 1 and len({one["file"] for one in found}) == len(found)
    return {one["file"]: one for one in found}


def test_a_batch_killed_at_any_moment_continues_and_answers_nothing_twice(killer, data, tmp_path):
    def command(folder):
        return ["batch", data, "--out", folder / "answers.jsonl", "--csv", folder / "answers.csv"]

    out = tmp_path / "whole"
    out.mkdir()
    acts = run_to_end(killer, command(out), out)["acts"]
    expected, table = answers(out / "answers.jsonl"), (out / "answers.csv").read_bytes()
    length = (out / "answers.jsonl").stat().st_size
    # In the middle of a line, at its end, in the middle of the table's file, and before every act.
    sizes = [40, length // 2, *([1, length // 3, length - 1] if EVERY else [])]
    for kill in [{"act": moment} for moment in moments(acts, 3)] + [{"size": size} for size in sizes]:
        folder = tmp_path / "-".join(map(str, kill.items()))
        folder.mkdir()
        assert killer.run(command(folder), below=folder, **kill)["status"] < 0
        there = answers(folder / "answers.jsonl")
        assert there.items() <= expected.items()
        done = run_to_end(killer, command(folder), folder)
        if there:
            assert f"not changed since: {len(there)}." in done["output"]
        assert answers(folder / "answers.jsonl") == expected
        assert (folder / "answers.csv").read_bytes() == table
        assert names_in(folder) == {"answers.jsonl", "answers.csv"}


def test_answers_that_end_in_zeros_after_a_power_cut_are_continued(killer, data, tmp_path):
    out = tmp_path / "answers.jsonl"
    run_to_end(killer, ["batch", data, "--out", out], tmp_path)
    whole_file, expected = out.read_bytes(), answers(out)
    out.write_bytes(whole_file[: len(whole_file) // 2] + bytes(4096))
    run_to_end(killer, ["batch", data, "--out", out], tmp_path)
    assert answers(out) == expected


# Power failure


def lost_by_power_failure(acts):
    """Files that a power failure could lose: replaced before the new file was synced, or removed before the replacement was."""
    unsaved, open_renames, found = set(), set(), []
    for act in acts:
        event, _, path = act.partition(" ")
        folder = path.rpartition("/")[0]
        if event in ("open", "os.mkdir"):
            unsaved.add(path)
        elif event == "fsync":
            unsaved.discard(path)
            open_renames.discard(path)
        elif event == "os.rename":
            found += [(act, name) for name in unsaved if name == path or name.startswith(f"{path}/")]
            open_renames.add(folder)
        elif event == "os.remove" and ".previous/" in path:
            found += [(act, name) for name in open_renames]
    return found + [("at the end", name) for name in open_renames]


def test_a_new_file_is_on_the_disk_before_it_replaces_the_old_one(killer, data, tmp_path):
    commands = [
        study_run(data, tmp_path / "studies"),
        ["features", "own", "--data", data, "--out", tmp_path / "table"],
        ["batch", data, "--out", tmp_path / "answers.jsonl", "--csv", tmp_path / "answers.csv"],
        ["write detector", tmp_path / "studies" / "detector"],
    ]
    for command in commands:
        acts = run_to_end(killer, command, tmp_path)["acts"]
        assert sum(act.startswith("os.rename") for act in acts) > 0
        assert lost_by_power_failure(acts) == [], command
