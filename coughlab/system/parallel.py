"""Runs work in this process, in several processes of this machine, or on a Dask cluster.

Work is a function and a list of independent arguments, so that each piece can run anywhere and can be repeated if a worker is
lost. The result does not depend on the place: matrix products run in one thread everywhere.
"""

import asyncio
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from coughlab import __version__
from coughlab.system import child, resources

Result = TypeVar("Result")

#: Timeouts for a scheduler to answer, and for its workers to connect, in seconds.
PATIENCE_S, WORKERS_S = 5, 20
#: Attempts to distribute work after processes were lost, if nothing was finished in between.
ATTEMPTS = 3
#: Default number of arguments per message to a worker.
TOGETHER = 16


class EngineError(RuntimeError):
    """Work cannot run on the engine; the message says why and what to do."""


@dataclass(frozen=True)
class Engine:
    """An engine for work, made by `start`: `jobs` processes of this machine, or the Dask cluster of `client`."""

    jobs: int = 1
    client: Any = None

    @property
    def is_here(self) -> bool:
        """Whether all work runs in this process."""
        return self.client is None and self.jobs == 1

    @property
    def together(self) -> int:
        """How many small tasks to send in one message to a worker; 1 in this process, which needs no messages."""
        return 1 if self.is_here else TOGETHER

    def map(
        self, function: Callable[[Any], Result], numbers: Iterable[int], argument: Callable[[int], object]
    ) -> Iterator[tuple[int, Result]]:
        """Pairs of a number and the result of `function` for it: in this process in the order of `numbers`, else in any order.

        `function` is a module-level function, so that a worker can import it. `argument` returns its argument for a number and is
        called shortly before that is sent, so that only current arguments are in memory. EngineError if workers were lost
        repeatedly, or the scheduler was lost.
        """
        left = dict.fromkeys(numbers)
        if self.is_here:
            resources.use_one_thread()
            for number in left:
                yield number, function(argument(number))
            return
        failures = 0
        while left:
            try:
                for number, result in self._handed_out(function, list(left), argument):
                    del left[number]
                    failures = 0
                    yield number, result
            except BrokenExecutor as error:
                failures += 1
                if failures == ATTEMPTS:
                    raise EngineError(
                        f"The processes were ended {ATTEMPTS} times before they had finished anything, perhaps because there"
                        " is too little memory for so many. Try a smaller number of --jobs."
                    ) from error

    def _handed_out(
        self, function: Callable[[Any], Result], numbers: list[int], argument: Callable[[int], object]
    ) -> Iterator[tuple[int, Result]]:
        import joblib  # slow to import, and most work runs here

        # Dask would store a large argument on one worker, and lose it with that worker; inside a tuple it is sent with the task.
        tasks = (joblib.delayed(_work)((function, number, argument(number))) for number in numbers)
        if self.client is None:
            # Each kind of work gets its own processes: Loky ends processes whose memory grows much after their first task, as
            # when TensorFlow is imported late.
            backend = {
                "backend": "loky",
                "n_jobs": min(self.jobs, len(numbers)),
                "initializer": child.belong,
                "initargs": (os.getpid(), function),
            }
        else:
            backend = {"backend": "dask", "client": self.client, "wait_for_workers_timeout": WORKERS_S}
        # After an interrupt, joblib's warning about lost work is not useful.
        warnings.filterwarnings(
            "ignore", r"\d+ tasks (have been successfully executed|which were still being)"
        )
        # If it was started together with the workers, they would receive Ctrl+C again
        # (https://github.com/python/cpython/issues/127586).
        resource_tracker.ensure_running()
        with joblib.parallel_config(**backend), resources.without_ctrl_c():
            results = joblib.Parallel(return_as="generator_unordered", batch_size=1)(tasks)
        try:
            yield from results
        except CancelledError as error:
            raise EngineError(
                "The Dask scheduler went away. Start it again, then the same command: what was finished is kept."
            ) from error
        except Exception as error:
            # The class cannot be imported if distributed is not installed.
            if type(error).__name__ != "KilledWorker":
                raise
            raise EngineError(
                "Several workers were lost over the same piece of work, perhaps because they have too little memory."
            ) from error
        finally:
            results.close()


@contextmanager
def start(jobs: int = 1, dask: str | None = None) -> Iterator[Engine]:
    """Start an engine: `jobs` processes of this machine, or a Dask cluster, given by the address of its scheduler.

    EngineError if there is no such cluster, or if it is not ready for this work.
    """
    if dask is None:
        yield Engine(jobs)
        return
    client = _connected(dask)
    try:
        _check_workers(client, dask)
        yield Engine(client=client)
    finally:
        with suppress(Exception):
            client.close(timeout=PATIENCE_S)


def _connected(address: str) -> Any:
    try:
        import distributed
    except ImportError:
        raise EngineError(
            "--dask needs the package distributed, which is not installed. Install it with 'pip install distributed', here and"
            " on every worker, or use --jobs."
        ) from None
    # The loss of a worker or of the scheduler is reported by EngineError.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        # A client without a scheduler logs another error when it is deleted, so a connection is tried first.
        asyncio.run(_knock(address))
        return distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(
            f"No Dask scheduler answers at {address}. Start one with 'dask scheduler', and give its address as in"
            " tcp://10.0.0.1:8786."
        ) from error


async def _knock(address: str) -> None:
    from distributed import comm

    await (await comm.connect(address, timeout=PATIENCE_S)).close()


def _check_workers(client: Any, address: str) -> None:
    start = f"'dask worker {address} --nworkers N --nthreads 1'"
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError:
        raise EngineError(
            f"The Dask scheduler at {address} has no workers. Start some with {start}."
        ) from None
    if max(client.nthreads().values()) > 1:
        # TensorFlow has one seed for all threads of a process.
        raise EngineError(
            f"Workers of {address} have several threads, which would disturb each other. Start them with {start}."
        )
    remedy = f"Install CoughLab {__version__} on every worker."
    try:
        versions = set(client.run(_version).values())
    except Exception as error:  # a worker that lacks a package may raise any error
        raise EngineError(f"A worker of {address} cannot do this work: {error}. {remedy}") from error
    if versions != {__version__}:
        others = ", ".join(sorted(versions - {__version__}))
        raise EngineError(f"Workers of {address} have another version of CoughLab: {others}. {remedy}")


def _version() -> str:
    return __version__


def _work(task: tuple[Callable[[Any], Result], int, object]) -> tuple[int, Result]:
    import joblib

    function, number, argument = task
    resources.use_one_thread()
    # This is already a part of the work: scikit-learn must not split it again.
    with joblib.parallel_config("sequential"):
        return number, function(argument)
