"""Cost of listening: CPU, memory, delay of a mark, and redraws per second.

    python benchmarks/live.py

Processing is measured on sound that is fed faster than real time in pieces of 20 ms, as a browser sends it, with twelve coughs
per minute. The page is measured in a Chromium whose microphone plays a file.
"""

import contextlib
import statistics
import tempfile
import time
from pathlib import Path

from shared.browser import browser, open_page
from shared.process import megabytes
from shared.run import size
from shared.server import app
from shared.table import Row, show

from coughlab import audio, live
from coughlab.audio import synthetic
from coughlab.detector.training import sounds
from coughlab.live.cough_log import KEPT_S
from coughlab.serving import predictors

#: Minutes of sound before the first measurement of memory, when all buffers are full, and until the second.
FILLING, MINUTES = size((int(KEPT_S / 60) + 30, 60), (1, 1))
ASKED = size(20, 1)
#: How long the page listens, and the times of its coughs.
PAGE_S, ONSETS = size((60.0, range(10, 70, 5)), (2.0, range(1, 6)))


def minute(seed=0):
    """A minute of sound: a cough every five seconds, and speech-like sound in half of the pauses."""
    y = synthetic.recording(onsets_s=range(2, 60, 5), duration_s=60.0, seed=seed)
    for k, start in enumerate(range(3, 57, 10)):
        said = sounds.speech(seed=seed + k, duration_s=3.0)
        y[start * synthetic.RATE :][: said.size] += said
    return y


def limited(what, value, unit, limit, more=False):
    show(Row(f"listening: {what}", value, limit, unit, 1, more=more, against="limit"))


def processing():
    predictor, ear, y = predictors.default(), live.Listener(), minute()
    predictor.warm_up()
    before = time.process_time()
    for start in range(0, y.size, 960):
        with ear._work:
            ear._feed(y[start : start + 960], time.time())
    share = (time.process_time() - before) / 60 * 100
    limited("work on a minute of sound with 12 coughs, of one core", share, "%", 30)
    asked = audio.load(ear.wav(1))
    before = time.process_time()
    for _ in range(ASKED):
        predictor.ask(asked)
    print(f"  of it the models, a cough: {1000 * (time.process_time() - before) / ASKED:.1f} ms", flush=True)


def memory():
    """Growth over an hour, once the buffers are full."""
    answers = predictors.default().ask(audio.load(synthetic.sample()))
    ear, y = live.Listener(ask=lambda recording: answers), minute()
    for _ in range(FILLING):
        ear.feed(y, synthetic.RATE)
    before, coughs = megabytes("VmRSS"), ear.total
    for _ in range(MINUTES):
        ear.feed(y, synthetic.RATE)
    what = f"memory after {MINUTES} more minutes with {ear.total - coughs} coughs"
    show(Row(what, megabytes("VmRSS"), before, "MB", 0.95, against=f"after {FILLING} minutes"))


def page():
    """The page while a Chromium's microphone plays coughs."""
    with contextlib.ExitStack() as running:
        path = Path(running.enter_context(tempfile.TemporaryDirectory()), "coughs.wav")
        y = synthetic.recording(onsets_s=ONSETS, duration_s=float(ONSETS[-1] + 5))
        path.write_bytes(audio.encode_wav(y, synthetic.RATE))
        chromium = running.enter_context(
            browser(
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={path}",
            )
        )
        server = running.enter_context(app())
        server.ready()
        tab, *_ = open_page(chromium.new_context(permissions=["microphone"]), server.url, "live")
        start = tab.frame_locator("iframe[title*=webrtc]").get_by_role("button", name="Open the microphone")
        start.click(timeout=60_000)
        clicked = time.perf_counter()
        tab.get_by_text("Listening", exact=True).wait_for(timeout=60_000)
        limited("from the click to the first sound", time.perf_counter() - clicked, "s", 10)
        drawn = "canvas => [Number(canvas.dataset.drawn), performance.now()]"
        first, began = tab.locator("canvas").evaluate(drawn)
        used, then = server.cpu_s(), time.perf_counter()
        tab.wait_for_timeout(1000 * PAGE_S)
        used, took = server.cpu_s() - used, time.perf_counter() - then
        last, ended = tab.locator("canvas").evaluate(drawn)
        limited("redraws", 1000 * (last - first) / (ended - began), "a second", 5, more=True)
        marks = tab.locator(".coughs > li")
        marks.first.wait_for()
        delays = [
            (float(mark.get_attribute("data-shown")) - float(mark.get_attribute("data-ended"))) / 1000
            for mark in marks.all()
        ]
        for name, value in (("median", statistics.median(delays)), ("slowest", max(delays))):
            limited(f"from a cough's end to its mark, {name} of {len(delays)}", value, "s", 0.5)
        print(
            f"  the whole server meanwhile (WebRTC, work, pages): {100 * used / took:.1f} % of one core",
            flush=True,
        )


def main():
    processing()
    memory()
    page()


if __name__ == "__main__":
    main()
