"""Measures work on a dataset in a separate process: time, and the most memory of the process and of its workers.

`measured` runs `main` in such a process, which prints one JSON object, and returns that object.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil

from coughlab import datasets
from coughlab.audit import run as auditing
from coughlab.datasets import survey
from coughlab.system import parallel
from shared.process import peak_mb

#: Recordings that are measured beforehand to warm up the workers.
WARM = 256


def measured(what, dataset, folder, out, jobs, *options):
    """Run work in a new process, and return the figures of `main` as a dict."""
    arguments = [what, dataset, folder.absolute(), out.absolute(), str(jobs), *options]
    command = [sys.executable, "-m", "shared.usage", *arguments]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


class Stages:
    """CPU seconds of this process, wall seconds and memory by stage; the stages are those of the progress reports."""

    def __init__(self):
        self.stages, self.name = {}, None

    def __call__(self, stage, done, total):
        if stage != self.name:
            self.end()
            self.name, self.started = stage, (time.process_time(), time.perf_counter())

    def end(self):
        if self.name:
            cpu_s, wall_s = time.process_time() - self.started[0], time.perf_counter() - self.started[1]
            self.stages[self.name] = {"cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb()}


def workers():
    """The worker processes of this process."""
    return [child for child in psutil.Process().children() if "LokyProcess" in " ".join(child.cmdline())]


def workers_cpu_s():
    """CPU seconds of the workers so far."""
    return sum(sum(worker.cpu_times()[:2]) for worker in workers())


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
    arguments = parser.parse_args()
    dataset, stages = datasets.load(arguments.dataset, arguments.folder), Stages()
    before_mb = peak_mb()
    with parallel.start(arguments.jobs) as at:
        if arguments.warm:
            with tempfile.TemporaryDirectory() as aside:
                run(arguments.what, replace(dataset, table=dataset.table[:WARM]), aside, at, stages)
            stages = Stages()
        before_s = time.process_time(), workers_cpu_s(), time.perf_counter()
        run(arguments.what, dataset, arguments.out, at, stages)
        after_s = time.process_time(), workers_cpu_s(), time.perf_counter()
        stages.end()
        own_s, workers_s, wall_s = (after - before for after, before in zip(after_s, before_s, strict=True))
    result = {
        "recordings": len(dataset.table),
        "cpu_s": own_s,
        "workers_cpu_s": workers_s,
        "wall_s": wall_s,
        "list_mb": before_mb,
        "peak_mb": peak_mb(),
        "workers_mb": [peak_mb(worker.pid) for worker in workers()],
        "out_mb": sum(path.stat().st_size for path in arguments.out.iterdir()) / 2**20,
        "stages": stages.stages,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
