"""The processes that answer: real ones, asked, killed and closed."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from coughlab import audio, serving, synthetic, workers

OPTIONS = {"also": [], "prevalence": 0.05, "force": False}


def recording(seconds):
    return audio.encode_wav(synthetic.recording(duration_s=seconds), synthetic.RATE)


def expected(data, **options):
    return json.loads(json.dumps(serving.default().predict(serving.load(data), **options).to_dict()))


@pytest.fixture
def others():
    """Workers that are there before: those of an app that other tests share."""
    return processes()


@pytest.fixture
def pool(others):
    pool = workers.Pool(2)
    yield pool
    pool.close()


def processes(others=()):
    """The workers among the processes of this machine that this one started, but for others."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"coughlab.workers" in (folder / "cmdline").read_bytes() and _of_ours(int(folder.name)):
                found.append(int(folder.name))
        except OSError:
            pass  # it has ended meanwhile
    return sorted(set(found) - set(others))


def _of_ours(pid):
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def test_they_answer_as_the_predictor_does(pool):
    files = [recording(seconds) for seconds in (2.0, 3.5, 5.0, 7.0)] * 2
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda data: json.loads(pool.answer(data, **OPTIONS)), files))
    assert answers == [expected(data) for data in files]


def test_options_reach_them(pool):
    hum = audio.encode_wav(0.1 * np.sin(np.arange(48_000) * 0.05), 48_000)
    assert json.loads(pool.answer(hum, **OPTIONS))["label"] is None
    forced = json.loads(pool.answer(hum, **OPTIONS | {"force": True, "prevalence": 0.3}))
    assert forced == expected(hum, force=True, prevalence=0.3)


def test_what_is_wrong_with_a_recording_or_a_question_is_told_as_in_one_process(pool):
    for data in (b"", b"no sound", recording(2.0)[:30], recording(70.0)):
        with pytest.raises(audio.AudioError) as here:
            serving.load(data)
        with pytest.raises(audio.AudioError) as there:
            pool.answer(data, **OPTIONS)
        assert (there.value.code, str(there.value)) == (here.value.code, str(here.value))
    with pytest.raises(serving.UnknownModelError, match="no model nothing"):
        pool.answer(recording(2.0), **OPTIONS | {"also": ["nothing"]})
    assert json.loads(pool.answer(recording(2.0), **OPTIONS))["label"]


def test_a_fault_of_its_own_costs_one_answer(pool):
    with pytest.raises(workers.WorkerError, match="no_such_option"):
        pool.answer(recording(2.0), **OPTIONS, no_such_option=1)
    assert json.loads(pool.answer(recording(2.0), **OPTIONS))["label"]


def test_a_worker_that_is_killed_costs_one_answer_at_most_and_is_replaced(pool, others):
    data = recording(2.0)
    for _ in range(2):
        pool.answer(data, **OPTIONS)
    before = processes(others)
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    lost = 0
    for _ in range(4):
        try:
            assert json.loads(pool.answer(data, **OPTIONS)) == expected(data)
        except workers.WorkerError:
            lost += 1
    assert lost <= 2
    after = processes(others)
    assert len(after) == 2 and not set(after) & set(before)


def test_a_closed_pool_leaves_no_process(others):
    pool = workers.Pool(2)
    pool.answer(recording(2.0), **OPTIONS)
    pool.close()
    while processes(others):
        threading.Event().wait(0.05)


def test_they_end_with_the_process_that_started_them(others):
    code = f"""
import os, sys
from coughlab import audio, synthetic, workers
pool = workers.Pool(2)
pool.answer(audio.encode_wav(synthetic.recording(duration_s=2.0), synthetic.RATE), **{OPTIONS!r})
print("answered", flush=True)
sys.stdin.read()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "answered\n"
    started = processes(others)
    assert len(started) == 2
    child.kill()
    child.communicate()
    while any(Path(f"/proc/{pid}").exists() for pid in started):
        threading.Event().wait(0.05)


def test_a_worker_knows_neither_tensorflow_nor_pandas_nor_scipy():
    code = f"""
import sys
from coughlab import audio, synthetic, workers
workers.respond(audio.encode_wav(synthetic.recording(duration_s=2.0), synthetic.RATE), **{OPTIONS!r})
heavy = {{"tensorflow", "keras", "sklearn", "scipy", "pandas", "pyarrow", "streamlit", "librosa", "joblib"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
