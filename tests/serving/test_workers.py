"""The worker processes: real ones that answer, are killed, and are closed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from coughlab import audio
from coughlab.audio import synthetic
from coughlab.serving import predictors, workers
from tests import sounds

OPTIONS = {"also": [], "prevalence": 0.05, "force": False}


def recording(seconds):
    return audio.encode_wav(synthetic.recording(duration_s=seconds), synthetic.RATE)


def expected(data, **options):
    return json.loads(json.dumps(predictors.default().predict(predictors.load(data), **options).to_dict()))


@pytest.fixture
def others():
    """Existing workers: those of an app that other tests share."""
    return processes()


@pytest.fixture
def pool(others):
    pool = workers.Pool(2)
    yield pool
    pool.close()


def processes(others=()):
    """The worker processes that this process started, except `others`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"coughlab.serving.worker_process" in (folder / "cmdline").read_bytes() and _of_ours(
                int(folder.name)
            ):
                found.append(int(folder.name))
        except OSError:
            pass  # it has ended in the meantime
    return sorted(set(found) - set(others))


def _of_ours(pid):
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = _parent(pid)
    return False


def _parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


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


def test_errors_in_a_recording_or_a_request_are_reported_as_in_one_process(pool):
    for data in (b"", b"no sound", recording(2.0)[:30], recording(70.0)):
        with pytest.raises(audio.AudioError) as here:
            predictors.load(data)
        with pytest.raises(audio.AudioError) as there:
            pool.answer(data, **OPTIONS)
        assert (there.value.code, str(there.value)) == (here.value.code, str(here.value))
    with pytest.raises(predictors.UnknownModelError, match="model nothing cannot"):
        pool.answer(recording(2.0), **OPTIONS | {"also": ["nothing"]})
    assert json.loads(pool.answer(recording(2.0), **OPTIONS))["label"]


def test_an_internal_error_loses_one_answer_and_is_logged(capfd):
    pool = workers.Pool(1)
    with pytest.raises(workers.WorkerError, match="not with the recording"):
        pool.answer(recording(2.0), **OPTIONS, no_such_option=1)
    logged = capfd.readouterr().err
    assert " error Unexpected error in a worker\nTraceback" in logged and "no_such_option" in logged
    assert json.loads(pool.answer(recording(2.0), **OPTIONS))["label"]
    pool.close()


def test_workers_killed_while_idle_are_replaced_and_no_answer_is_lost(pool, others):
    data = recording(2.0)
    for _ in range(2):
        pool.answer(data, **OPTIONS)
    before = processes(others)
    assert len(before) == 3
    # The workers' parent is killed last, because it reaps them. A process that left `/proc` has closed its sockets.
    parent = next(pid for pid in before if _parent(pid) == os.getpid())
    for pid in [*(set(before) - {parent}), parent]:
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists():
            threading.Event().wait(0.01)
    for _ in range(4):
        assert json.loads(pool.answer(data, **OPTIONS)) == expected(data)
    after = processes(others)
    assert len(after) == 3 and not set(after) & set(before)
    assert pool.replaced == 2


def endless_file(tmp_path):
    """A path of a file that never ends."""
    path = tmp_path / "hangs.wav"
    os.mkfifo(path)
    return path


@contextmanager
def busy_worker(pool, path):
    """A worker that reads a recording that never ends."""
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(pool.load, path)
        # The open call returns when there is a reader; its descriptor is visible a moment later.
        with path.open("wb"):
            while not (readers := [pid for pid in processes() if has_open(pid, path)]):
                threading.Event().wait(0.001)
            yield readers[0], asked


def has_open(pid, path):
    try:
        return any(link.readlink() == path for link in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:  # it was closed in the meantime
        return False


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_worker_that_crashes_loses_one_recording_and_is_replaced(pool, tmp_path, end):
    with busy_worker(pool, endless_file(tmp_path)) as (pid, asked):
        # Other requests are not affected.
        assert json.loads(pool.answer(recording(2.0), **OPTIONS))["label"]
        os.kill(pid, end)
        with pytest.raises(audio.AudioError) as error:
            asked.result()
    assert error.value.code == "undecodable" and pool.replaced == 1
    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(lambda _: pool.answer(recording(2.0), **OPTIONS), range(4)))


def test_a_recording_that_never_ends_is_aborted_without_effect_on_other_requests(
    others, tmp_path, monkeypatch
):
    monkeypatch.setenv("COUGHLAB_ANSWER_S", "1")
    pool = workers.Pool(2)
    pool.answer(recording(2.0), **OPTIONS)
    before = processes(others)
    with pytest.raises(audio.AudioError) as error:
        pool.load(endless_file(tmp_path))
    assert error.value.code == "undecodable" and error.value.message == audio.MESSAGES["undecodable"]
    assert json.loads(pool.answer(recording(2.0), **OPTIONS)) == expected(recording(2.0))
    assert len(set(processes(others)) - set(before)) == 1
    pool.close()


def test_a_stopped_worker_is_replaced_after_a_timeout(others, tmp_path, monkeypatch):
    monkeypatch.setenv("COUGHLAB_ANSWER_S", "1")
    pool = workers.Pool(1)
    pool.answer(recording(2.0), **OPTIONS)
    with busy_worker(pool, endless_file(tmp_path)) as (pid, asked):
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(audio.AudioError, match="took too long"):
            asked.result()
    assert pool.answer(recording(2.0), **OPTIONS)
    os.kill(pid, signal.SIGKILL)
    pool.close()


def test_decoding_has_a_memory_limit(monkeypatch):
    hour = audio.Limits(max_bytes=2**29, max_seconds=3600, max_samples=2**28)
    data = sounds.with_soundfile("FLAC", samples=np.tile(sounds.cough(), 800))
    monkeypatch.setenv("COUGHLAB_WORKER_MB", "128")
    pool = workers.Pool(1)
    with pytest.raises(audio.AudioError) as error:
        pool.load(data, hour)
    assert error.value.code == "undecodable"
    assert pool.answer(recording(2.0), **OPTIONS) and pool.replaced == 0
    pool.close()
    monkeypatch.setenv("COUGHLAB_WORKER_MB", "2048")
    pool = workers.Pool(1)
    assert pool.load(data, hour).duration > 600
    pool.close()


def test_samples_come_back_as_from_this_process(pool, tmp_path):
    path = tmp_path / "cough.flac"
    path.write_bytes(sounds.wav_of(16, size=10**9))
    assert predictors.load(path).remarks
    for source in (path, str(path), path.read_bytes(), memoryview(path.read_bytes())):
        there, here = vars(pool.load(source)), vars(predictors.load(source))
        assert np.array_equal(there.pop("samples"), here.pop("samples")) and there == here
    with pytest.raises(audio.AudioError, match=r"longer than 0\.5 seconds"):
        pool.load(path, audio.Limits(max_seconds=0.5))
    with pytest.raises(audio.AudioError, match="no such file"):
        pool.load(tmp_path / "nothing.wav")


def test_the_queue_has_a_maximum_length_and_a_maximum_wait(others, tmp_path, monkeypatch):
    monkeypatch.setenv("COUGHLAB_QUEUE", "1")
    monkeypatch.setenv("COUGHLAB_WAIT_S", "1")
    pool = workers.Pool(1)
    pool.answer(recording(2.0), **OPTIONS)
    with busy_worker(pool, endless_file(tmp_path)) as (pid, asked), ThreadPoolExecutor(3) as threads:
        found = [threads.submit(pool.answer, recording(2.0), **OPTIONS) for _ in range(3)]
        errors = [one.exception() for one in found]
        assert all(isinstance(error, workers.BusyError) for error in errors)
        assert all(error.retry_after >= 1 and "Try again in" in str(error) for error in errors)
        os.kill(pid, signal.SIGKILL)
        asked.exception()
    assert pool.answer(recording(2.0), **OPTIONS) and pool.admitted == 0
    pool.close()


def test_first_come_first_served():
    idle, served = workers._Idle(), []
    threads = [threading.Thread(target=lambda n=n: served.append((n, idle.acquire()))) for n in range(20)]
    for n, thread in enumerate(threads):
        thread.start()
        while len(idle._waiting) <= n:
            time.sleep(0.001)
    assert idle.acquire(timeout=0.01) is None  # it has left the queue before its turn
    for n, thread in enumerate(threads):
        idle.release(n)
        thread.join()
    assert served == [(n, n) for n in range(20)]
    idle.release("at rest")
    assert idle.acquire() == "at rest"


def test_a_request_without_room_in_the_queue_is_refused_at_once(others, tmp_path, monkeypatch):
    monkeypatch.setenv("COUGHLAB_QUEUE", "0")
    monkeypatch.setenv("COUGHLAB_WAIT_S", "600")
    pool = workers.Pool(1)
    pool.answer(recording(2.0), **OPTIONS)
    with busy_worker(pool, endless_file(tmp_path)) as (pid, asked), ThreadPoolExecutor(1) as thread:
        waits = thread.submit(pool.answer, recording(2.0), **OPTIONS)
        while not pool.admitted:
            threading.Event().wait(0.01)
        with pytest.raises(workers.BusyError):
            pool.answer(recording(2.0), **OPTIONS)
        os.kill(pid, signal.SIGKILL)
        asked.exception()
        assert waits.result()
    pool.close()


def test_memory_is_not_written_to_disk_by_a_crash(pool, others):
    pool.answer(recording(2.0), **OPTIONS)
    for pid in processes(others):
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        assert next(line.split()[4] for line in limits if line.startswith("Max core file size")) == "0"


def test_a_closed_pool_leaves_no_process(others):
    pool = workers.Pool(2)
    pool.answer(recording(2.0), **OPTIONS)
    pool.close()
    while processes(others):
        threading.Event().wait(0.05)


def test_workers_end_with_the_process_that_started_them(others):
    code = f"""
import os, sys
from coughlab import audio
from coughlab.audio import synthetic
from coughlab.serving import workers
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
    assert len(started) == 3
    child.kill()
    child.communicate()
    while any(Path(f"/proc/{pid}").exists() for pid in started):
        threading.Event().wait(0.05)


def test_a_worker_imports_neither_tensorflow_nor_pandas_nor_scipy():
    code = f"""
import sys
from coughlab import audio
from coughlab.audio import synthetic
from coughlab.serving import worker_process
worker_process.respond(audio.encode_wav(synthetic.recording(duration_s=2.0), synthetic.RATE), **{OPTIONS!r})
heavy = {{"tensorflow", "keras", "sklearn", "scipy", "pandas", "pyarrow", "streamlit", "librosa", "joblib"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
