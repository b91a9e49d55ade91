"""The report about known vulnerabilities of the packages."""

import os
import subprocess
import sys

from deploy import audit
from tests.conftest import ROOT

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}


def test_a_known_vulnerability_fails_and_is_named():
    packages = [
        {"name": "sound", "version": "1.0", "vulns": [FLAW]},
        {"name": "noise", "version": "2.0", "vulns": []},
        {"name": "unheard", "skip_reason": "not there"},
    ]
    message, known = audit.judged("a.lock", packages)
    assert known and "2 of 3 packages checked, 1 vulnerabilities known" in message
    assert "sound 1.0: PYSEC-2026-1, mended in 1.1" in message
    assert audit.judged("a.lock", packages[1:]) == (
        "a.lock: 1 of 2 packages checked, 0 vulnerabilities known.",
        False,
    )


def test_without_network_it_is_reported_and_does_not_fail():
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "deploy/audit.py", "requirements.lock"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | nowhere)
    assert done.returncode == 0, done.stderr
    assert "could not be checked" in done.stdout
