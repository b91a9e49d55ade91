"""Numbers in words."""

import pytest

from coughlab.text import counted, markdown_table, percent, three_digits


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "under 0.1%"),
        (0.0009, "under 0.1%"),
        (0.001, "0.1%"),
        (0.5, "50.0%"),
        (0.999, "99.9%"),
        (0.9995, "over 99.9%"),
        (1.0, "over 99.9%"),
    ],
)
def test_no_probability_is_shown_as_certain(share, shown):
    assert percent(share) == shown


def test_a_ratio_has_three_digits():
    shown = [three_digits(value) for value in (0.069, 0.9996, 12.345, 123.4, 999.6, 12_345)]
    assert shown == ["0.0690", "1.00", "12.3", "123", "1,000", "12,345"]


def test_one_cough_two_coughs():
    assert [counted(n, "cough") for n in (0, 1, 2)] == ["0 coughs", "1 cough", "2 coughs"]


def test_a_table_in_markdown_keeps_its_columns_for_any_content():
    rows = [["a | b", 3], ["", None]]
    assert markdown_table(["sound", "found"], rows).splitlines() == [
        "| sound | found |",
        "| --- | --- |",
        r"| a \| b | 3 |",
        "|  | None |",
    ]
