"""Waiting times of a user: first paint, the first answer of a cold server, the next answers.

    python benchmarks/first_answer.py

Uses a real Chromium. Every figure is compared to its limit.
"""

import statistics
import time

from shared.browser import browser, open_page
from shared.run import size
from shared.server import app, wav
from shared.table import Row, show

LATER = size((3.1, 4.2, 5.3, 6.4, 7.5), (3.1,))
#: Seconds of pause until the charts of the last answer are drawn.
PAUSE_S, ASKED = size(2, 0.2), size(20, 1)
# In the page, once it is there: `answered` gives the milliseconds from the choice of a file until all answers to it are painted.
# Elements of an earlier run of the page stay for a while, marked as stale.
WATCH = """() => document.addEventListener('change', event => {
    if (event.target.type !== 'file') return;
    const chosen = performance.now(), name = event.target.files[0].name;
    const fresh = '[data-testid=stElementContainer]:not([data-stale=true])';
    const shown = text => [...document.querySelectorAll(fresh)].filter(element => element.textContent.includes(text)).length;
    window.answered = new Promise((resolve, reject) => {
        const look = () => {
            const there = document.querySelector('[data-testid=stText]')?.textContent === name && shown('Says: ') === 3;
            requestAnimationFrame(there ? () => setTimeout(() => resolve(performance.now() - chosen)) : look);
        };
        look();
        setTimeout(() => reject(new Error(`There is no answer to ${name} after a minute.`)), 60_000);
    });
}, true)"""


def upload(page, seconds):
    """Seconds from choosing a file until all answers are on screen."""
    file = {"name": f"{seconds}.wav", "mimeType": "audio/wav", "buffer": wav(seconds)}
    page.locator("input[type=file]").set_input_files(file)
    return page.evaluate("() => answered") / 1000


def limited(what, seconds, limit):
    show(Row(what, seconds, limit, "s", 1, against="limit"))


def main():
    with browser() as chromium, app() as server:
        server.ready()
        page, painted, _ = open_page(chromium.new_context(), server.url, "")
        page.evaluate(WATCH)
        limited("first paint of the page, cold server", painted, 1.5)
        limited("first answer after an upload, cold server", upload(page, 3.5), 2.0)
        later = []
        for seconds in LATER:
            time.sleep(PAUSE_S)
            later.append(upload(page, seconds))
        limited(f"an answer after that, on the page, median of {len(later)}", statistics.median(later), 0.3)
        recording = wav(3.5)
        began = time.perf_counter()
        for _ in range(ASKED):
            server.ask(recording)
        limited(f"an answer as JSON, warm, mean of {ASKED}", (time.perf_counter() - began) / ASKED, 0.3)


if __name__ == "__main__":
    main()
