"""How long a person waits: first paint, the first answer of a cold server, the next answers.

    python benchmarks/first_answer.py

It drives a real Chromium. Every figure is printed beside its goal as a ratio: below 1 the goal is met.
"""

import statistics
import time

import httpx
from app import browser, server, show, until_up

from coughlab import audio
from coughlab.audio import synthetic


def recording(seconds):
    return audio.encode_wav(synthetic.recording(duration_s=seconds), synthetic.RATE)


# In the page: from the choice of a file until all answers to it are painted, the old ones having gone.
WATCH = """
const watch = {chosen: null, gone: false, answered: null};
window.watch = watch;
document.addEventListener('change', event => {
    if (event.target.type === 'file') Object.assign(watch, {chosen: performance.now(), gone: false, answered: null});
}, true);
new MutationObserver(() => {
    const answers = document.querySelectorAll('[data-testid=stProgress]').length;
    if (answers === 0) watch.gone = true;
    if (answers === 3 && watch.gone && watch.chosen !== null && watch.answered === null) {
        watch.answered = 0;
        requestAnimationFrame(() => setTimeout(() => { watch.answered = performance.now() - watch.chosen; }));
    }
}).observe(document, {subtree: true, childList: true});
"""


def upload(page, seconds):
    """Seconds from choosing a file until all answers are on screen."""
    file = {"name": f"{seconds}.wav", "mimeType": "audio/wav", "buffer": recording(seconds)}
    page.locator("input[type=file]").set_input_files(file)
    return page.wait_for_function("watch.chosen && watch.answered").json_value() / 1000


with browser() as chromium, server() as url:
    page = chromium.new_page()
    page.add_init_script(WATCH)
    until_up(url)
    started = time.perf_counter()
    page.goto(url)
    page.get_by_role("heading", name="Analyse a cough").wait_for()
    show("first paint of the page, cold server", time.perf_counter() - started, 1.5)
    show("first answer after an upload, cold server", upload(page, 3.5), 2.0)
    later = []
    for seconds in (3.1, 4.2, 5.3, 6.4, 7.5):
        time.sleep(2)  # until the charts of the last one are drawn, as a person would
        later.append(upload(page, seconds))
    show("an answer after that, on the page, median of 5", statistics.median(later), 0.3)
    data = recording(3.5)
    started = time.perf_counter()
    for _ in range(20):
        httpx.post(f"{url}/api/v1/predict", files={"file": data}).raise_for_status()
    show("an answer as JSON, warm, mean of 20", (time.perf_counter() - started) / 20, 0.3)
