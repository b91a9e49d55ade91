"""Real training in a child process on the committed feature table."""

import gc
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from coughlab.studies import retrain, store, training
from coughlab.studies.retrain import Order, RetrainError
from coughlab.studies.store import StoredStudy
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def stored():
    return StoredStudy(store.MODELS / "kaggle-trial")


def wait(condition, seconds=1200):
    """Wait until a condition holds; the timeout is for broken jobs, and long enough for a busy machine."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def ended(job):
    wait(lambda: job.state != "running")
    return job


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(autouse=True)
def nothing_left():
    """Check that no test leaves a job."""
    yield
    gc.collect()
    wait(lambda: not retrain._running)


def test_it_reproduces_the_stored_predictions_bit_for_bit(stored):
    job = ended(retrain.start(stored, Order("knn", n_splits=3)))
    assert (job.state, job.share, job.n_done) == ("done", 1.0, 3)
    expected = stored.predictions.query("model == 'knn' and split < 3 and protocol == 'published'")
    assert list(job.predictions.columns) == training.PREDICTION_COLUMNS
    assert job.predictions.to_dict("list") == expected.to_dict("list")
    sentence = retrain.reproduced_in_words(job.predictions, stored.predictions, "knn")
    assert sentence == "3 of the 3 splits that are stored too gave exactly the stored probabilities."


def test_there_is_no_comparison_without_stored_splits(stored):
    job = ended(retrain.start(stored, Order("knn", n_splits=2)))
    assert not retrain.reproduced_in_words(job.predictions, stored.predictions.query("model != 'knn'"), "knn")


@pytest.fixture(scope="module")
def networks(stored):
    """A training of more networks than are trained side by side, and its progress reports."""
    job = retrain.start(stored, Order("mlp", n_splits=retrain.TOGETHER + 1))
    seen = []
    while job.state == "running":
        seen.append((job.share, job.sentence, job.n_done, job.seconds_left))
        time.sleep(0.02)
    return job, seen


def test_the_mlp_reports_its_progress_and_the_difference_from_the_stored_splits(stored, networks):
    job, seen = networks
    n = job.order.n_splits
    assert job.state == "done"
    shares = [share for share, *_ in seen]
    assert shares == sorted(shares) and len(set(shares)) > 10
    sentences = list(dict.fromkeys(sentence for _, sentence, *_ in seen))
    assert sentences[:2] == ["Starting …", f"Training: 0 splits of {n} done"]
    assert f"Training: {n - 1} splits of {n} done" in sentences
    assert seen[0][-1] is None and any(left is not None and left > 0 for *_, left in seen)
    assert job.seconds_left is None
    expected = stored.predictions.query(f"model == 'mlp' and split < {n} and protocol == 'published'")
    columns = ["split", "role", "row", "recording", "label", "seed"]
    assert job.predictions[columns].to_dict("list") == expected[columns].to_dict("list")
    comparison_text = retrain.reproduced_in_words(job.predictions, stored.predictions, "mlp")
    assert comparison_text.startswith("The stored splits were trained one by one with Keras.")


def test_a_split_of_the_mlp_does_not_depend_on_how_many_there_are(stored, networks):
    # Here the third network is trained alone; in the fixture it was trained beside another.
    few, more = ended(retrain.start(stored, Order("mlp", n_splits=3))).predictions, networks[0].predictions
    assert few["probability"].tolist() == more.loc[more["split"] < 3, "probability"].tolist()


def test_another_seed_and_share_give_other_rows(stored):
    job = ended(retrain.start(stored, Order("knn", seed=7, test_share=0.5, n_splits=2)))
    rows = job.predictions
    assert rows.groupby("split")["role"].value_counts().unique().tolist() == [85]
    assert sorted(rows["seed"].unique()) == [8, 9]
    # A nearest neighbour classifies its training rows correctly.
    truth = (rows["label"] == "covid").astype(float)
    assert (rows["probability"] == truth)[rows["role"] == "train"].all()
    assert not (rows["probability"] == truth).all()


def test_cancelling_ends_the_process_and_keeps_what_is_done(stored):
    job = retrain.start(stored, Order("forest", n_splits=200))
    wait(lambda: job.n_done >= 1)
    job.cancel()
    assert job.state == "cancelled"
    wait(lambda: not alive(job.child.pid))
    assert job.sentence == f"Cancelled after {job.n_done} of 200 splits."
    assert 1 <= job.n_done < 200 and len(job.predictions) == job.n_done * 170
    job.cancel()
    assert job.state == "cancelled" and job.seconds_left is None


def test_cancelling_a_finished_job_changes_nothing(stored):
    job = ended(retrain.start(stored, Order("knn", n_splits=2)))
    job.cancel()
    assert job.state == "done"


def test_a_forgotten_job_is_stopped(stored):
    job = retrain.start(stored, Order("forest", n_splits=200))
    pid = job.child.pid
    assert alive(pid)
    del job
    gc.collect()
    wait(lambda: not alive(pid))


PARENT = """
import sys, time
from coughlab.studies import retrain, store
job = retrain.start(store.StoredStudy(store.MODELS / "kaggle-trial"), retrain.Order("forest", n_splits=200))
print(job.child.pid, flush=True)
time.sleep(600)
"""


def test_a_job_ends_with_its_parent():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait(lambda: not alive(pid))


def test_two_jobs_at_once_do_not_disturb_each_other(stored):
    jobs = [retrain.start(stored, Order("knn", seed=seed, n_splits=20)) for seed in (0, 1)]
    assert len(retrain._running) == 2
    first, second = (ended(job).predictions for job in jobs)
    assert [job.state for job in jobs] == ["done", "done"]
    assert first["role"].tolist() != second["role"].tolist()
    expected = stored.predictions.query("model == 'knn' and split < 5 and protocol == 'published'")[
        "probability"
    ]
    assert first["probability"].tolist()[: len(expected)] == expected.tolist()


def test_there_is_a_limit_to_jobs_at_once(stored, monkeypatch):
    monkeypatch.setattr(retrain, "MAX_JOBS", 1)
    job = retrain.start(stored, Order("forest", n_splits=200))
    with pytest.raises(RetrainError, match=r"^1 trainings are running already"):
        retrain.start(stored, Order("knn"))
    job.cancel()
    wait(lambda: not retrain._running)
    assert ended(retrain.start(stored, Order("knn", n_splits=2))).state == "done"


def test_a_crashed_process_is_reported(stored):
    job = retrain.start(stored, Order("forest", n_splits=200))
    job.child.kill()
    assert ended(job).state == "failed"
    assert job.sentence.startswith("The training stopped before its end.")


def test_a_study_changed_in_the_meantime_is_reported(stored, tmp_path):
    folder = tmp_path / "kaggle-trial"
    folder.mkdir()
    for name in (store.MANIFEST, store.FEATURES):
        (folder / name).write_bytes((stored.folder / name).read_bytes())
    copy = StoredStudy(folder)
    assert len(copy.features) == 170
    (folder / store.FEATURES).write_bytes(b"something else")
    job = ended(retrain.start(copy, Order("knn", n_splits=2)))
    assert job.state == "failed" and "features.parquet was changed" in job.sentence
    assert job.predictions.empty


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (Order("cnn2"), "no model called 'cnn2' that can be trained here"),
        (Order("elm"), "no model called 'elm'"),
        (Order("knn", n_splits=1), "from 2 to 200 splits, not 1"),
        (Order("knn", n_splits=201), "from 2 to 200 splits, not 201"),
        (Order("knn", test_share=0.05), "from 10% to 50%, not 5%"),
        (Order("knn", test_share=0.6), "from 10% to 50%, not 60%"),
        (Order("knn", seed=-1), "seed must be a whole number"),
        (Order("knn", seed=2**31), "seed must be a whole number"),
    ],
)
def test_an_order_that_cannot_be_met_gets_a_sentence(stored, order, sentence):
    with pytest.raises(RetrainError, match=sentence):
        retrain.start(stored, order)


@pytest.mark.parametrize("positives", [0, 1, 3])
def test_both_classes_must_be_on_both_sides(positives):
    labels = (np.arange(60) < positives).astype(int)
    with pytest.raises(RetrainError, match="too few recordings of a class"):
        retrain.split_rows(Order("knn", test_share=0.1), labels)


def test_output_of_a_library_does_not_mix_with_the_messages(stored):
    noisy = (
        "import sys; from coughlab.studies import retrain; from coughlab.system import child\n"
        "work = retrain.work\n"
        "def loud(*a):\n    print('noise'); work(*a)\n"
        "retrain.work = loud; child.main(*sys.argv[1:])"
    )
    arguments = json.dumps([str(stored.folder), {"model": "knn", "n_splits": 2}])
    with subprocess.Popen(
        [sys.executable, "-c", noisy, str(os.getpid()), "coughlab.studies.retrain", arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as process:
        lines = [json.loads(line) for line in process.stdout]
    assert [len(line["rows"]["probability"]) for line in lines if "rows" in line] == [170, 170]


def test_the_server_s_process_stays_free_of_tensorflow():
    code = (
        "import sys\nfrom coughlab.studies import retrain, store\n"
        "job = retrain.start(store.StoredStudy(store.MODELS / 'kaggle-trial'), retrain.Order('mlp', n_splits=2))\n"
        "job.cancel()\nprint(sorted(m for m in ('tensorflow', 'keras', 'streamlit') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_mlp_needs_no_tensorflow_to_train(stored):
    code = (
        "import sys\nfrom coughlab.studies import retrain\n"
        f"retrain.work({str(stored.folder)!r}, dict(model='mlp', n_splits=2), lambda message: None)\n"
        "print(sorted(m for m in ('tensorflow', 'keras', 'streamlit') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
