"""Known vulnerabilities in the packages of lock files: ``python deploy/audit.py LOCK...``, or ``make pip-audit``.

Fails if there are any. If the service of pip-audit cannot be reached, or knows none of the packages, nothing is checked: this is
printed, and is not a failure.
"""

import json
import subprocess
import sys
from pathlib import Path

PIP_AUDIT = (
    Path(sys.executable).with_name("pip-audit"),
    "--format=json",
    "--disable-pip",
    "--require-hashes",
)


def audited(lock):
    """pip-audit's result for each package of a lock file (list of dict), or None if the service cannot be reached."""
    done = subprocess.run([*PIP_AUDIT, "--requirement", lock], capture_output=True, text=True)
    if not done.stdout.strip():
        if "ConnectionError" in done.stderr or "Max retries" in done.stderr or "Timeout" in done.stderr:
            return None
        sys.exit(f"pip-audit went wrong with {lock}:\n{done.stderr}")
    return json.loads(done.stdout)["dependencies"]


def judged(lock, packages):
    """A sentence about a lock file, and whether it has known vulnerabilities (str, bool)."""
    checked = [package for package in packages or [] if "skip_reason" not in package]
    if not checked:
        return (
            f"{lock} could not be checked: the service that knows of vulnerabilities is out of reach.",
            False,
        )
    found = [
        f"  {package['name']} {package['version']}: {flaw['id']},"
        f" mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in checked
        for flaw in package["vulns"]
    ]
    sentence = (
        f"{lock}: {len(checked)} of {len(packages)} packages checked, {len(found)} vulnerabilities known."
    )
    return "\n".join([sentence, *found]), bool(found)


def main(locks):
    """Print the known vulnerabilities; the exit status is 1 if there are any."""
    judgements = [judged(lock, audited(lock)) for lock in locks]
    for sentence, _ in judgements:
        print(sentence)
    return int(any(known for _, known in judgements))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
