"""Recordings stay in memory: no upload is written to the disk or the log, and all are deleted when the visit ends."""

import contextlib
import os
import re
import subprocess
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from coughlab.audio import synthetic
from tests import sounds
from tests.audio.test_archive import zipped
from tests.browser.conftest import playing
from tests.conftest import ROOT, missing
from tests.servers import APP, free_port

NAME = "Zebulon Quist 1953"
NOTE = b"said by Zebulon Quist, ward 12"
#: Unique sound, placed after coughs, so that it is analysed.
NOISE = (np.random.default_rng(1953).uniform(-0.02, 0.02, 24_000) * 2**15).astype("<i2")
SAMPLES = np.concatenate([(sounds.cough() * 2**15).clip(-32768, 32767).astype("<i2"), NOISE])
INFO = (
    b"LIST" + (4 + 8 + len(NOTE)).to_bytes(4, "little") + b"INFOICMT" + len(NOTE).to_bytes(4, "little") + NOTE
)


def recording():
    plain = sounds.wav(SAMPLES.tobytes(), rate=sounds.RATE) + INFO
    return plain[:4] + (len(plain) - 8).to_bytes(4, "little") + plain[8:]


#: A visit ends one second after its page was closed, instead of two minutes.
START = [*APP, "--server.disconnectedSessionTTL", "1"]
MARKS = {
    "its name": re.compile(rb"Zebulon", re.IGNORECASE),
    "its note": re.compile(re.escape(NOTE)),
    "its sound": re.compile(re.escape(NOISE[6_000:6_032].tobytes())),
    "its samples": re.compile(re.escape((NOISE[6_000:6_016] / np.float32(2**15)).astype("<f4").tobytes())),
}


def found(data):
    return [what for what, mark in MARKS.items() if mark.search(data)]


class App:
    """The app with separate folders for everything it may write; its log goes through a pipe, not to a disk."""

    def __init__(self, folder):
        port = free_port()
        self.url = f"http://localhost:{port}"
        self.places = [folder / "home", folder / "temporary"]
        for place in self.places:
            place.mkdir()
        self._process = subprocess.Popen(
            [*START, "--server.port", str(port)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ
            | {"HOME": str(self.places[0]), "TMPDIR": str(self.places[1]), "PYTHONDONTWRITEBYTECODE": "1"}
            | {"COUGHLAB_PAGES_MB": "100"},
        )
        self.log = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as client:
            client.get(f"{self.url}/api/v1/health", timeout=60)

    def _read(self):
        while data := self._process.stdout.read1():
            self.log += data

    def processes(self):
        children, pids = {}, [self._process.pid]
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(folder.name))
        for pid in pids:
            pids += children.get(pid, [])
        return pids

    def written(self):
        """Bytes that its processes have written to disks."""
        return sum(written(pid) for pid in self.processes())

    def files(self):
        """Content of all files in the folders that it may write to, and of its open files without a name."""
        for place in self.places:
            yield from (path for path in place.rglob("*") if path.is_file())
        for pid in self.processes():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):  # it was closed in the meantime
                    if "(deleted)" in os.readlink(link) and link.stat().st_size:  # noqa: PTH115 (it is no path)
                        yield link

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()


def written(pid):
    text = Path(f"/proc/{pid}/io").read_text()
    return int(re.search(r"^write_bytes: (\d+)", text, re.MULTILINE)[1])


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    if not Path("/proc/self/io").exists():
        missing("a system that counts what a process writes")
    before = written(os.getpid())
    (folder / "counted").write_bytes(bytes(2**20))
    if written(os.getpid()) - before < 2**20:
        missing("a disk on which it is counted what a process writes")
    app = App(folder)
    yield app
    app.stop()


@pytest.fixture
def page(launch, private, tmp_path):
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(synthetic.sample())
    browser = launch(*playing(microphone))
    page = browser.new_context(permissions=["microphone"]).new_page()
    page.set_default_timeout(60_000)
    yield page
    browser.close()


def upload(page, name, data):
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": data})


def sent(page):
    expect(page.get_by_test_id("stFileChipName")).to_have_count(1)
    expect(page.get_by_test_id("stFileChipIconSpinner")).to_have_count(0)


def test_uploads_are_neither_on_the_disk_nor_in_the_log_and_end_with_the_visit(private, page):
    data = recording()
    assert set(found(data + NAME.encode())) == set(MARKS) - {"its samples"}
    # Files that are written only once, at the first visit, are written before the measurement.
    page.goto(private.url)
    page.get_by_role("button", name="Try a sample").click()
    expect(page.get_by_text("Download the whole result")).to_be_visible()
    before = private.written()

    files = {"file": (f"{NAME}.wav", data)}
    assert httpx.post(f"{private.url}/api/v1/predict", files=files).json()["label"]
    for bad in (data[: len(data) // 2], b"RIFF" + data, data * 2, NOTE + data):
        httpx.post(f"{private.url}/api/v1/predict?also={NAME}", files={"file": (f"{NAME}.wav", bad)})
        httpx.post(
            f"{private.url}/api/v1/predict", files={f"file {NAME}": bad}, headers={"X-Request-ID": NAME}
        )
    httpx.get(f"{private.url}/api/{NAME}?{NAME}")

    audio = page.get_by_test_id("stAudio").last
    earlier = audio.get_attribute("src")
    upload(page, f"{NAME}.wav", data)
    expect(page.get_by_text(f"{NAME}.wav").first).to_be_visible()
    expect(audio).not_to_have_attribute("src", earlier)
    expect(page.get_by_text("Download the whole result")).to_be_visible()
    expect(audio).to_have_attribute("src", re.compile("/media/"))
    sound = f"{private.url}/media/{audio.get_attribute('src').rpartition('/')[2]}"
    assert httpx.get(sound).is_success
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_test_id("stAudioInputWaveformTimeCode")).to_have_text("00:02")
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text("Your recording")).to_be_visible()

    page.goto(f"{private.url}/batch")
    upload(
        page,
        f"{NAME}.zip",
        zipped((f"{NAME}/a.wav", data), (f"{NAME}/b.wav", data[:-9]), (f"{NAME}.txt", NOTE)),
    )
    sent(page)
    page.get_by_role("button", name="Analyse all").click()
    expect(page.get_by_text("2 files: ")).to_be_visible()

    page.goto(f"{private.url}/audit")
    dataset = [
        (f"{label}/{NAME} {n}.wav", data[: len(data) - 2 * n]) for n in range(6) for label in ("ill", "well")
    ]
    page.get_by_test_id("stButtonGroup").get_by_text("Your own", exact=True).click()
    upload(page, f"{NAME}.zip", zipped(*dataset))
    sent(page)
    page.get_by_role("button", name="Audit", exact=True).click()
    expect(page.get_by_text("Download the report as JSON")).to_be_visible()

    assert {str(path): found(path.read_bytes()) for path in private.files() if found(path.read_bytes())} == {}
    assert found(private.log) == [] and b"Traceback" not in private.log
    # The smallest upload is larger than this.
    assert private.written() - before < len(data) // 2

    page.close()
    for _ in range(200):
        if httpx.get(sound).status_code == 404:
            break
        threading.Event().wait(0.1)
    assert httpx.get(sound).status_code == 404


def test_uploads_of_pages_have_a_limit_and_are_freed_when_the_pages_close(private, page):
    def status():
        address = f"{private.url}/_stcore/upload_file/some/thing"
        # An upload without a declared size reserves the maximum size.
        return httpx.put(address, content=iter([b"x"]), timeout=60).status_code

    def wait_until_there_is_room():
        for _ in range(400):
            if status() != 503:
                break
            threading.Event().wait(0.1)
        assert status() != 503

    wait_until_there_is_room()
    page.goto(f"{private.url}/batch")
    expect(page.get_by_role("button", name="Analyse all")).to_be_visible()
    upload(page, "x.zip", bytes(2**20))
    sent(page)
    assert status() == 503
    page.close()
    wait_until_there_is_room()
