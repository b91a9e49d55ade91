"""Tables as CSV that a spreadsheet opens without running anything."""

#: What a spreadsheet takes for the start of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(frame):
    """A table as CSV without its index.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.

    Returns
    -------
    str
        Text that a spreadsheet would run as a formula has an apostrophe before it, column names too.
    """
    from pandas.api.types import is_numeric_dtype

    safe = frame.apply(lambda column: column if is_numeric_dtype(column) else column.map(_harmless))
    # With these line ends, the standard's (RFC 4180), a line end inside a text is quoted, whichever it is.
    return safe.rename(columns=_harmless).to_csv(index=False, lineterminator="\r\n")


def _harmless(value):
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
