"""How long a person waits for each page of a cold server, and for the numbers that follow a slider.

    python benchmarks/pages.py [address …]

Every page is opened first on a server that has just answered its health check, in a fresh browser context, several times. First
paint is the frame that shows the page's heading; content is the frame that shows the first thing on it that has to be computed,
or the control that the page is about. Both are told by the page's own clock, from the moment the address was entered. Figures are
medians. The goals are first paint, and the sliders; content is printed beside them, since a heading alone is of little use.

A slider's new numbers are computed in the browser. "Ours" is the part of the wait that our JavaScript takes, from the input event
until the page's text has changed; the rest is the browser's, which lays out, paints and waits for the screen.
"""

import json
import statistics
import sys

from app import browser, server, until_up
from table import Row, show

#: Address of each page, its heading, and what its content is known by, in the order of Home.py.
PAGES = {
    "": ("Analyse a cough", "text=Try a sample"),
    "live": ("Live", ".listening canvas"),
    "batch": ("Many recordings at once", "[data-testid=stFileUploader]"),
    "reality": ("Reality check", "text=In plain words"),
    "compare": ("Compare models", "[data-testid=stDataFrame] canvas"),
    "clinicians": ("For clinicians", "input[type=range]"),
    "audit": ("Is this dataset sound?", "text=Not sound"),
    "explore": ("Explore the data", "[data-testid=stMetricValue]"),
    "matrices": ("Matrices", "input[type=range]"),
    "splits": ("Many splits", "text=Split 1"),
    "search": ("Search", "text=Best of"),
    "about": ("About CoughLab", "text=Trained for research"),
}
SLIDERS = {
    "matrices": {"threshold slider of Matrices": "#slider"},
    "clinicians": {
        "threshold slider of For clinicians": "input#threshold",
        "prevalence slider of For clinicians": "input#prevalence",
    },
}
ROUNDS = 3
MOVES = 20
LIMIT_S = 1.5
SLIDER_S, OURS_S = 0.1, 0.03
# In the page: looks in every frame whether the heading and the content are there, and notes when that frame has been painted.
# What a component shows may be in a shadow root.
WATCH = """(([heading, content]) => {
    const find = (root, selector) => root.querySelector(selector) ?? [...root.querySelectorAll('*')]
        .filter(element => element.shadowRoot).map(element => find(element.shadowRoot, selector)).find(Boolean);
    const shown = [
        () => [...document.querySelectorAll('h1')].some(h1 => h1.textContent === heading && h1.checkVisibility()),
        () => content.startsWith('text=')
            ? document.querySelector('[data-testid=stMain]')?.textContent.includes(content.slice(5))
            : find(document, content)?.clientWidth,
    ];
    window.painted = [null, null];
    const look = () => {
        const there = [0, 1].filter(k => painted[k] === null && shown[k]());
        const {port1, port2} = new MessageChannel();
        port1.onmessage = () => there.forEach(k => painted[k] = performance.now());
        port2.postMessage(null);
        if (painted.includes(null)) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""
# In the page: moves the slider, and tells the milliseconds until its handler has changed the text, and until the frame after.
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
    """Seconds to the heading and to the content of a page of a cold server, and of the moves of its sliders."""
    with server() as url:
        until_up(url)
        page = chromium.new_context().new_page()
        page.add_init_script(f"{WATCH}({json.dumps(PAGES[address])})")
        page.goto(f"{url}/{address}", wait_until="commit")
        page.wait_for_function("!painted.includes(null)", polling=100)
        painted, filled = (ms / 1000 for ms in page.evaluate("painted"))
        moves = {}
        for name, selector in SLIDERS.get(address, {}).items():
            page.wait_for_timeout(2000)
            slider = page.locator(selector)
            moves[name] = [[ms / 1000 for ms in slider.evaluate(MOVE)] for _ in range(MOVES)]
        page.context.close()
    return painted, filled, moves


def main(addresses):
    with browser() as chromium:
        # The browser's own first page is slower than all others.
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
    main(sys.argv[1:] or PAGES)
