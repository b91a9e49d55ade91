"""A Chromium, and the pages of the app in it."""

import contextlib
import json
import shutil

from playwright.sync_api import sync_playwright

from shared.run import missing

#: Address of each page, its heading, and a selector of its content, in the order of Home.py.
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
    "privacy": ("Privacy", "text=Cookies"),
}
# In the page: checks in every frame whether the heading and the content are there, and records when that frame was painted. A
# component's content may be in a shadow root. `window.painted` has the two times. Playwright's own wait_for_function would
# evaluate text in the page, which the page's security policy refuses.
WATCH = """(([heading, content]) => window.painted = new Promise((resolve, reject) => {
    const find = (root, selector) => root.querySelector(selector) ?? [...root.querySelectorAll('*')]
        .filter(element => element.shadowRoot).map(element => find(element.shadowRoot, selector)).find(Boolean);
    const shown = [
        () => [...document.querySelectorAll('h1')].some(h1 => h1.textContent === heading && h1.checkVisibility()),
        () => content.startsWith('text=')
            ? document.querySelector('[data-testid=stMain]')?.textContent.includes(content.slice(5))
            : find(document, content)?.clientWidth,
    ];
    const painted = [null, null];
    const look = () => {
        const there = [0, 1].filter(k => painted[k] === null && shown[k]());
        const {port1, port2} = new MessageChannel();
        port1.onmessage = () => {
            there.forEach(k => painted[k] = performance.now());
            if (painted.includes(null)) requestAnimationFrame(look); else resolve(painted);
        };
        port2.postMessage(null);
    };
    requestAnimationFrame(look);
    setTimeout(() => reject(new Error(`"${heading}" and "${content}" are not both there after a minute`)), 60_000);
}))"""


@contextlib.contextmanager
def browser(*arguments):
    """A Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("a browser: install Debian's chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking", *arguments]
        )
        yield chromium
        chromium.close()


def open_page(context, url, address):
    """A page of the app, and the seconds from its address to its heading and to its content, by the page's own clock."""
    page = context.new_page()
    page.add_init_script(f"{WATCH}({json.dumps(PAGES[address])})")
    page.goto(f"{url}/{address}", wait_until="commit")
    return page, *(ms / 1000 for ms in page.evaluate("() => painted"))
