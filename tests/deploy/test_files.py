"""The files of the deployment, checked by the programs that read them, and the lock files against the requirements."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT, missing

EC2 = ROOT / "deploy/ec2"


def program(name, package):
    """The path of a program from Debian or from the environment of the tests."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin")
    return path or missing(f"{package} of Debian, for {name}")


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_unit_has_a_low_exposure_level():
    output = run(
        program("systemd-analyze", "systemd"),
        "security",
        "--offline=true",
        "--no-pager",
        EC2 / "coughlab@.service",
    )
    assert float(re.search(r"Overall exposure level for .*: ([\d.]+)", output)[1]) < 3.0


@pytest.mark.parametrize(("active", "draining"), [(8501, 8501), (8502, 8501)])
def test_caddy_accepts_its_file(tmp_path, active, draining):
    # The file includes others from a folder of the machine.
    text = (EC2 / "Caddyfile").read_text().replace("/etc/caddy/coughlab.d", str(tmp_path))
    (tmp_path / "Caddyfile").write_text(text)
    environment = {
        "DOMAIN": "cough.example.org",
        "ACTIVE": str(active),
        "DRAINING": str(draining),
        "HOME": str(tmp_path),
    }
    run(
        program("caddy", "caddy"),
        "validate",
        "--adapter",
        "caddyfile",
        "--config",
        tmp_path / "Caddyfile",
        env=environment,
    )


def test_cloud_init_accepts_its_file():
    output = run(program("cloud-init", "cloud-init"), "schema", "--config-file", EC2 / "cloud-init.yaml")
    assert "Valid" in output


@pytest.mark.parametrize("script", ["install", "coughlab-release"])
def test_scripts_are_without_known_mistakes(script):
    run(program("shellcheck", "shellcheck"), "--external-sources", EC2 / script)


def test_the_script_in_the_cloud_init_file_is_without_known_mistakes():
    script = "set -eu\n" + (EC2 / "cloud-init.yaml").read_text().partition("- |\n")[2]
    run(program("shellcheck", "shellcheck"), "--shell=sh", "--exclude=SC1091", "-", input=script)


def test_the_firewall_file_is_valid(tmp_path):
    if os.geteuid() or not shutil.which("unshare"):
        missing("root and util-linux")
    nft = program("nft", "nftables")
    run("unshare", "--net", nft, "--check", "--file", EC2 / "nftables.conf")


def test_the_initial_secrets_give_no_access():
    assert tomllib.loads((EC2 / "secrets.toml").read_text()) == {"api_keys": {}}


def requirements(file):
    """The requirements in a file and in the files that it includes."""
    for line in (ROOT / file).read_text().splitlines():
        if line.startswith("-r "):
            yield from requirements(line[3:])
        elif line and not line.startswith("#"):
            yield Requirement(line)


def locked(file):
    """The content of a lock file: for each name the requirement with its version, and the hashes."""
    entries = re.findall(
        r"^([a-z0-9].*?)((?: *\\\n    --hash=\S+)+)$", (ROOT / file).read_text(), re.MULTILINE
    )
    return [(Requirement(head), re.findall(r"sha256:[0-9a-f]{64}", hashes)) for head, hashes in entries]


@pytest.mark.parametrize(
    ("file", "lock"),
    [("requirements.txt", "requirements.lock"), ("requirements-dev.txt", "requirements-dev.lock")],
)
def test_the_lock_holds_what_is_required(file, lock):
    pinned = locked(lock)
    lines = [line for line in (ROOT / lock).read_text().splitlines() if re.match("[a-z0-9]", line)]
    assert len(pinned) == len(lines) and all(hashes for _, hashes in pinned)
    for wanted in requirements(file):
        versions = [next(iter(pin.specifier)).version for pin, _ in pinned if pin.name == wanted.name.lower()]
        assert versions and all(wanted.specifier.contains(version) for version in versions), wanted


def test_the_locks_agree_and_name_no_package_index():
    app, development = (
        dict(map(pair, locked("requirements.lock"))),
        dict(map(pair, locked("requirements-dev.lock"))),
    )
    assert app.items() <= development.items()
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / lock).read_text()


def pair(entry):
    requirement, hashes = entry
    return str(requirement), tuple(hashes)
