"""A disk that is really full or really read-only is reported in one sentence, and existing files stay unchanged."""

import shutil
import sys

import pytest

from tests.faults import disks
from tests.faults.killer import Killer
from tests.faults.test_kills import answers, names_in, study_run, whole
from tests.files import bytes_of
from tests.studies.test_runner import tiny_dataset

FULL, READ_ONLY = "the disk is full; make room on it", "the disk is read-only; name a place on another one"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    with disks.mounted(tmp_path_factory.mktemp("mounted") / "disk", "16m") as made:
        yield made


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_dataset(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def killer(disk):
    """Runs commands on the disk; these tests do not kill them."""
    killer = Killer(disk.start)
    yield killer
    killer.close()


@pytest.fixture(params=[FULL, READ_ONLY], ids=["full", "read-only"])
def spoil(request, disk):
    """A function that makes the disk unwritable and returns the expected error text."""

    def spoil():
        disk.fill() if request.param == FULL else disk.read_only()
        return request.param

    return spoil


@pytest.fixture(scope="module")
def study(killer, data, tmp_path_factory):
    """A folder of studies, to be copied."""
    studies = tmp_path_factory.mktemp("made")
    assert killer.run([*study_run(data, studies), "--models", "knn"], below=studies)["status"] == 0
    return studies / "kaggle-trial"


def mend(disk):
    disk.read_only(False)
    if (disk.seen / disks.BALLAST).exists():
        disk.empty()


@pytest.fixture
def place(request, disk):
    """A new folder on the disk: its path for the commands and its path for the test."""
    name = request.node.name.translate(str.maketrans("[ ]", "---"))
    (disk.seen / name).mkdir()
    yield disk.path / name, disk.seen / name
    mend(disk)
    shutil.rmtree(disk.seen / name)


def refused(done, what, why):
    """The sentence about the disk that a command ended with."""
    (complaint,) = [line for line in done["output"].splitlines() if "could not be" in line] or [
        done["output"]
    ]
    assert done["status"] == 2 and "Traceback" not in done["output"], done["output"]
    assert f"coughlab: {what} could not be" in complaint and why in complaint
    return complaint


def test_a_study(killer, data, study, place, spoil):
    at, seen = place
    shutil.copytree(study, seen / "kaggle-trial")
    before, why = bytes_of(seen), spoil()
    # Detected before anything is measured.
    done = killer.run(study_run(data, at, "--again"), below=at, often=False)
    assert "goes on from there" in refused(done, "The study", why) and "Listening" not in done["output"]
    assert bytes_of(seen) == before


def test_a_study_whose_disk_fills_while_it_is_saved(killer, disk, data, study, place):
    at, seen = place
    shutil.copytree(study, seen / "kaggle-trial")
    before = bytes_of(seen)
    disk.fill(leave=3 * 4096)
    refused(killer.run(study_run(data, at), below=at), "The study", FULL)
    assert bytes_of(seen) == before and names_in(seen) == {"kaggle-trial"}
    mend(disk)
    assert killer.run(study_run(data, at), below=at)["status"] == 0
    assert set(whole(seen / "kaggle-trial").models) == {"knn", "naive_bayes"}


def test_a_search(killer, data, study, place, spoil):
    at, seen = place
    shutil.copytree(study, seen / "kaggle-trial")
    before, why = bytes_of(seen), spoil()
    search = ["search", "kaggle-trial", "--data", data, "--studies", at, "--trials", 2]
    refused(killer.run(search, below=at), "The study", why)
    assert bytes_of(seen) == before


def test_a_detector(killer, data, place, spoil):
    at, seen = place
    why = spoil()
    done = killer.run(["detector", "train", "--data", data, "--studies", at], below=at, often=False)
    refused(done, "The detector", why)
    assert bytes_of(seen) == {}


def test_features(killer, disk, data, place, spoil):
    at, seen = place
    command = ["features", "own", "--data", data, "--out", at / "table"]
    assert killer.run(command, below=at)["status"] == 0
    made = bytes_of(seen)
    (seen / "table" / "part-000002.parquet").unlink()
    why = spoil()
    refused(killer.run(command, below=at), "The features", why)
    assert bytes_of(seen) == {name: data for name, data in made.items() if "2.parquet" not in name}
    mend(disk)
    assert killer.run(command, below=at)["status"] == 0
    assert bytes_of(seen) == made


@pytest.mark.parametrize("options", [["--rows", "rows.csv"], ["--parts", "parts"]], ids=["rows", "parts"])
def test_an_audit(killer, data, place, spoil, options):
    at, seen = place
    (seen / "rows.csv").write_text("earlier")
    why = spoil()
    command = ["audit", "own", "--data", data, options[0], at / options[1]]
    done = killer.run(command, below=at, often=False)
    refused(done, "The audit", why)
    assert bytes_of(seen) == {"rows.csv": b"earlier"} and "Listening" not in done["output"]


def test_a_batch(killer, data, place, spoil):
    at, seen = place
    command = ["batch", data, "--out", at / "answers.jsonl", "--csv", at / "answers.csv"]
    (seen / "answers.csv").write_text("earlier")
    why = spoil()
    refused(killer.run(command, below=at), "The answers", why)
    assert bytes_of(seen) in ({"answers.csv": b"earlier"}, {"answers.csv": b"earlier", "answers.jsonl": b""})


def test_a_batch_whose_disk_fills_while_it_answers(killer, disk, data, place):
    at, seen = place
    command = ["batch", data, "--out", at / "answers.jsonl", "--csv", at / "answers.csv"]
    disk.fill(leave=2 * 4096)
    refused(killer.run(command, below=at), "The answers", FULL)
    there = answers(seen / "answers.jsonl")
    assert 0 < len(there) < 20 and names_in(seen) == {"answers.jsonl"}
    mend(disk)
    done = killer.run(command, below=at)
    assert done["status"] == 0 and f"not changed since: {len(there)}." in done["output"]
    assert len(answers(seen / "answers.jsonl")) == 20 and names_in(seen) == {"answers.jsonl", "answers.csv"}


def test_the_output_of_a_prediction_on_a_full_disk(disk, data, place):
    at, _ = place
    disk.fill()
    recording = next((data / "trial_covid").iterdir())
    done = disk.run("sh", "-c", f"'{sys.executable}' -m coughlab predict '{recording}' > '{at}/said'")
    assert (done.returncode, done.stderr) == (2, f"coughlab: What was found could not be written: {FULL}.\n")
