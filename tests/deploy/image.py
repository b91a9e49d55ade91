"""The image: podman builds it from the Dockerfile and runs it with the command in its second line: ``make test-image``.

It takes minutes and needs root. Without access to an image registry, debootstrap makes the base image: Debian
with its own Python of the same release.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import time

import httpx
import pytest
from playwright.sync_api import sync_playwright

from coughlab.web import keys
from tests import sounds
from tests.browser.conftest import ARGUMENTS
from tests.conftest import ROOT, missing
from tests.deploy import machine
from tests.deploy.apps import try_sample

NAME, PORT = "coughlab-test", 8501
#: This machine may not raise its limits and has no systemd for podman; the container uses the host's network.
HERE = ["--network", "host", "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
PODMAN = ["podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]
TEXT = (ROOT / "Dockerfile").read_text()


def podman(*command, check=True):
    done = subprocess.run([*PODMAN, *map(str, command)], capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The name of the image."""
    if os.geteuid() or not all(map(shutil.which, ("podman", "buildah", "runc", "debootstrap"))):
        missing("root, and podman, buildah, runc and debootstrap of Debian")
    (base,) = set(re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE))
    base = f"docker.io/library/{base}"
    there = podman("image", "exists", base, check=False).returncode == 0
    if not there and podman("pull", base, check=False).returncode:
        tree = tmp_path_factory.mktemp("base") / "tree"
        machine.base(tree)
        archive = tree.with_name("base.tar")
        subprocess.run(["tar", "-C", tree, "-cf", archive, "."], check=True)
        podman("import", archive, base)
        shutil.rmtree(tree)
        archive.unlink()
    podman(
        "build",
        "--format",
        "docker",
        "--network",
        "host",
        "--isolation",
        "chroot",
        "--pull=never",
        "-t",
        NAME,
        ROOT,
    )
    return NAME


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    key, hashed = keys.new()
    path = tmp_path_factory.mktemp("secrets") / "coughlab.toml"
    path.write_text(f'[api_keys]\n"ward 3" = "{hashed}"\n')
    path.chmod(0o644)
    return key, path


@pytest.fixture(scope="module")
def url(image, key):
    """The address of a running container."""
    (line,) = re.findall(r"^# docker run (.*) coughlab$", TEXT, re.MULTILINE)
    options = shlex.split(line)
    at = options.index("-p")
    assert options[at + 1] == f"{PORT}:{PORT}"
    secrets = ["-v", f"{key[1]}:/run/secrets/coughlab.toml:ro"]
    podman("rm", "--force", NAME, check=False)
    podman("run", "--detach", "--name", NAME, *HERE, *secrets, *options[:at], *options[at + 2 :], image)
    url = f"http://127.0.0.1:{PORT}"
    try:
        while not _answers(url):
            running = podman("inspect", "--format", "{{.State.Running}}", NAME).stdout.strip()
            assert running == "true", podman("logs", NAME).stderr
            time.sleep(0.2)
        yield url
    finally:
        podman("rm", "--force", NAME, check=False)


def _answers(url):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/api/v1/health", trust_env=False).is_success
    return False


def inside(*command, check=True):
    return podman("exec", NAME, *command, check=check)


def test_it_is_healthy_and_its_own_check_says_so(url):
    health = httpx.get(f"{url}/api/v1/health").json()
    assert health["ready"] and health["problems"] == []
    assert podman("healthcheck", "run", NAME).returncode == 0


def test_a_request_with_a_key_is_answered(url, key):
    upload = {"files": {"file": sounds.with_soundfile("WAV")}, "timeout": 60}
    assert httpx.post(f"{url}/api/v1/predict", **upload).status_code == 401
    answer = httpx.post(f"{url}/api/v1/predict", headers={"Authorization": f"Bearer {key[0]}"}, **upload)
    assert answer.json()["cough"]["found"] == 2


def test_a_page_answers(url, chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try_sample(browser.new_page(), url)
        browser.close()


def test_it_runs_as_nobody_without_rights_and_cannot_write(url):
    assert inside("id", "-u").stdout.strip() == "65534"
    status = inside("cat", "/proc/1/status").stdout
    for rights in (r"^CapEff:\s+0+$", r"^NoNewPrivs:\s+1$"):
        assert re.search(rights, status, re.MULTILINE)
    for place in ("/opt/coughlab/x", "/home/x", "/x"):
        assert "Read-only" in inside("touch", place, check=False).stderr


def test_it_ends_on_podman_stop(url):
    podman("stop", "--time", "30", NAME)
    assert podman("inspect", "--format", "{{.State.ExitCode}}", NAME).stdout.strip() == "0"
    logs = podman("logs", NAME)
    assert "Traceback" not in logs.stdout + logs.stderr
