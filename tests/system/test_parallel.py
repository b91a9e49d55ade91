"""Work in one process, in several and on a real Dask cluster; some workers are killed."""

import json
import os
import signal
import sys
from contextlib import contextmanager

import numpy as np
import pandas as pd
import psutil
import pytest

from coughlab import datasets
from coughlab.audit import run
from coughlab.cli import main
from coughlab.datasets import survey
from coughlab.studies import runner
from coughlab.studies.store import FITS, StoredStudy
from coughlab.system import parallel
from coughlab.system.parallel import EngineError
from tests.audit.test_run import own_folder, plant
from tests.clusters import cluster
from tests.studies.test_runner import tiny_dataset

#: Durations are not part of the result.
TOOK = ["seconds", "answer_ms"]


@pytest.fixture(scope="module", autouse=True)
def small_parts():
    """Few rows per part, so that few recordings make many parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "ROWS", 4)
        patch.setattr(parallel, "TOGETHER", 3)
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Recordings of both classes, with copies, a text file, a silent recording and a missing one."""
    folder = tmp_path_factory.mktemp("own")
    plant(own_folder(folder))
    loaded = datasets.load("own", folder)
    (folder / "covid" / "5.wav").unlink()
    return loaded


@pytest.fixture(scope="module")
def at_cluster(tmp_path_factory):
    """An engine on a cluster of two workers, and their processes."""
    with cluster(tmp_path_factory.mktemp("dask")) as (address, workers), parallel.start(dask=address) as at:
        at.client.wait_for_workers(2, timeout=60)
        yield at, workers, address


@pytest.fixture(scope="module")
def here(dataset, tmp_path_factory):
    """Bytes of the parts made in one process."""
    return made(dataset, tmp_path_factory.mktemp("here"))


def made(dataset, folder, **options):
    survey.write_features(dataset, folder, **options)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@contextmanager
def at_two():
    with parallel.start(2) as at:
        yield at


def workers_here():
    """Process IDs of the workers of this process."""
    return [
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and any("LokyProcess" in word for word in child.cmdline())
    ]


def test_one_process_works_here_and_in_order():
    with parallel.start() as at:
        done = list(at.map(lambda x: (x, os.getpid()), [3, 1, 2], float))
    assert done == [(n, (n, os.getpid())) for n in (3, 1, 2)]


def test_two_processes_run_outside_this_process():
    with parallel.start(2) as at:
        results = dict(at.map(lambda x: (x, os.getpid()), range(8), float))
    assert {n: x for n, (x, _) in results.items()} == {n: n for n in range(8)}
    assert os.getpid() not in {process for _, process in results.values()}


def test_work_is_given_up_after_repeated_crashes():
    with parallel.start(2) as at, pytest.raises(EngineError, match="ended 3 times"):
        list(at.map(os._exit, range(4), int))


def test_an_exception_in_a_worker_is_raised_here():
    with parallel.start(2) as at, pytest.raises(ValueError, match="invalid literal"):
        list(at.map(int, range(4), lambda number: "x"))


def test_a_killed_process_does_not_change_the_result(dataset, here, tmp_path):
    killed = []

    def kill(stage, done, total):
        if done >= 8 and not killed:
            killed.append(workers_here()[0])
            os.kill(killed[0], signal.SIGKILL)

    with at_two() as at:
        assert made(dataset, tmp_path, engine=at, progress=kill) == here
    assert killed


def test_the_table_is_the_same_from_two_processes_and_from_a_cluster(dataset, here, at_cluster, tmp_path):
    assert made(dataset, tmp_path / "cluster", engine=at_cluster[0]) == here
    with at_two() as at:
        assert made(dataset, tmp_path / "two", engine=at) == here


def test_the_audit_is_the_same_wherever_it_is_made_and_kept(dataset, at_cluster, tmp_path):
    report, rows = run.examine(dataset, folder=tmp_path / "one")
    with at_two() as two:
        others = [
            run.examine(dataset),
            run.examine(dataset, engine=two),
            run.examine(dataset, engine=two, folder=tmp_path / "two"),
            run.examine(dataset, engine=at_cluster[0], folder=tmp_path / "cluster"),
        ]
    for other, of_other in others:
        assert json.dumps(other) == json.dumps(report)
        pd.testing.assert_frame_equal(of_other, rows)
    kept = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two", "cluster")
    ]
    assert kept[0] == kept[1] == kept[2] and len(kept[0]) == 9


def test_a_survey_is_the_same_whether_kept_or_not(dataset, tmp_path):
    whole, kept = survey.run(dataset), survey.run(dataset, folder=tmp_path)
    again = survey.run(dataset, folder=tmp_path)
    for other in (kept, again):
        pd.testing.assert_frame_equal(other.drop(columns="fingerprint"), whole.drop(columns="fingerprint"))
        for one, two in zip(other["fingerprint"], whole["fingerprint"], strict=True):
            np.testing.assert_array_equal(one, two)


def test_an_interrupted_audit_is_continued(dataset, tmp_path):
    def stop(stage, done, total):
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.examine(dataset, stop, folder=tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("part-*")}
    report, _ = run.examine(dataset, folder=tmp_path)
    assert len(before) == 2 and report == run.audit(dataset)
    assert before.items() <= {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("part-*")}.items()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_dataset(tmp_path_factory.mktemp("tiny"))


def fitted(data, folder, models, at=None, **options):
    others = options.pop("others", {})
    selected = runner.Selection(models, **{"n_splits": 2, "epochs": 1} | options)
    return StoredStudy(runner.run("kaggle-trial", data, selected, others=others, folder=folder, engine=at))


def assert_same(one, other):
    """Check that two studies are equal, except for durations (in the fits and the README) and the dates of Keras."""
    assert set(other.manifest["files"]) == set(one.manifest["files"])
    pd.testing.assert_frame_equal(one.fits.drop(columns=TOOK), other.fits.drop(columns=TOOK))
    for name in one.manifest["files"]:
        if name not in (FITS, "README.md") and not name.endswith((".keras", ".tflite")):
            assert one.read(name) == other.read(name), name


def test_a_study_is_the_same_where_a_cluster_fits(tiny, at_cluster, tmp_path):
    models, protocols = ["knn", "forest", "rbf_svm", "gradient_boosting"], ["published", "person-disjoint"]
    one = fitted(tiny, tmp_path / "one", models, protocols=protocols)
    other = fitted(tiny, tmp_path / "cluster", models, at_cluster[0], protocols=protocols)
    assert_same(one, other)


def test_a_network_is_the_same_where_two_processes_fit(tiny, tmp_path):
    one = fitted(tiny, tmp_path / "one", ["mlp"], protocols=["published"])
    with at_two() as at:
        other = fitted(tiny, tmp_path / "two", ["mlp"], at, protocols=["published"])
    assert_same(one, other)


def test_a_worker_without_access_to_the_recordings_is_reported(dataset, tmp_path, monkeypatch):
    def blind(task):
        """The result of a worker without the folder of recordings."""
        return [{"status": "missing", "problem": "There is no such file."} for _ in task[-1]]

    monkeypatch.setattr(survey, "_measured", blind)
    with at_two() as at, pytest.raises(EngineError, match="under the same path"):
        survey.write_features(dataset, tmp_path, engine=at)
    assert not list(tmp_path.glob("part-*"))


def test_without_a_scheduler_the_message_says_what_to_do(capsys, tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(parallel, "PATIENCE_S", 0.5)
    folder = str(dataset.table["path"][0].parent.parent)
    for command in (("features", "--out", str(tmp_path / "out")), ("audit",)):
        arguments = [command[0], "own", "--data", folder, *command[1:], "--dask", "tcp://127.0.0.1:9"]
        assert main._run(arguments) == 2
        out, err = capsys.readouterr()
        (line,) = err.splitlines()
        assert out == "" and "No Dask scheduler answers at tcp://127.0.0.1:9. Start one with" in line
    assert not (tmp_path / "out").exists()


def test_without_distributed_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(EngineError, match="pip install distributed"),
        parallel.start(dask="tcp://127.0.0.1:9"),
    ):
        pass


def test_workers_of_another_version_are_refused(at_cluster, monkeypatch):
    monkeypatch.setattr(parallel, "__version__", "0.0.9")
    with (
        pytest.raises(EngineError, match=r"another version of CoughLab: 0\.1.*Install CoughLab 0\.0\.9"),
        parallel.start(dask=at_cluster[2]),
    ):
        pass


def test_a_cluster_without_workers_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "WORKERS_S", 0.5)
    with (
        cluster(tmp_path, n_workers=0) as (address, _),
        pytest.raises(EngineError, match="has no workers"),
        parallel.start(dask=address),
    ):
        pass


# The last test, because it leaves the cluster with one worker.
def test_a_killed_worker_of_the_cluster_does_not_change_the_result(dataset, here, at_cluster, tmp_path):
    at, workers, _ = at_cluster
    killed = []

    def kill(stage, done, total):
        if done >= 8 and not killed:
            assert done < total
            killed.append(workers[0].pid)
            workers[0].kill()

    assert made(dataset, tmp_path, engine=at, progress=kill) == here
    assert killed and workers[0].wait(timeout=20) == -signal.SIGKILL
