"""The programs that tests look for are installed where all tests have to run."""

import re
import sys
from pathlib import Path

from tests.conftest import ROOT

#: Of util-linux, without which there is no Debian.
EVERYWHERE = {"unshare", "nsenter", "setpriv"}


def required_programs():
    """Test files, and for each line that searches for programs their names; one of these programs is enough."""
    for file in sorted((ROOT / "tests").rglob("*.py")):
        # Files that `make test` does not run document their own requirements.
        if file.parent.name == "deploy" and not file.name.startswith("test_"):
            continue
        for line in file.read_text().splitlines():
            if names := re.findall(r"""(?:\bwhich\(|\bprogram\(|install Debian's )"?([\w-]+)""", line):
                yield file.name, set(names)


def test_continuous_integration_installs_what_tests_look_for():
    installed = set(re.findall(r"^needs (\S+)", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    in_environment = {path.name for path in Path(sys.executable).parent.iterdir()}
    found = [(file, names) for file, names in required_programs() if names - {"name"}]
    assert {"chromium", "faketime", "curl", "nft", "unshare"} <= set().union(*(names for _, names in found))
    for file, names in found:
        assert names & (installed | in_environment | EVERYWHERE), f"{file}: .ci/run installs no {names}"
