"""The resources of a machine that a process may use."""

import os
import subprocess
import sys

from coughlab.system import resources
from tests.deploy.cage import cage


def resources_of_new_process(**options):
    """Cores, memory and workers as measured by a new process."""
    script = "from coughlab.system import resources; print(resources.cores(), resources.memory_mb(), resources.workers())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, **options
    )
    return [int(number) for number in done.stdout.split()]


def test_workers_are_as_many_as_fit_cores_and_memory():
    # The number of the process keeps runs beside each other apart.
    with cage(f"coughlab-machine-{os.getpid()}") as own:
        for limit, most in ((100, 1), (600, 2), (100_000, 1000)):
            own.limit(limit)
            cores, memory, workers = resources_of_new_process(preexec_fn=own.enter)
            assert cores == resources.cores() and memory == min(limit, resources.memory_mb())
            assert workers == min(cores, most)


def test_cores_are_those_that_a_process_may_use():
    one = min(os.sched_getaffinity(0))
    assert resources_of_new_process(preexec_fn=lambda: os.sched_setaffinity(0, {one}))[0] == 1
