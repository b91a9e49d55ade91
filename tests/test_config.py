"""Settings: what they can be, and that the page for operators tells all of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from coughlab import config

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
def test_what_is_set_is_read(monkeypatch, name, text, value):
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
def test_what_cannot_be_is_told_before_anything_starts(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(config.SettingError, match=f"The setting {name} must be"):
        config.check()
    done = subprocess.run([sys.executable, "-m", "coughlab", "serve"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith(f"coughlab: The setting {name} must be")


def test_the_app_tells_it_too_without_a_stack_trace(monkeypatch):
    monkeypatch.setenv("COUGHLAB_QUEUE", "many")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "Home.py",
            "--server.address",
            "localhost",
            "--server.port",
            "0",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode != 0 and "coughlab: The setting COUGHLAB_QUEUE must be" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_page_for_operators_has_the_table():
    assert config.table() in (ROOT / "docs/operate.md").read_text()


#: Not what only sets something, or gives a child process its own environment.
READS = re.compile(r"getenv|os\.environ(?! \||\.setdefault)|import environ")


def test_the_environment_is_read_in_one_place():
    code = [path for room in ("coughlab", "pages") for path in (ROOT / room).rglob("*.py")]
    assert [path for path in code if READS.search(path.read_text())] == [ROOT / "coughlab/config.py"]


def test_there_is_one_error_for_a_wrong_setting():
    code = [*(ROOT / "coughlab").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    assert sum(path.read_text().count("class SettingError") for path in code) == 1
