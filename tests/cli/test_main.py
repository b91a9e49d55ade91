"""The command line, run as a process."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest

from coughlab import __version__, audio
from coughlab.evidence.verdict import HEADLINES, meaning
from coughlab.serving import predictors
from coughlab.studies.store import MODELS, StoredStudy
from coughlab.text import listed
from tests import sounds
from tests.files import bytes_of
from tests.studies.test_runner import tiny_dataset

#: Fast: random rows only, and no test on another dataset.
RUN = ("study", "run", "kaggle-trial", "--protocols", "published", "--others", os.devnull)


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


@pytest.mark.parametrize("force", [True, False])
def test_without_a_cough_json_agrees_with_the_api(app, tmp_path, force):
    path = tmp_path / "noise.wav"
    path.write_bytes(sounds.with_soundfile("WAV", samples=sounds.OTHERS["faint noise"]))
    result = coughlab("predict", "--json", *(["--force"] if force else []), path)
    assert (result.returncode, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert answer.pop("file") == str(path)
    address = f"{app}/api/v1/predict?force={int(force)}"
    assert answer == httpx.post(address, files={"file": path.read_bytes()}, timeout=60).json()
    assert (answer["label"] is not None) == force


def test_without_a_cough_the_table_has_no_answer(no_cough, tmp_path):
    path = tmp_path / "noise"
    path.write_bytes(no_cough)
    result = coughlab("predict", path)
    assert (result.returncode, result.stderr) == (0, "")
    _, _, row, _, said, *_ = result.stdout.splitlines()
    heard = predictors.default().predict(audio.load(no_cough)).cough.heard
    assert row.replace(",", "").split()[:8] == [str(path), "no", "cough", "-", "-", "-", "0", heard.code]
    assert said == f"I hear no cough in this recording. What I hear instead: {heard.message}"
    assert not any(headline.upper() in result.stdout for headline in HEADLINES.values())


def test_silence_is_not_an_error_unless_an_answer_is_forced(tmp_path):
    path = tmp_path / "silence.wav"
    path.write_bytes(sounds.with_soundfile("WAV", samples=[0.0] * sounds.RATE))
    result = coughlab("predict", path)
    assert result.returncode == 0 and "no cough" in result.stdout and "Silence" in result.stdout
    forced = coughlab("predict", "--force", path)
    assert forced.returncode == 1 and "is silent" in forced.stderr


def test_a_forced_answer_still_says_that_no_cough_is_heard(tmp_path):
    path = tmp_path / "noise.wav"
    path.write_bytes(sounds.with_soundfile("WAV", samples=sounds.OTHERS["faint noise"]))
    lines = coughlab("predict", "--force", path).stdout.splitlines()
    _, label, _, _, _, coughs, marks = lines[2].split(maxsplit=6)
    assert label in ("covid", "not_covid") and coughs == "0"
    assert marks.startswith("no basis, ") and "silence" in marks.split(", ")
    said = [line.partition(".")[0] for line in lines]
    assert sum(line.startswith("NO BASIS") for line in said) == 1
    assert said.count("I hear no cough in this recording") == 1


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


def table(arguments, **options):
    """The head of the table as words, its rows, and the sentences below it."""
    result = coughlab("predict", *arguments, **options)
    above, _, below = result.stdout.partition("\n\n")
    caveat, head, *rows = above.splitlines()
    assert "no answer is a diagnosis" in caveat
    return head.split(), rows, [line for line in below.splitlines() if line]


def test_the_table_has_a_row_a_file(files):
    good, bad = files
    head, rows, said = table(["--prevalence", "0.2", bad, *good])
    assert head == ["file", "label", "mlp", "cnn", "knn", "coughs", "remarks"]
    assert [row.split()[0] for row in rows] == [str(path) for path in good]
    for path, row in zip(good, rows, strict=True):
        prediction = predictors.default().predict(audio.load(path), prevalence=0.2)
        _, label, *answers, coughs = row.split()[:6]
        assert label == prediction.models["mlp"].label
        assert answers == [f"{one.probability:.3f}" for one in prediction.models.values()]
        assert int(coughs) == len(prediction.events)
        evidence = prediction.evidence["mlp"]
        sentences = [
            f"{HEADLINES[evidence['verdict']].upper()}: {evidence['message']}",
            meaning(evidence, label, prediction.task),
        ]
        for sentence in sentences:
            assert sum(line.endswith(sentence) for line in said) == 1


@pytest.mark.parametrize("times", [1, 7])
def test_a_sentence_is_said_once_and_names_the_files_that_it_is_about(files, tmp_path, times):
    """The file of a kind, under a long name too, comes several times."""
    quiet = (sounds.cough() * 0.005).astype(np.float32)
    made = {
        "plain": files[0][0].read_bytes(),
        "silence": sounds.with_soundfile("WAV", samples=[0.0] * sounds.RATE),
        "quiet" * 20: sounds.with_soundfile("WAV", "FLOAT", samples=quiet),
    }
    paths = []
    for kind, data in made.items():
        for number in range(times):
            paths.append(tmp_path / f"{kind}-{number}")
            paths[-1].write_bytes(data)
    _, rows, said = table([path.name for path in paths], cwd=tmp_path)
    assert [row.split()[0] for row in rows] == [path.name for path in paths]
    assert len(rows) == len(paths) and len(said) == len(set(said))
    about: dict[str, list[str]] = {}
    for path, row in zip(paths, rows, strict=True):
        for remark in predictors.default().predict(predictors.load(path)).quality:
            about.setdefault(remark.message, []).append(path.name)
            assert remark.code in row
    for message, names in about.items():
        assert [line for line in said if message in line] == [f"{listed(names)}: {message}"]
    assert sum("I hear no cough" in line for line in said) == 1
    # Not more sentences for more files.
    assert len(said) <= 12


def test_a_changed_model_is_refused_by_name(files, tmp_path):
    study = tmp_path / "kaggle-trial"
    study.mkdir()
    for path in (MODELS / "kaggle-trial").iterdir():
        data = path.read_bytes()
        (study / path.name).write_bytes(data[:-1] + b"!" if path.name == "mlp.tflite" else data)
    result = coughlab("predict", files[0][0], env={"COUGHLAB_MODELS": str(tmp_path)})
    assert result.returncode == 2
    assert result.stdout == ""
    assert "kaggle-trial/mlp.tflite was changed" in result.stderr and "Traceback" not in result.stderr


def test_a_missing_study_is_reported_in_one_line(files, tmp_path):
    result = coughlab("predict", files[0][0], env={"COUGHLAB_MODELS": str(tmp_path)})
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)


def test_study_run_reports_what_is_wrong_with_the_folder(tmp_path):
    result = coughlab("study", "run", "kaggle-trial", "--data", tmp_path, "--studies", tmp_path / "models")
    assert result.returncode == 2
    assert "cough_trial_extended.csv" in result.stderr and "Traceback" not in result.stderr
    result = coughlab("study", "run", "nothing", "--data", tmp_path)
    assert result.returncode == 2 and "kaggle-trial" in result.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_dataset(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def study(data, tmp_path):
    """A function that runs a command on a study of the tiny dataset, and the folder of studies."""
    studies = tmp_path / "models"

    def command(*arguments, **options):
        return coughlab(*arguments, "--data", data, "--studies", studies, **options)

    return command, studies


def test_study_run_trains_the_models_named_and_adds_to_them(study):
    command, studies = study
    result = command(*RUN, "--splits", "2", "--models", "naive_bayes, knn,")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"Written to {studies / 'kaggle-trial'}\n"
    assert "Training Naive Bayes" in result.stderr and "Training Decision tree" not in result.stderr
    assert list(StoredStudy(studies / "kaggle-trial").models) == ["knn", "naive_bayes"]
    result = command(*RUN, "--splits", "2", "--models", "tree,knn")
    assert "Training Decision tree" in result.stderr and "Training Nearest" not in result.stderr
    assert list(StoredStudy(studies / "kaggle-trial").models) == ["knn", "naive_bayes", "tree"]
    result = command(*RUN, "--splits", "1", "--models", "knn", "--again")
    assert "Training Nearest" in result.stderr
    fits = StoredStudy(studies / "kaggle-trial").fits["model"].value_counts().to_dict()
    assert fits == {"knn": 1, "naive_bayes": 2, "tree": 2}

    # A request that cannot be met gives one sentence and changes nothing.
    before = bytes_of(studies / "kaggle-trial")
    for arguments, pattern in (
        (("--models", "cnn2"), r".*absent\.h5.*COUGHLAB_VGG16 to the path.*connect to a network.*"),
        (("--models", "svm"), r"There is no model called svm\. Known: mlp, .*"),
        (("--models", "tree", "--seed", "1"), r".*other splits \(seed\)\. Train all its models again.*"),
    ):
        env = os.environ | {"COUGHLAB_VGG16": str(studies / "absent.h5")}
        result = command(*RUN, *arguments, env=env)
        assert (result.returncode, result.stdout) == (2, "")
        complaint = result.stderr.splitlines()[-1]
        assert re.fullmatch(f"coughlab: {pattern}", complaint) and "Traceback" not in result.stderr
    assert bytes_of(studies / "kaggle-trial") == before
    assert [path.name for path in studies.iterdir()] == ["kaggle-trial"]


def test_a_study_can_be_defined_in_the_folder_of_studies_alone(study):
    command, studies = study
    (studies / "mine").mkdir(parents=True)
    definition = (MODELS / "kaggle-trial" / "study.toml").read_text()
    (studies / "mine" / "study.toml").write_text(definition)
    run = ("study", "run", "mine", "--protocols", "published", "--others", os.devnull)
    result = command(*run, "--models", "knn", "--splits", "1")
    assert result.returncode == 0, result.stderr
    assert StoredStudy(studies / "mine").definition.dataset == "kaggle-trial"


def test_search_continues_from_the_stored_trials(study):
    command, studies = study
    result = command("search", "kaggle-trial", "--trials", "2")
    assert result.returncode == 2
    assert "There is no study kaggle-trial" in result.stderr and "Traceback" not in result.stderr
    command(*RUN, "--models", "knn", "--splits", "1")
    for n in (2, 3):
        result = command("search", "kaggle-trial", "--trials", n)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith(f"Best of {n} trials: ")
        trials = StoredStudy(studies / "kaggle-trial").trials
        assert f"inside the {trials['recordings'][0]} training rows" in result.stdout
        assert len(trials) == n
    result = command("search", "kaggle-trial", "--trials", "1", "--again")
    assert len(StoredStudy(studies / "kaggle-trial").trials) == 1


def test_ctrl_c_keeps_what_was_finished_and_reports_it(study, data):
    command, studies = study
    command(*RUN, "--models", "knn", "--splits", "1")
    before = bytes_of(studies / "kaggle-trial")
    options = ["--data", data, "--studies", studies, "--models", "mlp,tree", "--epochs", "100000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "coughlab", *RUN, *options], stderr=subprocess.PIPE, text=True
    )
    seen = ""
    for character in iter(lambda: process.stderr.read(1), ""):
        seen += character
        # The second drawing of the bar: at the first one the signal could interrupt the drawing itself.
        if seen.count("Training MLP") == 2:
            break
    assert process.poll() is None, seen
    process.send_signal(signal.SIGINT)
    rest = process.communicate()[1]
    assert process.returncode == 130
    assert rest.splitlines()[-1] == ("coughlab: Stopped. What was finished is kept.")
    assert "Traceback" not in rest
    assert [path.name for path in studies.iterdir()] == ["kaggle-trial"]
    assert bytes_of(studies / "kaggle-trial") == before


FREED = """
import os, signal, time
from coughlab.cli import main as cli

class Freed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass

def run(_):
    Freed()
    for _ in range(500):
        time.sleep(0.01)

cli._run = run
cli.main()
"""


def test_ctrl_c_works_while_an_object_is_freed():
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "coughlab: Stopped. What was finished is kept.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("predict",),
        ("predict", "--prevalence", "5", "cough.wav"),
        ("fly",),
        RUN,
        (*RUN, "--data", ".", "--seed", "-1"),
        (*RUN, "--data", ".", "--epochs", "0"),
        (*RUN, "--data", ".", "--splits", "many"),
        (*RUN, "--data", ".", "--models"),
        (*RUN, "--data", ".", "--models", ","),
        ("search", "kaggle-trial"),
        ("search", "kaggle-trial", "--data", ".", "--trials", "0"),
    ],
)
def test_wrong_arguments_show_the_usage(arguments):
    result = coughlab(*arguments)
    assert result.returncode == 2 and result.stderr.startswith("usage: coughlab")


def test_the_installed_command_is_the_module():
    installed = subprocess.run([Path(sys.executable).with_name("coughlab"), "--version"], capture_output=True)
    assert installed.stdout.decode() == coughlab("--version").stdout == f"coughlab {__version__}\n"
