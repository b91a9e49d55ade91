"""What work on a dataset takes, measured in a process of its own: time, and the most memory of it and of its workers.

    python benchmarks/usage.py features|audit DATASET FOLDER OUT JOBS [--warm]

prints one JSON object. `measured` runs that and returns it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from coughlab import datasets
from coughlab.audit import run as auditing
from coughlab.datasets import survey
from coughlab.system import parallel

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
    """Numbers of the processes that work for this one."""
    children = [
        pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    ]
    return [pid for pid in children if b"LokyProcess" in Path("/proc", pid, "cmdline").read_bytes()]


def cpu_s(pid):
    """Seconds of CPU that a running process has spent."""
    fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(what, dataset, out, at, progress):
    if what == "features":
        survey.write_features(dataset, out, engine=at, progress=progress)
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
    with parallel.start(told.jobs) as at:
        if told.warm:
            with tempfile.TemporaryDirectory() as aside:
                run(told.what, replace(dataset, table=dataset.table[:WARM]), aside, at, stages)
            stages = Stages()
        before_s = time.process_time(), sum(map(cpu_s, workers())), time.perf_counter()
        run(told.what, dataset, told.out, at, stages)
        after_s = time.process_time(), sum(map(cpu_s, workers())), time.perf_counter()
        stages.end()
        own_s, workers_s, wall_s = (after - before for after, before in zip(after_s, before_s, strict=True))
    result = {
        "recordings": len(dataset.table),
        "cpu_s": own_s,
        "workers_cpu_s": workers_s,
        "wall_s": wall_s,
        "list_mb": before_mb,
        "peak_mb": peak_mb("self"),
        "workers_mb": [peak_mb(pid) for pid in workers()],
        "out_mb": sum(path.stat().st_size for path in told.out.iterdir()) / 2**20,
        "stages": stages.stages,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
