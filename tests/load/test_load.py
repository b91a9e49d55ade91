"""A short load; ``make load`` is the long one."""

import math
import time

import pytest

from tests.fuzz.server import Server
from tests.load.__main__ import CLIENTS, TOO_MANY, Phase, expected, longest_wait, pages


@pytest.fixture(scope="module")
def phases(chromium):
    """The phases of a run, and its log; memory before and after."""
    with Server() as server, pages(server.url, chromium) as open_page:
        asked = expected(server.port)
        run = [
            Phase(server, asked, CLIENTS, 3, open_page, 1),
            Phase(server, asked, TOO_MANY, 6, open_page, 1),
        ]
        time.sleep(1)
        assert server.answers()
        yield run, server.said()


def test_each_request_gets_one_whole_and_right_answer(phases):
    run, log = phases
    for phase in run:
        assert phase.faults == []
        assert {outcome.status for outcome in phase.outcomes} <= {200, 503}
        assert len(phase.of(200)) > phase.clients / 4
        assert len(phase.outcomes) >= phase.clients
    assert "Traceback" not in log


def test_what_is_too_much_is_sent_away_and_the_others_wait_no_longer_than_set(phases):
    few, many = phases[0]
    assert few.of(503) == [] and many.of(503)
    assert max(many.of(200)) < longest_wait()


def test_pages_open_all_the_while(phases):
    assert all(phase.pages and math.inf not in phase.pages for phase in phases[0])
