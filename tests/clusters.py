"""A real Dask cluster on this machine: a scheduler and its workers, each in a separate process."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from tests.conftest import ROOT


@contextmanager
def cluster(folder, n_workers=2):
    """Address of a scheduler, and its worker processes in an order in which they may be killed."""
    scheduler_file = folder / "scheduler.json"
    quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = (sys.executable, "-m", "dask")
    alone = ("--host", "127.0.0.1", "--no-dashboard")
    scheduler = [*dask, "scheduler", "--port", "0", "--scheduler-file", scheduler_file, *alone]
    processes = [subprocess.Popen(scheduler, **quiet)]
    try:
        while not scheduler_file.exists() or not scheduler_file.read_text():
            assert processes[0].poll() is None, "the scheduler did not start"
            time.sleep(0.05)
        address = json.loads(scheduler_file.read_text())["address"]
        # No nanny: a killed worker is not restarted.
        worker = [
            *dask,
            "worker",
            address,
            "--nthreads",
            "1",
            "--no-nanny",
            *alone,
            "--local-directory",
            folder,
        ]
        processes += [subprocess.Popen(worker, **quiet) for _ in range(n_workers)]
        yield address, processes[1:]
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
