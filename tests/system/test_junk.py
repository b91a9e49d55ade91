"""What is never data, and names that only look like it. tests/datasets/test_own_folder.py has the whole way of such files."""

import pytest

from coughlab.system import junk


@pytest.mark.parametrize(
    "path",
    [
        *("ill/.cache/a.wav", "$Recycle.Bin/a.wav", "ill/@eaDir/a.wav/SYNOAUDIO.wav", "found.000/a.wav"),
        *("ill/THUMBS.DB", "ill/._a.wav", "ill/a.wav.crdownload", "~$list.csv", "Icon\r", "venv/lib/a.wav"),
        *("$SysReset/a.wav", "$WinREAgent/a.wav", "$Windows.~WS/a.wav", "CVS/a.wav", "_vti_cnf/a.wav"),
        *("resource.frk/a.wav", "ipynb_checkpoints/a.wav"),
    ],
)
def test_what_systems_and_programs_leave_behind(path):
    assert junk.is_junk(path) and junk.is_left_behind(path)


def test_a_person_may_hide_a_single_file():
    assert junk.is_junk("ill/.a.wav") and not junk.is_left_behind("ill/.a.wav")


@pytest.mark.parametrize(
    "path",
    [
        "a.wav",
        "-U7joUcTCo_ 0.000_ 10.000.wav",
        "found/a.wav",
        "tmp/a.wav",
        "#1/@a.wav",
        "~a.wav",
        "COUGH~1.WAV",
        "part/a",
        "$1.wav",
        "cvs1/recovery.wav",
    ],
)
def test_names_of_data(path):
    assert not junk.is_junk(path)
