"""A short load; ``make load`` is the long one."""

import math
import time
from dataclasses import dataclass

import pytest

from coughlab.web import lifespan
from tests.fuzz.server import Server
from tests.load.__main__ import CLIENTS, TOO_MANY, Phase, expected, longest_wait, pages

#: Memory at rest varies by less than this; the load of many clients is more.
SPREAD_MB = 28


@dataclass
class Run:
    """The phases of a run, and the log; megabytes of the app between the phases and at the end."""

    few: Phase
    many: Phase
    log: str
    between: float
    after: float


@pytest.fixture(scope="module")
def run(chromium):
    def rested(goal=0.0):
        """The memory as soon as it is below a goal, or after a timeout."""
        for _ in range(6):
            time.sleep(lifespan.FREE_S)
            if (now := server.memory()[0]) < goal:
                break
        return now

    # The session of a closed page is kept for one second instead of two minutes.
    with (
        Server(STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL="1") as server,
        pages(server.url, chromium) as open_page,
    ):
        asked = expected(server.port)
        few = Phase(server, asked, CLIENTS, 3, open_page, 1)
        between = rested(math.inf)
        many = Phase(server, asked, TOO_MANY, 6, open_page, 1)
        after = rested(between + SPREAD_MB)
        assert server.answers()
        yield Run(few, many, server.log_text(), between, after)


def test_each_request_gets_one_complete_and_correct_answer(run):
    for phase in (run.few, run.many):
        assert phase.faults == []
        assert {outcome.status for outcome in phase.outcomes} <= {200, 503}
        assert len(phase.of(200)) > phase.clients / 4
        assert len(phase.outcomes) >= phase.clients
    assert "Traceback" not in run.log


def test_excess_requests_are_refused_and_the_others_wait_no_longer_than_set(run):
    assert run.few.of(503) == [] and run.many.of(503)
    assert max(run.many.of(200)) < longest_wait()


def test_pages_open_all_the_while(run):
    for phase in (run.few, run.many):
        assert phase.pages and math.inf not in phase.pages


def test_memory_is_freed_after_high_load(run):
    assert max(app for app, _ in run.many.memory) > run.between + 30
    assert run.after < run.between + SPREAD_MB
