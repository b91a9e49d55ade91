"""Trains a classifier again on splits of a study's stored features, in a separate process.

The server's process stays responsive: a job runs in a `coughlab.system.child.Child`, which ends when the job is cancelled or no
longer referenced, or when the server ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coughlab.classifiers import CLASSIFIERS
from coughlab.evaluation import splits
from coughlab.system.child import Child
from coughlab.system.progress import Share
from coughlab.text import counted

if TYPE_CHECKING:
    import pandas as pd

    from coughlab.studies.store import StoredStudy

#: Names of the classifiers that can be trained from the stored feature table in a reasonable time.
MODELS = [c.name for c in CLASSIFIERS.values() if c.input == "features" and c.embed is None]
TEST_SHARES = (0.1, 0.5)
N_SPLITS = (2, 200)
MAX_SEED = 2**31 - 1
#: Jobs that may run at once in one server: each takes a core, and 220 MB of memory.
MAX_JOBS = 4
#: Splits trained together if a classifier supports it: few, so that progress is visible.
TOGETHER = 4


class RetrainError(ValueError):
    """A job cannot be started; the message says why."""


@dataclass(frozen=True)
class Order:
    """A request: one of `MODELS`, and a number of splits; split k is fitted with ``seed + 1 + k``, as in a study."""

    model: str
    seed: int = 0
    test_share: float = splits.TEST_SHARE
    n_splits: int = 5


def split_rows(order: Order, labels: np.ndarray) -> list[splits.Split]:
    """Split rows labelled 0 and 1; `RetrainError` if the order is invalid, or a class is missing on a side of a split."""
    if order.model not in MODELS:
        raise RetrainError(f"There is no model called {order.model!r} that can be trained here.")
    if not N_SPLITS[0] <= order.n_splits <= N_SPLITS[1]:
        raise RetrainError(f"Choose from {N_SPLITS[0]} to {N_SPLITS[1]} splits, not {order.n_splits}.")
    if not TEST_SHARES[0] <= order.test_share <= TEST_SHARES[1]:
        low, high = TEST_SHARES
        raise RetrainError(
            f"The share of test rows must be from {low:.0%} to {high:.0%}, not {order.test_share:.0%}."
        )
    if not 0 <= order.seed <= MAX_SEED:
        raise RetrainError(f"The seed must be a whole number from 0 to {MAX_SEED}.")
    one_sided = RetrainError(
        "There are too few recordings of a class to have both classes in train and in test."
    )
    try:
        rows = splits.published(labels, n_splits=order.n_splits, seed=order.seed, test_share=order.test_share)
    except ValueError as error:
        raise one_sided from error
    if any(len(set(labels[side])) < 2 for sides in rows for side in sides):
        raise one_sided
    return rows


def start(study: StoredStudy, order: Order) -> Job:
    """Start a job; it is cancelled when no reference to it is left.

    Raises
    ------
    RetrainError
        If the order is invalid, or too many jobs are running.
    coughlab.studies.store.StoreError
        If the study cannot be read.
    """
    split_rows(order, study.features["positive"].to_numpy(int))
    with _lock:
        if len(_running) >= MAX_JOBS:
            raise RetrainError(
                f"{MAX_JOBS} trainings are running already, as many as this server takes. Try again when one has ended."
            )
        return Job(study, order)


def reproduced_in_words(made: pd.DataFrame, stored: pd.DataFrame, model: str) -> str:
    """A sentence on how many splits of two predictions tables agree in rows and probabilities, and why; "" if none is in both."""
    stored = stored[(stored["model"] == model) & (stored["protocol"] == "published")]
    stored = stored[stored["split"].isin(made["split"])]
    columns = ["row", "role", "probability"]
    new, old = (
        {split: rows[columns].to_dict("list") for split, rows in table.groupby("split")}
        for table in (made, stored)
    )
    same, shared = sum(new[split] == rows for split, rows in old.items()), len(old)
    if not shared:
        return ""
    if CLASSIFIERS[model].fit_many and not same:
        return (
            "The stored splits were trained one by one with Keras. Here several are trained side by side by the same recipe, but"
            " from other first weights and with the rows in another order: the numbers differ as with another seed."
        )
    return f"{same} of the {shared} splits that are stored too gave exactly the stored probabilities."


class Job:
    """A training in a child process, made by `start`. Its attributes can be read at any time."""

    def __init__(self, study: StoredStudy, order: Order):
        self.order, self._progress = order, _Progress()
        _running.add(self._progress)
        arguments = [str(study.folder.resolve()), asdict(order)]
        try:
            self.child = Child(__name__, arguments, self._progress.take, self._progress.ended)
        except BaseException:
            _running.discard(self._progress)
            raise

    @property
    def state(self) -> str:
        """``running``, ``done``, ``cancelled`` or ``failed``."""
        return self._progress.state

    @property
    def share(self) -> float:
        """Share of the work done, from 0 to 1."""
        return self._progress.share

    @property
    def sentence(self) -> str:
        """A sentence on the present state."""
        done, n = len(self._progress.splits), self.order.n_splits
        if self.state == "running":
            return f"Training: {counted(done, 'split')} of {n} done" if self._progress.share else "Starting …"
        if self.state == "failed":
            return self._progress.failure
        if self.state == "cancelled":
            return f"Cancelled after {done} of {n} splits."
        return f"All {n} splits are done."

    @property
    def seconds_left(self) -> float | None:
        """An estimate of the seconds left; None while it is not known."""
        return self._progress.seconds_left() if self.state == "running" else None

    @property
    def n_done(self) -> int:
        """Number of splits done so far."""
        return len(self._progress.splits)

    @property
    def predictions(self) -> pd.DataFrame:
        """Rows of the predictions table of all splits done so far."""
        import pandas as pd

        from coughlab.studies.training import PREDICTION_COLUMNS

        if not self._progress.splits:
            return pd.DataFrame(columns=PREDICTION_COLUMNS)
        return pd.concat(map(pd.DataFrame, self._progress.splits), ignore_index=True)

    def cancel(self) -> None:
        """Stop training. Finished splits are kept; a job that has ended does not change."""
        self._progress.end("cancelled")
        self.child.kill()
        _running.discard(self._progress)


class _Progress:
    """The messages of the child process so far. Written by one thread, read by others."""

    def __init__(self):
        self.state, self.failure = "running", ""
        self.share, self.splits = 0.0, []
        self._first = None
        self._lock = threading.Lock()

    def take(self, line: dict[str, Any]) -> None:
        if "failed" in line:
            self.fail(line["failed"])
        elif "rows" in line:
            self.splits.append(line["rows"])
        else:
            self.share = line["share"]
            # Measured from the first epoch on, without the imports, which occur only once.
            self._first = self._first or (time.monotonic(), self.share)

    def end(self, state: str) -> None:
        with self._lock:
            if self.state == "running":
                self.state = state

    def ended(self, status: int) -> None:
        _running.discard(self)
        if status:
            self.fail("The training stopped before its end. The server's log may say why.")
        self.end("done")

    def fail(self, sentence: str) -> None:
        self.failure = self.failure or sentence
        self.end("failed")

    def seconds_left(self) -> float | None:
        since, at_first = self._first or (0, 0)
        done = self.share - at_first
        return (time.monotonic() - since) / done * (1 - self.share) if done > 0.01 else None


#: Progress of the jobs that have not ended.
_running: set[_Progress] = set()
_lock = threading.Lock()


def work(folder: str, order: dict, send: Callable[[dict], None]) -> None:
    """The child process's work: train as ordered.

    `order` has the fields of an `Order`. Sends dicts: ``{"share": ...}``; for each finished split its rows of the predictions
    table, ``{"rows": {column: [...]}}``; and ``{"failed": ...}`` if the order is invalid or the study cannot be read.
    """
    from coughlab.studies.store import StoreError

    try:
        _train(folder, Order(**order), send)
    except (RetrainError, StoreError) as error:
        send({"failed": str(error)})


def _train(folder: str, order: Order, send: Callable[[dict], None]) -> None:
    from coughlab.features.acoustic import NAMES
    from coughlab.studies.store import StoredStudy
    from coughlab.studies.training import predictions, roles

    study = StoredStudy(folder)
    table = study.features
    inputs, labels = list(table[list(NAMES)].to_numpy()), table["positive"].to_numpy(int)
    asked = np.arange(len(table))
    for split, seed, test, fitted in _fits(order, inputs, labels, lambda share: send({"share": share})):
        rows = predictions(
            fitted.predict(inputs),
            table,
            asked,
            study=study.name,
            protocol="published",
            model=order.model,
            split=split,
            role=roles(asked, test),
            tested_on=study.name,
            seed=seed,
        )
        send({"rows": rows.to_dict("list")})


def _fits(
    order: Order, inputs: list[np.ndarray], labels: np.ndarray, progress: Share
) -> Iterator[tuple[int, int, np.ndarray, Any]]:
    """For each split its number, seed, test rows and fitted model, as soon as it is ready."""
    classifier, rows = CLASSIFIERS[order.model], split_rows(order, labels)
    together = TOGETHER if classifier.fit_many else 1
    for start in range(0, len(rows), together):
        trains, tests = zip(*rows[start : start + together], strict=True)
        numbers = range(start, start + len(trains))
        seeds = [order.seed + 1 + number for number in numbers]

        def report(share, start=start, trains=trains):
            progress((start + share * len(trains)) / len(rows))

        if classifier.fit_many:
            fitted = classifier.fit_many(inputs, labels, trains, seeds=seeds, progress=report)
        else:
            chosen = [inputs[row] for row in trains[0]]
            fitted = [classifier.fit(chosen, labels[trains[0]], seed=seeds[0], progress=report)]
        yield from zip(numbers, seeds, tests, fitted, strict=True)
        report(1.0)
