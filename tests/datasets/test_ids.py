"""Ids of people in a list: spellings that mean the same, and cells that name nobody."""

import pytest

from coughlab.datasets import ids


@pytest.mark.parametrize(
    ("values", "different"),
    [
        (["P1", "p1", "P 1", " P1 ", "P01", "P_1"], 1),
        (["1", "1.0", "01", "001"], 1),
        (["1-1", "11", "1.1", "10", "a_b", "ab"], 6),
        (["3CwioNQV", "é1", "e\u03011"], 2),
    ],
)
def test_spellings_of_an_id(values, different):
    found, said = ids.one_spelling(values)
    assert len(set(found)) == different and set(found) <= set(values)
    assert bool(said) == (different < len(values))


def test_cells_that_name_nobody():
    cells = ["", "unknown", "NA", "n/a", "-", "–", "None", "not given"]
    assert ids.one_spelling([*cells, "P1"]) == ([""] * len(cells) + ["P1"], "")
    assert ids.not_given([*cells, "P1"], "patient") == (
        "8 lines have nothing or only “-”, “NA”, “None” and 4 more in the column “patient”: there the file name tells."
    )
    assert ids.not_given(["P1"], "patient") == ""
