"""The app under load: ``python -m tests.load --minutes 10``.

Sixteen clients post recordings one after another while pages are open in a browser; then ten times as many do. After a 503,
clients wait for its Retry-After time. Everything runs on one machine, so clients and browser also use its cores.
"""

import argparse
import collections
import math
import os
import statistics
import time
from contextlib import contextmanager

from playwright.sync_api import TimeoutError, sync_playwright

from coughlab import config
from tests.fuzz.server import Server
from tests.load.clients import Clients, ask, multipart, recordings

CLIENTS, TOO_MANY = 16, 160
#: Pages that stay open, and one that is opened repeatedly; each with a text that it shows when it is loaded.
OPEN = {"": "Try a sample", "reality": "In plain words", "compare": "Compare models"}
OPENED = ("matrices", "Matrices")
#: The interval in which memory is measured and the page is opened.
EVERY_S = 5.0
#: A page that is not loaded after this time counts as failed.
PAGE_S = 60
#: Streamlit keeps the session of a closed page for two minutes.
SESSION_S = 150


@contextmanager
def pages(url, chromium):
    """Open pages in a browser; gives a function that opens one more.

    It returns the seconds until that page is loaded, or infinity if it fails.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for address, text in OPEN.items():
            page = browser.new_context().new_page()
            page.goto(f"{url}/{address}")
            page.get_by_text(text).first.wait_for(timeout=120_000)

        def open_one():
            context = browser.new_context()
            page, (address, text), seen = context.new_page(), OPENED, []
            page.on("console", lambda message: seen.append(message.text))
            page.on("requestfailed", lambda request: seen.append(f"{request.url}: {request.failure}"))
            start = time.monotonic()
            try:
                page.goto(f"{url}/{address}", timeout=PAGE_S * 1000)
                page.get_by_role("heading", name=text).wait_for(timeout=PAGE_S * 1000)
                seconds = time.monotonic() - start
            except TimeoutError:
                seconds = math.inf
                print(f"A page that is not there: {page.inner_text('body')!r}, {seen[-20:]}", flush=True)
            context.close()
            return seconds

        yield open_one
        browser.close()


def expected(port):
    """Request bodies and their answers without other load."""
    bodies = [multipart(data) for data in recordings()]
    return [(body, ask(port, body)[2]) for body in bodies]


class Phase:
    """The measurements during one phase of load.

    Attributes
    ----------
    outcomes : list of tests.load.clients.Outcome
    pages : list of float
        Seconds until a page was loaded.
    memory : list of tuple of float
        Megabytes of the app and of its workers.
    """

    def __init__(self, server, asked, clients, seconds, open_page, every=EVERY_S):
        self.clients, self.seconds = clients, seconds
        self.pages, self.memory = [], []
        asking = Clients(server.port, asked, clients, seconds)
        while asking.running():
            start = time.monotonic()
            self.pages.append(open_page())
            self.memory.append(server.memory())
            time.sleep(max(0.0, start + every - time.monotonic()))
        self.outcomes = asking.outcomes()

    def of(self, status):
        """Seconds of all answers of a status, sorted."""
        return sorted(outcome.seconds for outcome in self.outcomes if outcome.status == status)

    @property
    def faults(self):
        """Faults of answers: lost, wrong, or neither 200 nor 503."""
        return [outcome.fault for outcome in self.outcomes if outcome.fault]

    def report(self):
        """A summary as text."""
        statuses = collections.Counter(str(outcome.status) for outcome in self.outcomes)
        lines = [
            f"{self.clients} clients for {self.seconds:.0f} s: {len(self.outcomes):,} requests; "
            + ", ".join(f"{status} {n:,}" for status, n in sorted(statuses.items()))
        ]
        for status in (200, 503):
            if seconds := self.of(status):
                lines.append(f"  {status}: {_spread(seconds)}; {len(seconds) / self.seconds:.1f} a second")
        lines.append(f"  {OPENED[1]}, opened {len(self.pages)} times: {_spread(sorted(self.pages))}")
        lines.append(f"  memory at most {_memory_text(max(self.memory, key=sum))}")
        lines += [
            f"  wrong: {fault} ({n} times)" for fault, n in collections.Counter(self.faults).most_common(5)
        ]
        return "\n".join(lines)


def _spread(seconds):
    late = seconds[int(0.99 * (len(seconds) - 1))]
    return f"median {statistics.median(seconds):.2f} s, 99 of 100 within {late:.2f} s, longest {seconds[-1]:.2f} s"


def _memory_text(memory):
    return f"{memory[0]:.0f} MB of the app and {memory[1]:.0f} MB of its workers"


def longest_wait():
    """The maximum seconds to an answer by the settings: the wait in the queue plus one answer."""
    return config.value("COUGHLAB_WAIT_S") + config.value("COUGHLAB_ANSWER_S")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10, help=f"how long {CLIENTS} clients ask")
    parser.add_argument("--too-many-minutes", type=float, default=2, help=f"how long {TOO_MANY} clients ask")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    with Server() as server, pages(server.url, arguments.chromium) as open_page:
        asked = expected(server.port)
        warm = Phase(server, asked, CLIENTS, 20, open_page)
        time.sleep(10)
        before = server.memory()
        print(
            f"{os.cpu_count()} cores, for the app, the clients and the browser together. Before: {_memory_text(before)}."
        )
        phases = []
        for clients, minutes in ((CLIENTS, arguments.minutes), (TOO_MANY, arguments.too_many_minutes)):
            phases.append(Phase(server, asked, clients, 60 * minutes, open_page))
            print(phases[-1].report(), flush=True)
        time.sleep(SESSION_S)
        print(f"{SESSION_S} s later: {_memory_text(server.memory())}.")
        if traces := "Traceback" in server.log_text():
            print(f"In the log: {server.log_text()[-3000:]}")
    raise SystemExit(traces or any(phase.faults or math.inf in phase.pages for phase in (warm, *phases)))


if __name__ == "__main__":
    main()
