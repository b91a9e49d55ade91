"""Numbers, labels and tables as people read them, the same wherever they are shown; CSV in which a spreadsheet runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # answering a request does without pandas
    import pandas as pd

#: What a spreadsheet takes for the start of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def percent(share: float) -> str:
    """A probability in percent; what would round to 0 or 100 says so."""
    if share < 0.001:
        return "under 0.1%"
    return "over 99.9%" if share > 0.999 else f"{share:.1%}"


def three_digits(value: float) -> str:
    """A likelihood ratio in three digits: "0.0690", "1.00", "12.3"."""
    return f"{value:#.3g}".rstrip(".") if value < 999.5 else f"{value:,.0f}"


def counted(number: int, what: str) -> str:
    """A number of things: "1 cough", "2 coughs"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def listed(names: Iterable[object], most: int = 4) -> str:
    """Names with commas between them; of many only the first."""
    shown = [str(name) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def duration(seconds: float) -> str:
    """A time to wait: "about 30 seconds", "about 2 minutes"."""
    return f"about {seconds:.0f} seconds" if seconds < 90 else f"about {seconds / 60:.0f} minutes"


def markdown_table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    r"""A table in Markdown, each cell as `str` gives it.

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
    """A Jinja2 template with its gaps filled; a gap without a value is an error."""
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
    """A table as CSV without its index; what a spreadsheet would run as a formula has an apostrophe before it."""
    from pandas.api.types import is_numeric_dtype

    safe = frame.apply(lambda column: column if is_numeric_dtype(column) else column.map(_harmless))
    # With these line ends, the standard's (RFC 4180), a line end inside a text is quoted, whichever it is.
    return safe.rename(columns=_harmless).to_csv(index=False, lineterminator="\r\n")


def _harmless(value):
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
