"""A clock that is decades wrong in either direction changes no answer, and is reported where it matters."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from coughlab.audio import synthetic
from coughlab.live import cough_log
from tests.conftest import ROOT, missing
from tests.studies.test_runner import tiny_dataset

#: Before the first and after the last date that a ZIP file can have.
TIMES = ["1970-01-02", "2150-06-01"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_dataset(tmp_path_factory.mktemp("tiny"))


def at(day, *arguments):
    """Run Python with another system time; durations and file times are unchanged."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        missing("a clock that can be set: install Debian's faketime")
    clock = {"LD_PRELOAD": str(found[0]), "FAKETIME": f"@{day} 03:00:00", "TZ": "UTC"}
    clock |= {"DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | clock)


@pytest.mark.parametrize("day", TIMES)
def test_the_answer_is_the_same_and_health_reports_the_clock(day, tmp_path):
    (tmp_path / "cough.wav").write_bytes(synthetic.sample())
    code = """
import json, sys
from coughlab.cli.main import main
from coughlab.serving import health
print(json.dumps(health.problems()))
main(["predict", "--json", sys.argv[1]])
"""
    now = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "cough.wav"], capture_output=True, text=True, cwd=ROOT
    )
    then = at(day, "-c", code, tmp_path / "cough.wav")
    assert then.returncode == now.returncode == 0, then.stderr
    (none, answer), (problems, same) = (done.stdout.splitlines() for done in (now, then))
    assert (json.loads(none), json.loads(answer)) == ([], json.loads(same))
    (problem,) = json.loads(problems)
    assert problem["code"] == "clock_wrong" and day in problem["message"] and not problem["stops"]


@pytest.mark.parametrize("day", TIMES)
def test_nothing_is_trained_whose_file_could_not_be_written(data, tmp_path, day):
    command = ["study", "run", "kaggle-trial", "--data", data, "--studies", tmp_path / "m", "--models", "mlp"]
    done = at(day, "-m", "coughlab", *command)
    assert done.returncode == 2 and "Traceback" not in done.stderr and not (tmp_path / "m").exists()
    assert f"The study could not be written: the clock says {day}; set it to the right time." in done.stderr


def test_a_run_started_at_one_time_is_continued_at_another(data, tmp_path):
    few = tmp_path / "few"
    shutil.copytree(data / "trial_covid", few)
    later = sorted(few.iterdir())[10:]
    command = ["-m", "coughlab", "batch", few, "--out", tmp_path / "answers.jsonl"]
    content = [path.read_bytes() for path in later]
    for path in later:
        path.unlink()
    assert at(TIMES[1], *command).returncode == 0
    for path, data in zip(later, content, strict=True):
        path.write_bytes(data)
    done = at(TIMES[0], *command)
    assert done.returncode == 0 and "not changed since: 10." in done.stdout


@pytest.mark.parametrize("day", [*TIMES, "2026-03-04"])
def test_the_sounds_of_a_session_can_be_saved_at_any_time(day):
    began = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    archive = cough_log.archive([cough_log.Cough(1, 0.0, 0.5, 0.9, began)], {1: np.zeros(100, np.int16)})
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None and file.namelist()[0] == "coughs.csv"
        (name,) = file.namelist()[1:]
        year = min(max(int(day[:4]), 1980), 2107)
        assert day in name and file.getinfo(name).date_time[:3] == (year, *map(int, day.split("-")[1:]))
        assert all(info.compress_type == zipfile.ZIP_DEFLATED for info in file.infolist())
