"""Settings: their valid values, and that the page for operators lists all of them."""

import re
import subprocess
from pathlib import Path

import pytest

from coughlab import config
from tests import servers

ROOT = Path(__file__).parent.parent


def test_every_default_can_be_read():
    config.check()
    assert config.value("COUGHLAB_QUEUE") == 32 and config.value("COUGHLAB_FRAME_ANCESTORS") == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("COUGHLAB_QUEUE", " 7 ", 7),
        ("COUGHLAB_QUEUE", "", 32),
        ("COUGHLAB_LOG", "json", "json"),
        (
            "COUGHLAB_FRAME_ANCESTORS",
            "https://a.example https://*.b.example:8443",
            ["https://a.example", "https://*.b.example:8443"],
        ),
    ],
)
def test_a_setting_in_the_environment_is_read(monkeypatch, name, text, value):
    monkeypatch.setenv(name, text)
    assert config.value(name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("COUGHLAB_QUEUE", "many"),
        ("COUGHLAB_QUEUE", "-1"),
        ("COUGHLAB_WAIT_S", "0"),
        ("COUGHLAB_API_KEYS", "yes"),
        ("COUGHLAB_FRAME_ANCESTORS", "a.example"),
        ("COUGHLAB_FRAME_ANCESTORS", "https://a.example; script-src *"),
        ("COUGHLAB_FRAME_ANCESTORS", "https://a.example/path"),
    ],
)
def test_an_invalid_setting_is_reported_before_the_start(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(config.SettingError, match=f"The setting {name} must be"):
        config.check()
    done = subprocess.run(servers.COMMAND, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith(f"coughlab: The setting {name} must be")


def test_the_app_reports_an_invalid_setting_without_a_stack_trace(monkeypatch):
    monkeypatch.setenv("COUGHLAB_QUEUE", "many")
    done = subprocess.run(
        [*servers.APP, "--server.port", "0"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode != 0 and "coughlab: The setting COUGHLAB_QUEUE must be" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_page_for_operators_has_the_table():
    assert config.table() in (ROOT / "docs/operate.md").read_text()


#: Does not match code that only sets variables or passes an environment to a child process.
READS = re.compile(r"getenv|os\.environ(?! \||\.setdefault)|import environ")


def test_the_environment_is_read_in_one_place():
    code = [path for folder in ("coughlab", "pages") for path in (ROOT / folder).rglob("*.py")]
    assert [path for path in code if READS.search(path.read_text())] == [ROOT / "coughlab/config.py"]


def test_there_is_one_error_for_a_wrong_setting():
    code = [*(ROOT / "coughlab").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    assert sum(path.read_text().count("class SettingError") for path in code) == 1
