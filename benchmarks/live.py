"""What listening costs: processor, memory, the delay of a mark and how often the picture moves.

    python benchmarks/live.py

Processing is measured on sound fed faster than real time in pieces of 20 ms, as a browser sends it, with twelve coughs a minute;
the page in a Chromium whose microphone plays a file. Every figure is printed beside its goal as a ratio: below 1 the goal is met.
"""

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from app import server, until_up
from playwright.sync_api import sync_playwright

from coughlab import audio, live
from coughlab.audio import synthetic
from coughlab.detector.training import sounds
from coughlab.live.cough_log import KEPT_S
from coughlab.serving import predictors

HOURS = float(os.environ.get("COUGHLAB_HOURS", "1"))
ONSETS = tuple(range(10, 70, 5))


def show(what, value, unit, goal, more_is_better=False):
    ratio = goal / value if more_is_better else value / goal
    print(f"{what:68} {value:8.3f} {unit:5} goal {goal:g} {unit}   ratio {ratio:.2f}", flush=True)


def memory_mb():
    """What this process holds in memory now."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def processor_s(port):
    """Seconds of processor that the server at a port has used."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().split(b"\0")
            if b"run" in line and str(port).encode() in line and b"make" not in line[0]:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            pass  # it has ended meanwhile
    raise RuntimeError(f"There is no server at port {port}.")


def minute(seed=0):
    """A minute of sound: a cough every five seconds, and speech-like sound in half of the pauses."""
    y = synthetic.recording(onsets_s=range(2, 60, 5), duration_s=60.0, seed=seed)
    for k, start in enumerate(range(3, 57, 10)):
        said = sounds.speech(seed=seed + k, duration_s=3.0)
        y[start * synthetic.RATE :][: said.size] += said
    return y


def processing():
    predictor, ear, y = predictors.default(), live.Listener(), minute()
    predictor.warm_up()
    before = time.process_time()
    feed(ear, y)
    show(
        "work on a minute of sound with 12 coughs, of one core",
        (time.process_time() - before) / 60 * 100,
        "%",
        30,
    )
    asked = audio.load(ear.wav(1))
    before = time.process_time()
    for _ in range(20):
        predictor.ask(asked)
    print(
        f"{'of it the models, a cough':68} {1000 * (time.process_time() - before) / 20:8.1f} ms", flush=True
    )


def feed(ear, y, piece=960):
    for start in range(0, y.size, piece):
        with ear._work:
            ear._feed(y[start : start + piece], time.time())


def memory():
    """Growth over hours, once the sound that is kept is full."""
    answers = predictors.default().ask(audio.load(synthetic.sample()))
    ear, y = live.Listener(ask=lambda recording: answers), minute()
    for _ in range(int(KEPT_S / 60) + 30):
        ear.feed(y, synthetic.RATE)
    before, coughs = memory_mb(), ear.total
    for _ in range(round(60 * HOURS)):
        ear.feed(y, synthetic.RATE)
    grown, heard = memory_mb() - before, ear.total - coughs
    print(f"{'memory after the first half hour':68} {before:8.1f} MB", flush=True)
    print(f"{f'its growth in {HOURS:g} more hours with {heard} coughs':68} {grown:8.1f} MB", flush=True)


def page():
    """The page while a Chromium's microphone plays a minute of coughs."""
    with tempfile.TemporaryDirectory() as folder, server() as url, sync_playwright() as playwright:
        path = Path(folder) / "coughs.wav"
        y = synthetic.recording(onsets_s=ONSETS, duration_s=75.0)
        path.write_bytes(audio.encode_wav(y, synthetic.RATE))
        until_up(url)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={path}%noloop",
            ],
        )
        tab = browser.new_context(permissions=["microphone"]).new_page()
        tab.goto(f"{url}/live")
        start = tab.frame_locator("iframe[title*=webrtc]").get_by_role("button", name="Open the microphone")
        start.click(timeout=60_000)
        clicked = time.perf_counter()
        tab.get_by_text("Listening", exact=True).wait_for(timeout=60_000)
        show("from the click to the first sound", time.perf_counter() - clicked, "s", 10)
        drawn = "canvas => [Number(canvas.dataset.drawn), performance.now()]"
        first, began = tab.locator("canvas").evaluate(drawn)
        port = int(url.rpartition(":")[2])
        used, then = processor_s(port), time.perf_counter()
        tab.wait_for_timeout(60_000)
        used, took = processor_s(port) - used, time.perf_counter() - then
        last, ended = tab.locator("canvas").evaluate(drawn)
        show("redraws a second", 1000 * (last - first) / (ended - began), "/s", 5, more_is_better=True)
        delays = [
            (float(row.get_attribute("data-shown")) - float(row.get_attribute("data-ended"))) / 1000
            for row in tab.locator(".coughs > li").all()
        ]
        show(f"from a cough's end to its mark, median of {len(delays)}", statistics.median(delays), "s", 0.5)
        show(f"from a cough's end to its mark, slowest of {len(delays)}", max(delays), "s", 0.5)
        print(
            f"{'the whole server meanwhile (WebRTC, work, pages), of one core':68} {100 * used / took:8.1f} %",
            flush=True,
        )
        browser.close()


if __name__ == "__main__":
    processing()
    page()
    memory()
