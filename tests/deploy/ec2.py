"""``deploy/ec2/cloud-init.yaml`` sets up the service on a fresh machine; releases change under load: ``make test-deploy``.

It takes minutes and needs root, so ``make test`` does not run it.
"""

import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from coughlab.audio import synthetic
from tests import sounds
from tests.browser.conftest import ARGUMENTS, playing
from tests.conftest import ROOT, missing
from tests.deploy import machine

#: A name for which Caddy uses its own certificate authority, not a public one.
DOMAIN = "cough.local"
#: A cache of the downloaded packages.
CACHE = Path.home() / ".cache/coughlab-deploy"
PYTHON = "cd /opt/coughlab/slots/*/ && .venv/bin/python"
ANSWERED = "Says: "
CLIENTS = 3
#: File systems that are not on a disk.
IN_MEMORY = {"tmpfs", "ramfs", "proc", "devpts", "mqueue", "hugetlbfs", "fusectl"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the current commit as its branch main."""
    bare = tmp_path_factory.mktemp("repository") / "coughlab.git"
    _git("clone", "--quiet", "--bare", ROOT, bare)
    _git("-C", bare, "update-ref", "refs/heads/main", _git("-C", ROOT, "rev-parse", "HEAD"))
    return bare


@pytest.fixture(scope="module")
def service(tmp_path_factory, repository):
    """The machine after cloud-init has ended."""
    tree = tmp_path_factory.mktemp("machine") / "tree"
    try:
        machine.fresh(tree, cache=CACHE / machine.SUITE)
        text = (ROOT / "deploy/ec2/cloud-init.yaml").read_text()
        text, set_ = re.subn("(?m)^( +DOMAIN)=.*", rf"\1={DOMAIN}", text)
        text, also_set = re.subn("(?m)^( +REPOSITORY)=.*", r"\1=file:///srv/coughlab.git", text)
        assert set_ == also_set == 1
        machine.user_data(tree, text)
        (CACHE / "pip").mkdir(parents=True, exist_ok=True)
        binds = (
            f"--bind-ro={repository}:/srv/coughlab.git",
            f"--bind={CACHE / 'pip'}:/var/cache/coughlab/pip",
        )
        with machine.running(tree, binds=binds) as started:
            began = time.monotonic()
            ended = started.run("cloud-init", "status", "--wait", "--long", check=False)
            print(f"\ncloud-init took {time.monotonic() - began:.0f} s")
            output = (tree / "var/log/cloud-init-output.log").read_text()
            assert ended.returncode == 0 and "status: done" in ended.stdout, f"{ended.stdout}\n{output}"
            yield started
    finally:
        shutil.rmtree(tree, ignore_errors=True)


@pytest.fixture(scope="module")
def authority(service):
    """The certificate of Caddy's own authority."""
    return service.tree / "var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"


@pytest.fixture(scope="module")
def client(service, authority):
    """A function that makes clients that trust this authority only."""
    trust = ssl.create_default_context(cafile=authority)

    def make(**options):
        return httpx.Client(
            base_url=f"https://{service.address}", verify=trust, timeout=60, trust_env=False, **options
        )

    return make


@pytest.fixture(scope="module")
def key(service):
    """A key that is made and added to the secrets as docs/operate.md describes."""
    printed = service.run("sh", "-c", f"{PYTHON} -m coughlab key 'ward 3'").stdout
    line = printed.strip().splitlines()[-1].strip()
    line = re.sub('"(sha256:.*)"', r'{hash = "\1", per_minute = 100000}', line)
    with (service.tree / "etc/coughlab/secrets.toml").open("a") as secrets:
        secrets.write(f"{line}\n")
    service.run("env", "DRAIN_S=5", "coughlab-release", "restart")
    return re.search(r"coughlab_\S+", printed)[0]


def ask(client, method, path, **options):
    headers = {"Host": DOMAIN} | options.pop("headers", {})
    return client.request(method, path, headers=headers, extensions={"sni_hostname": DOMAIN}, **options)


def predict(client, key):
    files = {"file": sounds.with_soundfile("WAV")}
    return ask(client, "POST", "/api/v1/predict", headers={"Authorization": f"Bearer {key}"}, files=files)


def test_only_health_and_the_description_are_open_without_a_key(client, key):
    with client() as asking:
        health = ask(asking, "GET", "/api/v1/health")
        assert health.status_code == 200 and health.json()["ready"] and health.json()["problems"] == []
        assert ask(asking, "GET", "/api/v1/openapi.json").status_code == 200
        assert ask(asking, "GET", "/api/v1/models").status_code == 401
        assert ask(asking, "POST", "/api/v1/predict", files={"file": b"RIFF"}).status_code == 401
        bearer = {"Authorization": f"Bearer {key}"}
        for path in (
            "/api/v1/metrics",
            "/api/v1/metrics/",
            "//api/v1/metrics",
            "/api/v1/./metrics",
            "/api/v1/%6detrics",
        ):
            answer = ask(asking, "GET", path, headers=bearer)
            assert "coughlab_requests" not in answer.text, path
        answer = predict(asking, key)
        assert answer.status_code == 200 and answer.json()["cough"]["found"] == 2
        assert answer.headers["Strict-Transport-Security"] and answer.headers["X-Request-ID"]
        assert answer.headers["Permissions-Policy"].startswith("microphone=(self)")


def test_http_leads_to_https(service):
    answer = httpx.get(f"http://{service.address}/", headers={"Host": DOMAIN}, trust_env=False)
    assert answer.is_redirect and answer.headers["Location"].startswith(f"https://{DOMAIN}")


def test_the_firewall_lets_in_the_web_and_nothing_else(service):
    listening = subprocess.Popen(
        service.inside("python3", "-m", "http.server", "9999"), stderr=subprocess.DEVNULL
    )
    try:
        while not service.run("ss", "-Hltn", "sport = :9999").stdout:
            assert listening.poll() is None
        for port in (9999, 8501, 8502, 2019):
            with pytest.raises(httpx.ConnectTimeout):
                httpx.get(f"http://{service.address}:{port}", timeout=2, trust_env=False)
    finally:
        service.run("pkill", "-f", "http.server 9999")
        listening.wait()


def test_the_unit_is_confined(service):
    port = active(service)
    exposure = service.run(
        "systemd-analyze", "security", "--no-pager", f"coughlab@{port}"
    ).stdout.splitlines()[-1]
    print(exposure)
    assert float(re.search(r"[\d.]+ ", exposure)[0]) < 3.0
    main = service.run("systemctl", "show", "--value", "-p", "MainPID", f"coughlab@{port}").stdout.strip()
    # Not root, no capabilities, and no writable place except memory.
    status = service.run("cat", f"/proc/{main}/status").stdout
    assert not re.search(r"^Uid:\s+0\b", status, re.MULTILINE) and re.search(
        r"^CapEff:\s+0+$", status, re.MULTILINE
    )
    mounts = service.run("cat", f"/proc/{main}/mounts").stdout.splitlines()
    writable = {line.split()[1]: line.split()[2] for line in mounts if re.search(r" rw\b", line)}
    on_disk = {
        place
        for place, kind in writable.items()
        if kind not in IN_MEMORY and not place.startswith("/run/host/")
    }
    assert on_disk == set()


def test_a_release_that_crashes_is_restarted(service, client, key):
    unit = f"coughlab@{active(service)}"
    main = service.run("systemctl", "show", "--value", "-p", "MainPID", unit).stdout.strip()
    service.run("systemctl", "kill", "-s", "KILL", unit)
    # Requests during the crash may be lost; later requests must be answered.
    while service.run("test", "-d", f"/proc/{main}", check=False).returncode == 0:
        time.sleep(0.1)
    with client() as asking:
        asked = ask(asking, "GET", "/api/v1/models", headers={"Authorization": f"Bearer {key}"})
        assert asked.status_code == 200, asked.text
        assert predict(asking, key).status_code == 200


def test_a_cough_recorded_over_https_is_answered(page):
    record(page)


def test_releases_change_under_load_and_no_request_is_lost(service, client, key, repository, tmp_path, page):
    commit(repository, tmp_path, "coughlab/__init__.py", lambda text: text.replace('"0.', '"99.0.'))
    version = version_of(client)
    with load(client, key) as answers:
        began = len(answers)
        service.run("env", "DRAIN_S=20", "coughlab-release", "upgrade")
        assert version_of(client) == version.replace("0.", "99.0.", 1)
        upgraded = len(answers)
        service.run("env", "DRAIN_S=20", "coughlab-release", "rollback")
        assert version_of(client) == version
        rolled_back = len(answers)
        service.run("env", "DRAIN_S=20", "coughlab-release", "rollback")
        assert version_of(client).startswith("99.")
    lost = [answer for answer in answers if answer != 200]
    print(
        f"{upgraded - began} requests during the upgrade, {rolled_back - upgraded} during the roll-back, {len(lost)} lost"
    )
    assert lost == [] and began < upgraded < rolled_back
    # The page that was open during all changes still works.
    record(page)


def test_a_broken_release_is_not_activated(service, client, key, repository, tmp_path):
    commit(repository, tmp_path, "Home.py", lambda text: f"raise SystemExit('broken')\n{text}")
    version = version_of(client)
    with load(client, key) as answers:
        refused = service.run("env", "READY_S=10", "coughlab-release", "upgrade", check=False)
    assert refused.returncode == 1 and "nothing was switched" in refused.stderr
    assert set(answers) == {200} and version_of(client) == version
    # An upgrade to a branch that does not exist is refused as well.
    refused = service.run("coughlab-release", "upgrade", "no-such-branch", check=False)
    assert refused.returncode == 1 and "no branch, tag or commit" in refused.stderr
    assert "answers" in service.run("coughlab-release", "status").stdout


def test_the_logs_hold_no_names_and_no_addresses(service):
    log = service.run(
        "journalctl", "--no-pager", "-o", "cat", "-u", "coughlab@8501", "-u", "coughlab@8502", "-u", "caddy"
    ).stdout
    assert '"route": "/api/v1/predict"' in log
    assert machine.OUTSIDE not in log and "upload.wav" not in log and "Traceback" not in log


@pytest.fixture(scope="module")
def page(service, authority, chromium, tmp_path_factory):
    """A page in a Chromium with Caddy's authority in its trust store; the microphone plays a WAV file."""
    home = tmp_path_factory.mktemp("home")
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    if not shutil.which("certutil"):
        missing("libnss3-tools of Debian")
    new = ("certutil", "-d", f"sql:{database}")
    subprocess.run([*new, "-N", "--empty-password"], check=True)
    subprocess.run([*new, "-A", "-n", "Caddy", "-t", "C,,", "-i", authority], check=True)
    microphone = home / "coughs.wav"
    microphone.write_bytes(synthetic.sample())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                *ARGUMENTS,
                f"--host-resolver-rules=MAP {DOMAIN} {service.address}",
                *playing(microphone),
            ],
            env=os.environ | {"HOME": str(home)},
        )
        context = browser.new_context(permissions=["microphone"])
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto(f"https://{DOMAIN}")
        yield page
        browser.close()


def record(page):
    """Record on the open page and wait for the answer."""
    expect(page.get_by_role("heading", name="Analyse a cough")).to_be_visible(timeout=120_000)
    before = page.get_by_role("button", name="Record", exact=True)
    before.click()
    expect(page.get_by_test_id("stAudioInputWaveformTimeCode")).to_have_text("00:03", timeout=60_000)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text(ANSWERED).first).to_be_visible(timeout=120_000)
    assert page.evaluate("isSecureContext && location.protocol") == "https:"


class load:  # noqa: N801
    """Clients that send requests continuously, one with one connection, the others with a new one each; a list of statuses."""

    def __init__(self, client, key):
        self._client, self._key = client, key
        self._answers, self._stop = [], threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=[number]) for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        while len(self._answers) < 2 * CLIENTS:
            time.sleep(0.1)
        return self._answers

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number):
        kept = None if number else self._client()
        while not self._stop.is_set():
            try:
                if kept:
                    self._answers.append(predict(kept, self._key).status_code)
                else:
                    with self._client() as once:
                        self._answers.append(predict(once, self._key).status_code)
            except httpx.HTTPError as error:
                self._answers.append(repr(error))
        if kept:
            kept.close()


def active(service):
    return re.search(r"^ACTIVE=(\d+)", (service.tree / "etc/coughlab/ports.env").read_text(), re.MULTILINE)[1]


def version_of(client):
    with client() as asking:
        return ask(asking, "GET", "/api/v1/health").json()["version"]


def commit(repository, folder, path, change):
    """Add a commit to the repository's branch main."""
    work = folder / "work"
    _git("clone", "--quiet", "--branch", "main", repository, work)
    file = work / path
    file.write_text(change(file.read_text()))
    _git(
        "-C", work, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-am", "Next."
    )
    _git("-C", work, "push", "--quiet", "origin", "main")


def _git(*command):
    done = subprocess.run(["git", *map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
