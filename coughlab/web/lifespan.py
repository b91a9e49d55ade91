"""What goes on while an app runs: its workers, its log, and the memory that is given back every few seconds."""

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

#: How often visits that are over are looked for, and freed memory is given back, in seconds.
FREE_S = 5

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def answering(
    app: ASGIApp, pool: workers.Pool, known: keys.Keys, free: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """The lifespan of an app with the API: `pool` answers requests that `known` admits, and is closed at the end."""
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
    """The lifespan of an app that listens at `address` (None: at all): what pages need is read beside what answers need.

    Every few seconds `free` ends visits that are over. SystemExit, with a sentence, if a setting or the secrets hold what they
    cannot: a server would show it in a stack trace.
    """
    try:
        config.check()
        known = keys.from_secrets(secrets(), address)
    except (config.SettingError, keys.SecretsError) as error:
        raise SystemExit(f"coughlab: {error}") from None

    @contextlib.asynccontextmanager
    async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
        # A page makes much that is soon freed, in a thread for each visitor, and here memory is scarcer than time.
        resources.mallopt(mmap_threshold=128 * 1024, trim_threshold=2**20, arena_max=2)
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        async with answering(app, workers.shared(), known, free):
            # Not in a thread of its own once the server listens: the first visitor would wait longer beside it.
            _prepare_pages()
            yield

    return lifespan


async def _freeing(free: Callable[[], None]) -> None:
    while True:
        await sleep(FREE_S)
        try:
            free()
        except Exception:  # whatever it is, it is no reason to end
            _log.exception("Visits that are over could not be freed")
        # What was sent, and what became of it, lies scattered over the heap.
        await to_thread.run_sync(resources.trim, limiter=threads("trim", 1))


def _prepare_pages() -> None:
    # Read once, then kept.
    with contextlib.suppress(StoreError):
        study = predictors.default().study
        _ = study.scores, study.features, study.metrics, study.fits, study.trials, study.evidence
    # At the first element of the first page Streamlit asks where it was called from, and Python then looks at the file of every
    # module there is, a tenth of a second of the first visitor's; what it finds it keeps.
    inspect.stack()
    # What is loaded now stays for good, and to look through it for garbage would hold up everybody by a fifth of a second.
    gc.collect()
    gc.freeze()
