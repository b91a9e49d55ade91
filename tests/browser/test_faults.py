"""The app in a real Chromium while its disk is full and read-only, and while files of its study are not what they were."""

import os
import shutil
import signal
import subprocess

import httpx
import pytest
from playwright.sync_api import expect

from coughlab.audio import synthetic
from coughlab.studies.store import MODELS
from tests import servers
from tests.faults import disks


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A disk with the models; the app can write to no other place."""
    with disks.mounted(tmp_path_factory.mktemp("mounted") / "disk", "64m") as made:
        shutil.copytree(MODELS, made.seen / "models", ignore=shutil.ignore_patterns("large"))
        yield made


@pytest.fixture(scope="module")
def url(disk):
    """Address of an app that was started after its disk had become full and read-only."""
    disk.fill()
    disk.read_only()
    port = servers.free_port()
    places = {"HOME": disk.path, "TMPDIR": disk.path, "COUGHLAB_MODELS": disk.path / "models"}
    process = disk.start(
        *servers.APP,
        "--server.port",
        port,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {name: str(place) for name, place in places.items()},
    )
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=12)) as client:
            client.get(f"http://localhost:{port}/api/v1/health", timeout=60)
        yield f"http://localhost:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_on_a_full_and_read_only_disk_the_app_works_and_health_reports_it(url, page):
    page.goto(url)
    page.get_by_role("button", name="Try a sample").click()
    expect(page.get_by_role("button", name="Download the whole result as JSON")).to_be_visible()
    page.goto(f"{url}/splits?view=retrain&model=knn&train=3")
    page.get_by_role("button", name="Train", exact=False).click()
    expect(page.get_by_text("All 3 splits are done.")).to_be_visible()
    sample = {"file": ("cough.wav", synthetic.sample())}
    assert httpx.post(f"{url}/api/v1/predict", files=sample, timeout=60).status_code == 200
    health = httpx.get(f"{url}/api/v1/health", timeout=60)
    assert health.status_code == 200
    assert [problem["code"] for problem in health.json()["problems"]] == ["disk_full", "disk_read_only"]


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("explore", "kaggle-trial/features.parquet"),
        ("compare", "kaggle-trial/predictions.parquet"),
        ("live", "kaggle-trial/mlp.tflite"),
        ("about", "kaggle-trial/manifest.json"),
    ],
)
def test_a_page_names_a_file_that_is_damaged_until_it_is_back(url, disk, page, path, file):
    disk.read_only(False)
    damaged, manifest = disk.seen / "models" / file, disk.seen / "models/kaggle-trial/manifest.json"
    before = damaged.read_bytes()
    if (disk.seen / disks.BALLAST).exists():
        disk.empty()
    damaged.write_bytes(before[:-5])
    # The app keeps what it has read until the study's manifest changes.
    os.utime(manifest)
    page.goto(f"{url}/{path}")
    alert = page.get_by_role("alert").filter(has_text=file)
    expect(alert).to_contain_text("Restore the folder, or rebuild it with")
    assert page.get_by_text("Traceback").count() == 0
    damaged.write_bytes(before)
    page.reload()
    expect(page.get_by_role("heading").first).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(alert).to_have_count(0)
    assert page.get_by_text("encountered an error").count() == 0
