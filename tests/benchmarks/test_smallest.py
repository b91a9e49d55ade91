"""Every program of `benchmarks/` runs on its smallest input. Its figures are not checked."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.shared.run import MISSING, SMALLEST
from benchmarks.shared.table import SETTING, Row
from tests.conftest import ROOT, missing

FOLDER = ROOT / "benchmarks"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__main__")


def run(program, place, *arguments):
    """The output of a program, and its rows."""
    rows = place / "rows"
    ended = subprocess.run(
        [sys.executable, program, *arguments],
        cwd=place,
        env=os.environ | {SMALLEST: "1", SETTING: str(rows)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ended.returncode == MISSING:
        missing(ended.stdout.rpartition("needs ")[2].strip())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout, [Row(**json.loads(line)) for line in rows.read_text().splitlines()]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_on_its_smallest_input(name, tmp_path):
    printed, rows = run(FOLDER / f"{name}.py", tmp_path)
    assert rows
    for row in rows:
        assert row.what in printed
        assert row.ours > 0 and row.yardstick > 0


def test_the_table_has_the_rows_of_the_programs_that_are_named(tmp_path):
    ended = subprocess.run(
        [sys.executable, FOLDER, "detector"],
        cwd=tmp_path,
        env=os.environ | {SMALLEST: "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    table = ended.stdout.partition("| what |")[2].splitlines()
    assert len(table) == 6 and all(line.startswith("| detector: ") for line in table[2:])


def test_every_page_is_measured(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    from shared.browser import PAGES

    assert {address or "analyse" for address in PAGES} == {
        path.stem for path in (ROOT / "pages").glob("*.py")
    }
