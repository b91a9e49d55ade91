"""What is known against the packages of lock files: ``python deploy/audit.py LOCK...``, or ``make pip-audit``.

Fails where something is known. Where the service that knows is out of reach, or knows none of the packages, nothing was checked:
that is told, and is no failure.
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
    """What pip-audit says of each package of a lock file (list of dict), or None where the service cannot be reached."""
    done = subprocess.run([*PIP_AUDIT, "--requirement", lock], capture_output=True, text=True)
    if not done.stdout.strip():
        if "ConnectionError" in done.stderr or "Max retries" in done.stderr or "Timeout" in done.stderr:
            return None
        sys.exit(f"pip-audit went wrong with {lock}:\n{done.stderr}")
    return json.loads(done.stdout)["dependencies"]


def judged(lock, packages):
    """A sentence about a lock file, and whether something is known against it (str, bool)."""
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
    told = f"{lock}: {len(checked)} of {len(packages)} packages checked, {len(found)} vulnerabilities known."
    return "\n".join([told, *found]), bool(found)


def main(locks):
    """Print what is known; the exit status is 1 where something is."""
    judgements = [judged(lock, audited(lock)) for lock in locks]
    for told, _ in judgements:
        print(told)
    return int(any(known for _, known in judgements))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
