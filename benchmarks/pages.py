"""Waiting times of a user for each page of a cold server, and for the numbers that follow a slider.

    python benchmarks/pages.py [address …]

Every page is opened first on a server that has just answered its health check, in a fresh browser context, several times. First
paint is the frame that shows the page's heading. Content is the frame that shows the first computed element, or the page's main
control. Both are measured by the page's own clock, from the moment the address is entered. Figures are medians. There are goals
for first paint and for the sliders; content is printed too, because a heading alone is not useful.

A slider's new numbers are computed in the browser. "Ours" is the part of the wait that our JavaScript takes, from the input event
until the page's text has changed; the rest is the browser's layout, painting and waiting for the screen.
"""

import statistics
import sys

from shared.browser import PAGES, browser, open_page
from shared.run import size
from shared.server import app
from shared.table import Row, show

SLIDERS = {
    "matrices": {"threshold slider of Matrices": "#slider"},
    "clinicians": {
        "threshold slider of For clinicians": "input#threshold",
        "prevalence slider of For clinicians": "input#prevalence",
    },
}
ADDRESSES = size(tuple(PAGES), ("clinicians",))
ROUNDS, MOVES = size(3, 1), size(20, 1)
LIMIT_S = 1.5
SLIDER_S, OURS_S = 0.1, 0.03
#: Seconds of pause before a page's sliders are moved.
SETTLED_MS = size(2000, 500)
# In the page: moves the slider, and returns the milliseconds until its handler has changed the text, and until the next frame.
MOVE = """slider => new Promise((resolve, reject) => {
    const root = slider.getRootNode(), text = () => root.textContent || root.body.textContent;
    const [low, high] = [Number(slider.min), Number(slider.max)];
    const share = (Number(slider.value) - low) / (high - low), before = text();
    slider.value = low + (share + (share > 0.5 ? -0.37 : 0.25)) * (high - low);
    const started = performance.now();
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    const ours = performance.now() - started;
    if (text() === before) reject(new Error('the numbers did not follow the slider'));
    requestAnimationFrame(() => requestAnimationFrame(() => resolve([ours, performance.now() - started])));
})"""


def opened(chromium, address):
    """Seconds to the heading and to the content of a page of a cold server, and seconds of its sliders' moves."""
    with app() as server:
        server.ready()
        page, painted, filled = open_page(chromium.new_context(), server.url, address)
        moves = {}
        for name, selector in SLIDERS.get(address, {}).items():
            page.wait_for_timeout(SETTLED_MS)
            slider = page.locator(selector)
            moves[name] = [[ms / 1000 for ms in slider.evaluate(MOVE)] for _ in range(MOVES)]
        page.context.close()
    return painted, filled, moves


def main(addresses):
    with browser() as chromium:
        # The first page of a browser is slower than all others.
        chromium.new_page().goto("data:text/html,<h1>Ready</h1>")
        for address in addresses:
            heading = PAGES[address][0]
            rounds = [opened(chromium, address) for _ in range(ROUNDS)]
            painted, filled = (statistics.median(one[k] for one in rounds) for k in (0, 1))
            show(Row(f"first paint of {heading}, cold server", painted, LIMIT_S, "s", 1, against="limit"))
            slowest = max(one[1] for one in rounds)
            print(f"content of {heading}, cold server: {filled:.2f} s; slowest {slowest:.2f} s", flush=True)
            for name in SLIDERS.get(address, {}):
                moves = [move for *_, moves in rounds for move in moves[name]]
                ours, whole = zip(*moves, strict=True)
                limits = ((f"{name} to new numbers", whole, SLIDER_S), (f"{name}, ours", ours, OURS_S))
                for what, seconds, limit in limits:
                    show(Row(what, statistics.median(seconds), limit, "s", 1, against="limit"))
                    print(f"  slowest of {len(seconds)}: {max(seconds):.4f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ADDRESSES)
