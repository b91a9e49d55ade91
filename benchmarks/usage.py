"""What work on a dataset takes, measured in a process of its own: time, and the most memory of it and of its workers.

    python benchmarks/usage.py features|audit DATASET FOLDER OUT JOBS [--warm]

prints one JSON object. `measured` runs that and returns it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from joblib.externals.loky import get_reusable_executor

from coughlab import auditing, datasets, engine, extraction

#: Recordings that are measured beforehand where the workers are to be warm.
WARM = 256


def measured(what, dataset, folder, out, jobs, *options):
    """Run work in a fresh process: what `main` tells, as a dict."""
    command = [sys.executable, __file__, what, dataset, folder, out, str(jobs), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


class Stages:
    """Seconds of CPU of this process, wall seconds and memory by stage, as far as progress tells of stages."""

    def __init__(self):
        self.stages, self.name = {}, None

    def __call__(self, stage, done, total):
        if stage != self.name:
            self.end()
            self.name, self.started = stage, (time.process_time(), time.perf_counter())

    def end(self):
        if self.name:
            cpu_s, wall_s = time.process_time() - self.started[0], time.perf_counter() - self.started[1]
            self.stages[self.name] = {"cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb("self")}


def peak_mb(process):
    """The most memory that a running process has had, in MB. Unlike getrusage it forgets what was before the program began."""
    lines = Path("/proc", str(process), "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def workers():
    """The most memory of each process that works for this one, in MB."""
    children = [
        pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    ]
    is_worker = {pid: b"LokyProcess" in Path("/proc", pid, "cmdline").read_bytes() for pid in children}
    return [peak_mb(pid) for pid in children if is_worker[pid]]


def run(what, dataset, out, at, progress):
    if what == "features":
        extraction.run(dataset, out, engine=at, progress=progress)
    else:
        auditing.audit(dataset, progress, engine=at, folder=out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("features", "audit"))
    parser.add_argument("dataset")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("jobs", type=int)
    parser.add_argument("--warm", action="store_true", help="start the workers before the clock")
    told = parser.parse_args()
    dataset, stages = datasets.load(told.dataset, told.folder), Stages()
    before_mb = peak_mb("self")
    with engine.start(told.jobs) as at:
        if told.warm:
            with tempfile.TemporaryDirectory() as aside:
                run(told.what, replace(dataset, table=dataset.table[:WARM]), aside, at, stages)
            stages = Stages()
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        run(told.what, dataset, told.out, at, stages)
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        stages.end()
        workers_mb = workers()
    if told.jobs > 1:
        get_reusable_executor().shutdown()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "recordings": len(dataset.table),
        "cpu_s": cpu_s,
        "workers_cpu_s": spent.ru_utime + spent.ru_stime,
        "wall_s": wall_s,
        "list_mb": before_mb,
        "peak_mb": peak_mb("self"),
        "workers_mb": workers_mb,
        "out_mb": sum(path.stat().st_size for path in told.out.iterdir()) / 2**20,
        "stages": stages.stages,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
