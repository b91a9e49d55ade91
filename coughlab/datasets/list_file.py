"""Reads the text of a list of recordings as a table: its encoding, its separator, and the lines above its header."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Encodings of lists that are not Unicode, the commonest first, and their names.
ENCODINGS = {
    "cp1252": "Windows-1252 (western Europe)",
    "cp1250": "Windows-1250 (central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "mac_roman": "Mac OS Roman",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp932": "Shift JIS (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp949": "Windows-949 (Korean)",
    "cp874": "Windows-874 (Thai)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1258": "Windows-1258 (Vietnamese)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "mac_cyrillic": "Mac OS Cyrillic",
    "cp850": "DOS 850 (western Europe)",
    "cp437": "DOS 437",
    "cp866": "DOS 866 (Cyrillic)",
    # Has a character for every byte.
    "latin-1": "Latin-1",
}
# Those that are told apart by the text alone. More would be confused with one another.
_GUESSED = ["cp1252", "cp1250", "cp1251", "cp1253", "mac_roman", "cp932", "gb18030", "cp949"]
_DAMAGED = "UTF-8 with damaged characters"
_SEPARATORS = (",", ";", "\t", "|")
#: Lines above the header that are passed over at most.
_ABOVE = 20
_SAMPLE = 100
#: Marks of direction, joiners and blanks without width: what they are in looks the same without them.
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def decoded(content: bytes, names: Iterable[str] = ()) -> tuple[str, str]:
    """The text of a list, and how it was decoded, in words ("" for Unicode).

    Of several encodings, the one under which most of the names, those of the files in the folder, are found in the text is right.
    UnicodeDecodeError: it is marked as Unicode but is not.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return content.decode("utf-32"), ""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16"), ""
    # UTF-16 without its mark: every second byte of Latin letters, digits and separators is 0.
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        if content[first::2].count(0) > len(content) / 10 and not content[1 - first :: 2].count(0):
            return content.decode(encoding), ""
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return _decoded_otherwise(content, names)


def _decoded_otherwise(content: bytes, names: Iterable[str]) -> tuple[str, str]:
    texts = {}
    for encoding in ENCODINGS:
        with contextlib.suppress(UnicodeDecodeError):
            texts[encoding] = content.decode(encoding)
    texts["utf-8"] = content.decode("utf-8", errors="replace")
    wanted = {stem for name in names if not (stem := _stem(name.rpartition("/")[2])).isascii()}
    found = {encoding: len(wanted & _stems(text)) for encoding, text in texts.items()} if wanted else {}
    best = max(found, key=found.__getitem__, default="")
    if best and found[best]:
        why = (
            "as a file name in the folder shows"
            if found[best] == 1
            else "as the file names in the folder show"
        )
        return texts[best], f"The text of the list was read as {ENCODINGS.get(best, _DAMAGED)}, {why}."
    best = _by_text_alone(content, texts)
    called = ENCODINGS.get(best, _DAMAGED)
    return texts[
        best
    ], f"The text of the list was read as {called}, which is a guess: save the list as UTF-8."


def _by_text_alone(content: bytes, texts: dict[str, str]) -> str:
    from charset_normalizer import from_bytes  # few lists need it

    unknown = texts["utf-8"].count("\ufffd")
    if sum(character > "\x7f" for character in texts["utf-8"]) > 3 * unknown:
        return "utf-8"
    possible = [encoding for encoding in _GUESSED if encoding in texts]
    found = from_bytes(content, cp_isolation=possible).best() if possible else None
    # Encodings often differ only in characters that a text does not have.
    return next(
        (encoding for encoding, text in texts.items() if found and text == str(found)), next(iter(texts))
    )


def _stems(text: str) -> set[str]:
    """The fields of a list, without folders and endings."""
    fields = {field.strip(" \"'") for field in re.split(r"[,;\t|\r\n/\\]", text)}
    return {stem for field in fields if not field.isascii() for stem in (_stem(field), _composed(field))}


def _stem(name: str) -> str:
    return _composed(PurePosixPath(name).stem)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def tables(text: str, is_data: Callable[[str], bool] = lambda field: False) -> Iterator[pd.DataFrame]:
    """The table of a list under each line that may be its header, from the top: text in all columns, "" for an empty cell.

    Above a header there may be empty lines, comments with #, a title, and Excel's line ``sep=;``; a line with a field that
    `is_data`, such as the name of a file, is below it. A table's ``attrs["comments"]`` has the comments above it. ValueError,
    after the tables: a text under one of the lines is no table.
    """
    lines, separator, error = _lines(INVISIBLE.sub("", text)), "", None
    headers, comments = [], []
    for number, line in enumerate(lines[: _ABOVE + 1]):
        if match := re.fullmatch(r'"?sep=(.)"?', line.strip(" \r\n"), re.IGNORECASE):
            separator = match[1]
        elif line.startswith("#"):
            comments.append(number)
        elif any(map(is_data, [*re.split(r"[,;\t|\"\r\n]+", line), *line.split()[:1]])) or any(
            is_data(word) for word in line.split() if "." in word
        ):
            break
        elif line.strip(" \r\n,;\t|"):
            headers.append(number)
    # A header may itself be written as a comment.
    for number in [*headers, *reversed(comments)] or [0]:
        try:
            table = _table("".join([lines[number].lstrip("# "), *lines[number + 1 :]]), separator)
            table.attrs["comments"] = [
                lines[other].strip("# \r\n,;\t|") for other in comments if other != number
            ]
            yield table
        except ValueError as problem:
            error = error or problem
    if error:
        raise error


def _lines(text: str) -> list[str]:
    """The lines with their ends; `str.splitlines` would split at other characters too."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text) or [""]


def _table(text: str, separator: str = "") -> pd.DataFrame:
    import pandas as pd

    separator = separator or _separator(text)
    options = {"sep": separator, "dtype": str, "keep_default_na": False, "skipinitialspace": True}
    try:
        table = pd.read_csv(io.StringIO(text), **options).fillna("")
    except pd.errors.ParserError:
        table = None
    # If lines are longer than the header, pandas takes their first fields as an index and shifts all others.
    if table is None or not isinstance(table.index, pd.RangeIndex):
        without_last = re.sub(rf"{re.escape(separator)}[ ]*(?=[\r\n]|$)", "", text)
        table = pd.read_csv(io.StringIO(without_last), **options).fillna("")
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError(
            f"its lines have more fields than its header. Name each column in the header, and put a field with a"
            f" “{separator if separator in _SEPARATORS else ' '}” in quotes."
        )
    table.columns = [str(column).strip() for column in table.columns]
    table = table.apply(lambda column: column.str.strip())
    return table[(table != "").any(axis=1)].reset_index(drop=True)


def _separator(text: str) -> str:
    """The separator under which most lines have as many fields as the header."""
    sample = _lines(text)[:_SAMPLE]

    def fit(separator: str) -> tuple[int, int]:
        try:
            rows = [row for row in csv.reader(sample, delimiter=separator, skipinitialspace=True) if row]
        except csv.Error:  # a field of more than 128 KB
            return 0, 0
        fields = len(rows[0]) if rows else 0
        return (sum(len(row) == fields for row in rows) if fields > 1 else 0), fields

    best = max(_SEPARATORS, key=fit)
    if fit(best)[1] > 1:
        return best
    # Columns separated by blanks: only if all lines have the same number of them.
    widths = {len(line.split()) for line in sample if line.strip()}
    return r"\s+" if len(widths) == 1 and widths != {1} else best
