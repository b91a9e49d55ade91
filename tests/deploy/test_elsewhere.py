"""The app without write access, as in its container, and with a Streamlit without ``st.App``."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import sync_playwright

from coughlab.web import keys
from tests import sounds
from tests.browser.conftest import ARGUMENTS
from tests.conftest import ROOT, missing
from tests.deploy.apps import dockerfile, started, try_sample
from tests.servers import free_port

#: As a container runtime starts the image: read-only files, /tmp and /dev/shm in memory, the rights of user nobody. The files at
#: $1 are mounted at $2, the libraries at $3, the Python at $4, which other users cannot read in root's home.
CONFINED = r"""
set -eu
mount --make-rprivate /
mount --bind "$1" "$2"
mount --bind "$3" "$2/.venv"
case $4 in /root/*)
  mount --bind "$4" /mnt
  mount -t tmpfs -o mode=755 tmpfs /root
  mkdir -p "$4"
  mount --bind /mnt "$4"
  mount -o remount,ro /root
esac
mount -t tmpfs tmpfs /tmp
mount -t tmpfs -o size=1g tmpfs /dev/shm
for place in / "$2" "$2/.venv"; do mount -o remount,bind,ro "$place"; done
cd "$2"
shift 4
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
"""
PLACE = "/srv"


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The files that the Dockerfile copies, except those that .dockerignore excludes."""
    folder = tmp_path_factory.mktemp("image")
    copied = [arguments for arguments in dockerfile()["COPY"] if "requirements.lock" not in arguments]
    for *sources, target in copied:
        if sources[0].startswith("--from"):
            continue
        place = folder / Path(target).relative_to("/opt/coughlab")
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(
                    ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__", ".*", "large")
                )
            else:
                place.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, place)
    (folder / ".venv").mkdir()
    return folder


def test_in_a_container_it_answers_and_writes_nothing(image, browser):
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("setpriv"):
        missing("root and util-linux, for a file system that is read-only")
    key, hashed = keys.new()
    (image / "secrets.toml").write_text(f'[api_keys]\n"ward 3" = "{hashed}"\n')
    (image / "secrets.toml").chmod(0o644)
    image.chmod(0o755)
    port, instructions = free_port(), dockerfile()
    command = [port if part == "8501" else part for part in instructions["CMD"][0]]
    environment = dict(pair.split("=", 1) for pair in instructions["ENV"][0])
    environment["STREAMLIT_SECRETS_FILES"] = f"{PLACE}/secrets.toml"
    confined = ["unshare", "--mount", "sh", "-c", CONFINED, "sh", image, PLACE, sys.prefix, sys.base_prefix]
    with started([*confined, *command], port, env=environment) as url:
        health = httpx.get(f"{url}/api/v1/health").json()
        assert health["ready"] and health["problems"] == []
        upload = {"files": {"file": sounds.with_soundfile("WAV")}}
        assert httpx.post(f"{url}/api/v1/predict", **upload).status_code == 401
        answer = httpx.post(
            f"{url}/api/v1/predict", headers={"Authorization": f"Bearer {key}"}, timeout=60, **upload
        )
        assert answer.json()["cough"]["found"] == 2
        try_sample(browser.new_page(), url)


def test_the_image_is_healthy_when_its_own_check_says_so(app):
    """The health check of the Dockerfile, with a healthy app and without an app."""
    check = dockerfile()["HEALTHCHECK"][0]
    for address, healthy in (
        (app.replace("localhost", "127.0.0.1"), True),
        (f"http://127.0.0.1:{free_port()}", False),
    ):
        command = [sys.executable, *(re.sub("http://127.0.0.1:8501", address, part) for part in check[1:])]
        assert (subprocess.run(command, capture_output=True).returncode == 0) == healthy


def test_pages_work_in_a_streamlit_without_apps(browser):
    port = free_port()
    # The steps of `streamlit run` for a file without an app.
    script = (
        "import streamlit as st; del st.App\n"
        "from streamlit.web import bootstrap\n"
        f"options = {{'server.port': {port}, 'server.address': 'localhost', 'server.headless': True}}\n"
        "bootstrap.load_config_options(options)\n"
        "bootstrap.run('Home.py', False, [], options)\n"
    )
    with started([sys.executable, "-c", script], port, ready="/_stcore/health") as url:
        assert not httpx.get(f"{url}/api/v1/health").headers["Content-Type"].startswith("application/json")
        page = browser.new_page()
        try_sample(page, url)
        page.goto(f"{url}/clinicians")
        page.get_by_role("heading", name="For clinicians").wait_for(timeout=60_000)
