"""The command line, as a process."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from coughlab import __version__
from tests import sounds
from tests.test_study import tiny_dataset


def coughlab(*arguments, **options):
    command = [sys.executable, "-m", "coughlab", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    good = [folder / "one.wav", folder / "two.webm"]
    good[0].write_bytes(sounds.FORMATS["wav 16-bit"]())
    good[1].write_bytes(sounds.FORMATS["webm opus"]())
    bad = folder / "letter.wav"
    bad.write_text("not a sound")
    return good, bad


def test_json_agrees_with_the_api_to_the_last_digit(app, files):
    good, _ = files
    result = coughlab("predict", "--json", *good)
    assert (result.returncode, result.stderr) == (0, "")
    for path, line in zip(good, result.stdout.splitlines(), strict=True):
        answer = json.loads(line)
        assert answer.pop("file") == str(path)
        response = httpx.post(app + "/api/v1/predict", files={"file": path.read_bytes()}, timeout=60)
        assert answer == response.json()


def test_an_unreadable_file_is_one_line_on_stderr_and_stops_nothing(files):
    good, bad = files
    absent = bad.with_name("absent.wav")
    result = coughlab("predict", "--json", good[0], bad, absent, good[1])
    assert result.returncode == 1
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == [str(path) for path in good]
    complaints = result.stderr.splitlines()
    assert len(complaints) == 2
    assert str(bad) in complaints[0] and "not a sound file" in complaints[0]
    assert str(absent) in complaints[1] and "no such file" in complaints[1]


def test_the_table_has_a_row_a_file(files):
    good, bad = files
    result = coughlab("predict", bad, *good)
    caveat, head, *rows = [line for line in result.stdout.splitlines() if "note:" not in line]
    assert "no answer is a diagnosis" in caveat
    assert head.split() == ["file", "label", "mlp", "cnn", "knn", "coughs"]
    assert [row.split()[0] for row in rows] == [str(path) for path in good]
    assert all(row.split()[1] in ("covid", "not_covid") for row in rows)


def test_a_changed_model_is_refused_by_name(files, tmp_path):
    from coughlab.store import MODELS

    study = tmp_path / "kaggle-trial"
    study.mkdir()
    for path in (MODELS / "kaggle-trial").iterdir():
        data = path.read_bytes()
        (study / path.name).write_bytes(data[:-1] + b"!" if path.name == "mlp.tflite" else data)
    result = coughlab("predict", files[0][0], env={"COUGHLAB_MODELS": str(tmp_path)})
    assert result.returncode == 2
    assert result.stdout == ""
    assert "kaggle-trial/mlp.tflite was changed" in result.stderr and "Traceback" not in result.stderr


def test_no_study_is_said_in_one_line(files, tmp_path):
    result = coughlab("predict", files[0][0], env={"COUGHLAB_MODELS": str(tmp_path)})
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)


def test_study_run_says_what_is_wrong_with_the_folder(tmp_path):
    result = coughlab("study", "run", "kaggle-trial", "--data", tmp_path, "--models", tmp_path / "models")
    assert result.returncode == 2
    assert "cough_trial_extended.csv" in result.stderr and "Traceback" not in result.stderr
    result = coughlab("study", "run", "nothing", "--data", tmp_path)
    assert result.returncode == 2 and "kaggle-trial" in result.stderr


def test_ctrl_c_leaves_the_previous_study_and_says_so(tmp_path):
    data, models = tiny_dataset(tmp_path / "data"), tmp_path / "models"
    command = [
        sys.executable,
        "-m",
        "coughlab",
        "study",
        "run",
        "kaggle-trial",
        "--data",
        data,
        "--models",
        models,
    ]
    subprocess.run([*command, "--epochs", "1", "--splits", "1"], capture_output=True, check=True)
    before = {path.name: path.read_bytes() for path in (models / "kaggle-trial").iterdir()}
    process = subprocess.Popen([*command, "--epochs", "1000"], stderr=subprocess.PIPE, text=True)
    seen = ""
    for character in iter(lambda: process.stderr.read(1), ""):
        seen += character
        if seen.endswith("Training MLP"):
            break
    assert process.poll() is None, seen
    process.send_signal(signal.SIGINT)
    rest = process.communicate()[1]
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "coughlab: Stopped. What was there before is unchanged."
    assert "Traceback" not in rest
    assert [path.name for path in models.iterdir()] == ["kaggle-trial"]
    assert {path.name: path.read_bytes() for path in (models / "kaggle-trial").iterdir()} == before


RUN = ("study", "run", "kaggle-trial")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("predict",),
        ("fly",),
        RUN,
        (*RUN, "--data", ".", "--seed", "-1"),
        (*RUN, "--data", ".", "--epochs", "0"),
        (*RUN, "--data", ".", "--splits", "many"),
    ],
)
def test_wrong_arguments_show_the_usage(arguments):
    result = coughlab(*arguments)
    assert result.returncode == 2 and result.stderr.startswith("usage: coughlab")


def test_the_installed_command_is_the_module():
    installed = subprocess.run([Path(sys.executable).with_name("coughlab"), "--version"], capture_output=True)
    assert installed.stdout.decode() == coughlab("--version").stdout == f"coughlab {__version__}\n"
