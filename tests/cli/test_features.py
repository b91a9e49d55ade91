"""``coughlab features``: a table in parts; an interrupted run can be continued, and wrong arguments are refused."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from coughlab import audio, datasets
from coughlab.cli import main
from coughlab.datasets import survey
from coughlab.features import acoustic
from coughlab.system import parquet_parts
from tests.audit.test_run import own_folder, plant
from tests.conftest import ROOT
from tests.files import bytes_of

NAMES = list(acoustic.NAMES)
#: Recordings of each class: enough for several parts.
N = 130


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset that includes a text file and a silent recording."""
    folder = tmp_path_factory.mktemp("own")
    plant(own_folder(folder, N))
    return folder


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """The table made without interruption: its folder, and the bytes of its files."""
    out = tmp_path_factory.mktemp("out") / "deep" / "table"
    assert run(folder, out) == 1
    return out, bytes_of(out)


def run(folder, out, *options):
    return main._run(["features", "own", "--data", str(folder), "--out", str(out), *map(str, options)])


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("part-*")}


def test_the_table_has_every_recording_as_measured(folder, whole):
    table, listed = pd.read_parquet(whole[0]), datasets.load("own", folder).table
    assert list(table.columns) == [*listed.columns[:4], "status", "problem", *survey.FACTS, *NAMES]
    pd.testing.assert_frame_equal(table[list(listed.columns[:4])], listed.iloc[:, :4])
    lost = table[table["status"] != "ok"].set_index("recording")
    assert set(lost.index) == {"covid/letter.wav", "healthy/silent\x1b[31m.wav"}
    assert lost[NAMES].isna().all().all() and "not a sound file" in lost["problem"]["covid/letter.wav"]
    row = table.iloc[7]
    measured = acoustic.extract(audio.load(listed["path"][7]))
    assert measured.dtype == np.float32 and row[NAMES].tolist() == measured.tolist()
    assert (row["problem"], row["codec"], row["sample_rate"]) == ("", "pcm_16", 8000)


def test_the_number_of_parts_is_as_stored_and_there_are_no_other_files(whole):
    about = json.loads(whole[1][parquet_parts.ABOUT])
    n_parts = -(-about["recordings"] // about["rows_a_part"])
    assert about["kind"] == "features" and about["recordings"] == 2 * N + 4 and n_parts == 5
    assert set(whole[1]) == {parquet_parts.ABOUT, *(f"part-{k:06}.parquet" for k in range(n_parts))}


@contextlib.contextmanager
def begun(folder, out, jobs):
    """A run of the command that has finished a part."""
    command = [sys.executable, "-m", "coughlab", "features", "own", "--data", folder, "--out", out]
    with subprocess.Popen(
        [*command, "--jobs", str(jobs)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while not times(out) and process.poll() is None:
            time.sleep(0.005)
        yield process


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_is_continued_and_ends_with_the_same_bytes(folder, whole, tmp_path, jobs):
    out = tmp_path / "t"
    # On a busy machine the run may end before it is killed.
    while not 0 < len(before := times(out)) < 5:
        shutil.rmtree(out, ignore_errors=True)
        with begun(folder, out, jobs) as killed:
            killed.kill()
    assert killed.returncode == -signal.SIGKILL
    assert run(folder, out, "--jobs", jobs) == 1
    assert bytes_of(out) == whole[1]
    assert before.items() <= times(out).items()


def test_ctrl_c_keeps_what_is_done(folder, whole, tmp_path):
    out, status = tmp_path / "t", 1
    while status == 1:  # it ended before the signal, with status 1 for the unreadable recordings
        shutil.rmtree(out, ignore_errors=True)
        with begun(folder, out, 2) as process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            _, err = process.communicate()
            status = process.returncode
    assert status == 130
    assert err.splitlines()[-1] == "coughlab: Stopped. What was finished is kept." and "Traceback" not in err
    assert all(whole[1][name] == (out / name).read_bytes() for name in times(out))


def test_a_part_that_is_lost_or_damaged_is_made_again(folder, whole, tmp_path):
    run(folder, tmp_path / "t")
    names = sorted(times(tmp_path / "t"))
    (tmp_path / "t" / names[0]).unlink()
    half = (tmp_path / "t" / names[1]).read_bytes()
    (tmp_path / "t" / names[1]).write_bytes(half[: len(half) // 2])
    flipped = bytearray((tmp_path / "t" / names[2]).read_bytes())
    flipped[len(flipped) // 3] ^= 1
    (tmp_path / "t" / names[2]).write_bytes(flipped)
    (tmp_path / "t" / names[3]).write_bytes((tmp_path / "t" / names[4]).read_bytes())
    # Files that a full disk or a killed process leaves beside the parts.
    (tmp_path / "t" / f".{names[0]}.new").write_bytes(b"half")
    kept = times(tmp_path / "t")[names[4]]
    assert run(folder, tmp_path / "t") == 1
    assert bytes_of(tmp_path / "t") == whole[1] and times(tmp_path / "t")[names[4]] == kept


def test_a_recording_that_has_changed_is_measured_again(tmp_path):
    folder = own_folder(tmp_path / "own", 3)
    assert run(folder, tmp_path / "t") == 0
    (folder / "covid" / "1.wav").write_bytes((folder / "covid" / "3.wav").read_bytes() + b"\0\0")
    assert run(folder, tmp_path / "t") == 0
    table = pd.read_parquet(tmp_path / "t").set_index("recording")
    assert table.loc["covid/1.wav", NAMES].tolist() == table.loc["covid/3.wav", NAMES].tolist()


def test_another_table_is_not_replaced_by_default(folder, whole, tmp_path, capsys):
    small = own_folder(tmp_path / "small", 3)
    assert run(small, tmp_path / "t") == 0
    before = bytes_of(tmp_path / "t")
    capsys.readouterr()
    assert run(folder, tmp_path / "t") == 2
    (line,) = messages(capsys)
    assert "holds another table: its recordings is 6, not 264." in line and "--again" in line
    assert bytes_of(tmp_path / "t") == before
    assert run(folder, tmp_path / "t", "--again") == 1
    assert bytes_of(tmp_path / "t") == whole[1]


def test_an_audit_does_not_use_the_parts_of_features(folder, whole, capsys):
    assert main._run(["audit", "own", "--data", str(folder), "--parts", str(whole[0])]) == 2
    (line,) = messages(capsys)
    assert "its kind is features, not survey" in line


def messages(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    # A progress bar may come before the messages.
    return [line for line in err.splitlines() if line.startswith("coughlab: ")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"out": "file"}, "file is a file. Name a folder."),
        ({"out": "file/below"}, "could not be written"),
        ({"out": "full"}, "holds other files, letter.txt among them"),
        ({"out": "own/table"}, "--out must lie outside the dataset's folder"),
        ({"folder": "absent"}, "There is no folder"),
        ({"folder": "x.zip"}, "Unpack it first"),
        ({"out": "locked"}, "Another run is writing to"),
        ({"out": "broken"}, "is damaged, so that it is unknown"),
    ],
)
def test_an_error_is_reported_in_one_line(tmp_path, capsys, options, words):
    own_folder(tmp_path / "own", 1)
    (tmp_path / "file").touch()
    (tmp_path / "x.zip").touch()
    for name, file in (("full", "letter.txt"), ("broken", parquet_parts.ABOUT)):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("Dear Sir")
    places = {"folder": "own", "out": "new"} | options
    with parquet_parts.opened(tmp_path / "locked", {}, survey.SCHEMAS["features"]):
        assert run(tmp_path / places["folder"], tmp_path / places["out"]) == 2
    (line,) = messages(capsys)
    assert words in line
    assert (tmp_path / "full" / "letter.txt").read_text() == "Dear Sir"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--jobs", "0"), "whole number of at least 1"),
        (("--jobs", "2", "--dask", "tcp://127.0.0.1:9"), "not allowed with"),
    ],
)
def test_the_wrong_engine_is_refused(tmp_path, capsys, options, words):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, tmp_path / "t", *options)
    assert ended.value.code == 2 and words in capsys.readouterr().err


def test_a_full_disk_is_reported_in_one_line(folder, tmp_path):
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash", sys.executable, "-m", "coughlab", "features"]
    ended = subprocess.run(
        [*limited, "own", "--data", folder, "--out", tmp_path / "t"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("coughlab: The features could not be written") and "before is kept" in last
