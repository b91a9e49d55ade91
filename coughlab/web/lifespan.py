"""The lifespan of an app: its workers, its log, and the regular release of memory."""

import contextlib
import gc
import inspect
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping

from anyio import create_task_group, sleep, to_thread
from starlette.types import ASGIApp

from coughlab import config
from coughlab.serving import predictors, workers
from coughlab.studies.store import StoreError
from coughlab.system import logs, memory_folder, resources
from coughlab.web import keys
from coughlab.web.endpoint import running, threads
from coughlab.web.uploads import stay_in_memory

#: Interval, in seconds, for ending finished visits and giving back freed memory.
FREE_S = 5

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def answering(
    app: ASGIApp, pool: workers.Pool, known: keys.Keys, free: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """The lifespan of an app with the API: `known` checks the keys, `pool` answers and is closed at the end."""
    resources.no_core_dumps()
    memory_folder.sweep()
    stay_in_memory()
    logs.start()
    running.pool, running.known = pool, known
    async with create_task_group() as tasks:
        tasks.start_soon(_freeing, free)
        yield
        tasks.cancel_scope.cancel()
    pool.close()
    running.pool, running.known = None, keys.OPEN


def with_pages(secrets: Callable[[], Mapping], address: str | None, free: Callable[[], None]) -> Callable:
    """The lifespan of an app with pages that listens at `address` (None: all addresses); also loads the pages' data.

    Every few seconds `free` ends finished visits. SystemExit, with a sentence, if a setting or the secrets are invalid: for
    another exception a server would print a stack trace.
    """
    try:
        config.check()
        known = keys.from_secrets(secrets(), address)
    except (config.SettingError, keys.SecretsError) as error:
        raise SystemExit(f"coughlab: {error}") from None

    @contextlib.asynccontextmanager
    async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
        # A page allocates much short-lived memory, in one thread per visitor, and memory is scarcer than time here.
        resources.mallopt(mmap_threshold=128 * 1024, trim_threshold=2**20, arena_max=2)
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        async with answering(app, workers.shared(), known, free):
            # Not in a separate thread after the server has started: the first visitor would wait longer.
            _prepare_pages()
            yield

    return lifespan


async def _freeing(free: Callable[[], None]) -> None:
    while True:
        await sleep(FREE_S)
        try:
            free()
        except Exception:  # no error here is a reason to end
            _log.exception("Visits that are over could not be freed")
        # Freed uploads and results are scattered over the heap.
        await to_thread.run_sync(resources.trim, limiter=threads("trim", 1))


def _prepare_pages() -> None:
    # Read once, then cached.
    with contextlib.suppress(StoreError):
        study = predictors.default().study
        _ = study.scores, study.features, study.metrics, study.fits, study.trials, study.evidence
    # For the first element of the first page, Streamlit inspects its caller, and Python checks the file of every module: a tenth
    # of a second for the first visitor. The result is cached, so do it now.
    inspect.stack()
    # The loaded objects are permanent; a garbage collection over them would delay all users by a fifth of a second.
    gc.collect()
    gc.freeze()
