"""``coughlab audit`` as a process, because training jobs depend on its exit status."""

import json

import pytest

from coughlab.cli import main
from tests.audit.test_run import own_folder, plant
from tests.cli.test_main import coughlab


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return own_folder(tmp_path_factory.mktemp("own"))


def test_the_exit_status_says_whether_there_is_a_severe_finding(folder, tmp_path, capsys):
    sound = coughlab(
        "audit", "own", "--data", folder, "--json", "--save", env={"COUGHLAB_MODELS": str(tmp_path)}
    )
    assert sound.returncode == 0, sound.stderr
    (line,) = sound.stdout.splitlines()
    report = json.loads(line)
    assert report["sound"] and report == json.loads((tmp_path / "audits" / "own.json").read_text())
    assert "Listening to recordings" in sound.stderr and "100 %" in sound.stderr

    plant(folder)
    rows = tmp_path / "rows.csv"
    assert main._run(["audit", "own", "--data", str(folder), "--rows", str(rows)]) == 1
    assert len(rows.read_text().splitlines()) == 31
    printed = capsys.readouterr().out
    assert (
        printed.startswith("own: NOT SOUND")
        and "Recordings: 30." in printed
        and "SEVERE: contradictory_labels" in printed
    )
    assert "\x1b" not in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("own", "--data", "absent"), "no folder"),
        (("../own", "--save", "--data", "."), "--save needs a name"),
        (("kaggle-trial", "--data", "."), "cough_trial_extended.csv"),
        (("own", "--data", "x.zip"), "Unpack it first"),
        (("own", "--data", ".", "--rows", "absent/rows.csv"), "no folder absent"),
        (("own", "--data", ".", "--rows", "rows.csv"), "outside the dataset's folder"),
    ],
)
def test_an_audit_error_is_reported_in_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.zip").touch()
    assert main._run(["audit", *arguments]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == "" and line.startswith("coughlab: ") and message in line
