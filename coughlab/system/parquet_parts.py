"""A table on disk in parts, so that a stopped run can be continued.

Each part is a Parquet file, whose bytes do not depend on where or in which order the parts were made. ``_about.json`` describes
the table; readers of Parquet skip it: ``pandas.read_parquet(folder)`` returns the table.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from coughlab.system import files

ABOUT = "_about.json"


class PartsError(ValueError):
    """A folder cannot be used for the parts of a table; the message says why."""


class Parts:
    """A table in parts, made by `opened`."""

    def __init__(self, folder: Path, schema: pa.Schema):
        self.folder, self._schema = folder, schema

    def read(self, number: int) -> pa.Table | None:
        """One part, counted from 0; None if it is missing or damaged."""
        try:
            # In one read, so that damage causes only errors of Parquet or of the operating system.
            with pa.BufferReader(self._path(number).read_bytes()) as file:
                table = pq.read_table(file, page_checksum_verification=True)
        except (OSError, pa.ArrowException, ValueError):
            return None
        return table if table.schema.equals(self._schema) else None

    def write(self, number: int, rows: list[dict]) -> None:
        """Write one part atomically; columns that a row lacks are empty."""
        table, buffer = pa.Table.from_pylist(rows, self._schema), pa.BufferOutputStream()
        # Statistics have no checksum, and are not needed for so few rows.
        pq.write_table(table, buffer, compression="zstd", write_page_checksum=True, write_statistics=False)
        files.write(self._path(number), buffer.getvalue())

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06}.parquet"


@contextmanager
def opened(
    folder: str | os.PathLike, about: dict, schema: pa.Schema, *, again: bool = False
) -> Iterator[Parts]:
    """Open a folder of parts, for one run at a time; it is created if needed.

    `about`, which is JSON-serializable, identifies the table. With `again`, existing parts are removed first. PartsError if the
    folder has another table or other files, or if another run is writing to it.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise PartsError(f"{folder} is a file. Name a folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with files.locked_folder(folder, wait=False) as free:
        if not free:
            raise PartsError(f"Another run is writing to {folder}. Wait for it, or name another folder.")
        _prepare(folder, about, again)
        yield Parts(folder, schema)


def _prepare(folder: Path, about: dict, again: bool) -> None:
    file = folder / ABOUT
    if not file.exists():
        # Parts are removed before this file, so that no part is left without its description.
        if others := [path.name for path in sorted(folder.iterdir()) if path.name != f".{ABOUT}.new"]:
            raise PartsError(f"{folder} holds other files, {others[0]} among them. Name a new folder.")
    elif (reason := _difference(file, about)) and not again:
        raise PartsError(f"{reason} Name another folder, or start over with --again.")
    if again:
        for path in [*folder.glob("part-*.parquet"), *folder.glob(".part-*.parquet.new")]:
            path.unlink()
    files.write(file, json.dumps(about, indent=1).encode() + b"\n")


def _difference(file: Path, about: dict) -> str:
    try:
        found = json.loads(file.read_bytes())
        different = [name for name in about | found if found.get(name) != about.get(name)]
    except (ValueError, TypeError):
        return f"{file} is damaged, so that it is unknown what the parts beside it are."
    if not different:
        return ""
    name = different[0]
    return f"{file.parent} holds another table: its {name} is {found.get(name)}, not {about.get(name)}."
