"""How long a person waits for each page of a cold server, and for the numbers that follow the threshold slider.

    python benchmarks/pages.py

Every page is opened first on a server just started, in a fresh browser context. First paint is the page's heading, content is
its first number or control. Every figure is printed beside its goal as a ratio: below 1 the goal is met.
"""

import statistics
import time

from app import browser, server, show, until_up

#: Address of each page, its heading, and what its content is known by.
PAGES = {
    "": ("Analyse a cough", "text=Try a sample"),
    "compare": ("Compare models", "[data-testid=stDataFrame]"),
    "explore": ("Explore the data", "[data-testid=stMetricValue]"),
    "matrices": ("Matrices", "input[type=range]"),
    "splits": ("Many splits", "text=Split 1"),
    "search": ("Search", "text=Best of"),
    "about": ("About CoughLab", "text=Trained for research"),
}
# In the page: from the slider's input event until the frame after the numbers have changed.
MOVE = """slider => new Promise(resolve => {
    const root = slider.getRootNode(), text = () => root.textContent || root.body.textContent;
    const before = text(), started = performance.now();
    slider.value = Number(slider.value) + (Number(slider.value) > 0.5 ? -0.37 : 0.25);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    const look = () => text() === before
        ? requestAnimationFrame(look)
        : requestAnimationFrame(() => resolve(performance.now() - started));
    look();
})"""

with browser() as chromium:
    for address, (heading, content) in PAGES.items():
        with server() as url:
            until_up(url)
            page = chromium.new_context().new_page()
            started = time.perf_counter()
            page.goto(f"{url}/{address}")
            page.get_by_role("heading", name=heading, exact=True).wait_for()
            painted = time.perf_counter() - started
            page.locator(content).first.wait_for()
            show(f"first paint of {heading}, cold server", painted, 1.5)
            show(f"content of {heading}, cold server", time.perf_counter() - started, 1.5)
            if address == "matrices":
                time.sleep(2)
                slider = page.locator("input[type=range]").first
                moves = [slider.evaluate(MOVE) / 1000 for _ in range(20)]
                show("threshold slider to new numbers, median of 20", statistics.median(moves), 0.1)
                show("threshold slider to new numbers, slowest of 20", max(moves), 0.1)
            page.context.close()
