"""Formatting of numbers, labels and tables, the same everywhere; CSV without formulas that a spreadsheet would run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd

#: Characters that start a formula in a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def percent(share: float) -> str:
    """A probability in percent; very small and very large ones are "under 0.1%" and "over 99.9%"."""
    if share < 0.001:
        return "under 0.1%"
    return "over 99.9%" if share > 0.999 else f"{share:.1%}"


def three_digits(value: float) -> str:
    """A likelihood ratio with three digits: "0.0690", "1.00", "12.3"."""
    return f"{value:#.3g}".rstrip(".") if value < 999.5 else f"{value:,.0f}"


def counted(number: int, what: str) -> str:
    """A count with its noun: "1 cough", "2 coughs"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def listed(names: Iterable[object], most: int = 4) -> str:
    """Names separated by commas; only the first of many."""
    shown = [str(name) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def plain(name: str) -> str:
    """The beginning of a name that somebody sent, for a message: only plain characters."""
    return re.sub(r"[^\w .-]", "?", name)[:40]


def duration(seconds: float) -> str:
    """A waiting time: "about 30 seconds", "about 2 minutes"."""
    return f"about {seconds:.0f} seconds" if seconds < 90 else f"about {seconds / 60:.0f} minutes"


def markdown_table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    r"""A table in Markdown; cells are formatted by `str`.

    >>> print(markdown_table(["sound", "found"], [["a | b", 3]]))
    | sound | found |
    | --- | --- |
    | a \| b | 3 |
    """
    header = list(header)
    cells = (
        [str(cell).replace("|", r"\|") for cell in row] for row in (header, ["---"] * len(header), *rows)
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def filled(template: Path, **values: object) -> str:
    """A filled Jinja2 template; a variable without a value is an error."""
    from jinja2 import (  # slow to import, and no answer needs it
        Environment,
        FileSystemLoader,
        StrictUndefined,
    )

    options: dict[str, Any] = {
        "keep_trailing_newline": True,
        "trim_blocks": True,
        "undefined": StrictUndefined,
    }
    environment = Environment(loader=FileSystemLoader(template.parent), **options)
    return environment.get_template(template.name).render(**values)


def to_csv(frame: pd.DataFrame) -> str:
    """A table as CSV without its index; an apostrophe precedes text that a spreadsheet would run as a formula."""
    from pandas.api.types import is_numeric_dtype

    safe = frame.apply(lambda column: column if is_numeric_dtype(column) else column.map(_harmless))
    # With the standard's line ends (RFC 4180), any line end inside a text is quoted.
    return safe.rename(columns=_harmless).to_csv(index=False, lineterminator="\r\n")


def _harmless(value):
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
