"""``coughlab audit`` as a process, since its exit status guards training jobs."""

import json

import pytest

from coughlab.cli import main
from tests.audit.test_run import own_folder, plant
from tests.cli.test_main import coughlab


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return own_folder(tmp_path_factory.mktemp("own"))


def test_status_says_whether_a_severe_finding_stands(folder, tmp_path, capsys):
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
    told = capsys.readouterr().out
    assert (
        told.startswith("own: NOT SOUND")
        and "Recordings: 30." in told
        and "SEVERE: contradictory_labels" in told
    )
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("own", "--data", "absent"), "no folder"),
        (("../own", "--save", "--data", "."), "--save needs a name"),
        (("kaggle-trial", "--data", "."), "cough_trial_extended.csv"),
        (("own", "--data", "x.zip"), "Unpack it first"),
        (("own", "--data", ".", "--rows", "absent/rows.csv"), "no folder absent"),
        (("own", "--data", ".", "--rows", "rows.csv"), "outside the dataset's folder"),
    ],
)
def test_what_cannot_be_audited_is_said_in_one_line(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.zip").touch()
    assert main._run(["audit", *arguments]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == "" and line.startswith("coughlab: ") and said in line
