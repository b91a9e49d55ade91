"""Unpacks an untrusted ZIP file, or says in plain words why not.

Everything is checked in the archive's list of contents before a byte is written. No more is unpacked than the list says.
"""

import io
import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from coughlab.system import junk, memory_folder

#: Compression methods that need a bounded amount of memory; others may need gigabytes.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_AS_USUAL = "Make it again with your system's own 'compress' or 'send to ZIP', without a password."
#: Advice for a dataset that is too large to upload.
ELSEWHERE = "Take a part of the dataset, or audit it on your own computer with the command line."
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MEGABYTE = 2**20
_DIRECTORY_ENTRY = b"PK\x01\x02"


class ArchiveError(ValueError):
    """An archive that is refused; the message says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """Limits on the contents of an archive."""

    max_bytes: int = 100 * _MEGABYTE
    #: Including folders.
    max_files: int = 5_000
    #: This and the following limits count unpacked bytes.
    max_file_bytes: int = 120 * _MEGABYTE
    #: A list of recordings (CSV, TSV or JSON): reading one takes many times its size in memory.
    max_list_bytes: int = 8 * _MEGABYTE
    max_total_bytes: int = 1024 * _MEGABYTE
    #: Unpacked size divided by packed size, of all files together. Recordings shrink to a half or a third, silence to a
    #: thousandth.
    max_ratio: float = 100.0
    #: Depth of nested folders.
    max_depth: int = 10
    #: Advice for an archive that exceeds a limit.
    instead: str = ELSEWHERE


LIMITS = Limits()
#: An entry and its path inside the folder.
Entry = tuple[zipfile.ZipInfo, PurePosixPath]


@contextmanager
def unpacked(file: str | os.PathLike[str] | BinaryIO, limits: Limits = LIMITS) -> Iterator[Path]:
    """As `unpack`, but into memory: nothing is written to a disk. The folder is removed at the end, even after an error."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(memory_folder.folder())
        except OSError as error:
            raise ArchiveError(
                "This server has no room in memory to unpack a ZIP. Tell its administrator; single recordings can be sent still."
            ) from error
        yield unpack(file, folder, limits)


def unpack(
    file: str | os.PathLike[str] | BinaryIO, folder: str | os.PathLike, limits: Limits = LIMITS
) -> Path:
    """Unpack a ZIP into an empty folder. Return that folder, or the only folder in it if the archive has nothing else at its top.

    ArchiveError: the file is not a ZIP, is damaged or encrypted, or exceeds a limit; or an entry is a link, has a name that leads
    out of the folder, or occurs twice. The caller then has to delete the folder's contents.
    """
    folder = Path(folder)
    with Path(file).open("rb") if isinstance(file, str | os.PathLike) else nullcontext(file) as data:
        try:
            _check_size(data, limits)
            with zipfile.ZipFile(data) as archive:
                entries = _checked(archive.infolist(), limits)
                _check_total(entries, limits)
                _write(archive, entries, folder)
        except ArchiveError:
            raise
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError) as error:
            raise ArchiveError(
                "This is not a ZIP file, or it is damaged. Make it again and try once more."
            ) from error
        except NotImplementedError as error:
            raise ArchiveError(f"The ZIP uses something that cannot be read here. {_AS_USUAL}") from error
        except OSError as error:
            raise ArchiveError(
                "The ZIP could not be unpacked: there is no room for so much, or it cannot be written to."
            ) from error
    at_top = [path for path in folder.iterdir() if not junk.is_junk(path.name)]
    return at_top[0] if len(at_top) == 1 and at_top[0].is_dir() else folder


def _check_size(data: BinaryIO, limits: Limits) -> None:
    """Refuse an archive that is too large or lists too many files: zipfile would read the whole list into memory."""
    size = data.seek(0, io.SEEK_END)
    if size > limits.max_bytes:
        raise ArchiveError(
            f"The ZIP has {_megabytes(size)}, and at most {_megabytes(limits.max_bytes)} are taken here. {limits.instead}"
        )
    data.seek(0)
    found, rest = 0, b""
    while block := data.read(_MEGABYTE):
        found += (rest + block).count(_DIRECTORY_ENTRY)
        rest = block[1 - len(_DIRECTORY_ENTRY) :]
    # The four bytes may also occur by chance in compressed sound.
    if found > limits.max_files + 100:
        raise _too_many(limits)


def _too_many(limits: Limits) -> ArchiveError:
    return ArchiveError(
        f"The ZIP holds more than {limits.max_files:,} files and folders, the most that are taken here. {limits.instead}"
    )


def _checked(infos: list[zipfile.ZipInfo], limits: Limits) -> list[Entry]:
    """The entries, without what systems and programs leave behind."""
    if len(infos) > limits.max_files:
        raise _too_many(limits)
    entries: list[Entry] = []
    files: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for info in infos:
        path = _path(info, limits)
        if not path.parts:
            continue
        _check_entry(info, path, limits)
        if path in files:
            raise ArchiveError(f"The ZIP holds two things of the name {_quoted(path)}. Make it again.")
        (folders if _is_folder(info) else files).add(path)
        folders.update(path.parents)
        entries.append((info, path))
    if clash := files & folders:
        raise ArchiveError(f"In the ZIP, {_quoted(min(clash))} is both a file and a folder. Make it again.")
    if not files:
        raise ArchiveError(
            "The ZIP holds no files, except hidden folders and what systems and programs leave behind."
            if any(not _is_folder(info) for info in infos)
            else "The ZIP holds no files."
        )
    return entries


def _path(info: zipfile.ZipInfo, limits: Limits) -> PurePosixPath:
    """Path of an entry, empty if the entry is not to be unpacked.

    Some Windows programs write backslashes between folders, against the standard.
    """
    name = info.filename.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or re.match("[A-Za-z]:", name):
        raise ArchiveError(
            f"The ZIP wants to write outside its own folder: {_quoted(name)}. It is not unpacked."
        )
    # What is not unpacked may have a name that cannot be printed, such as that of an icon of macOS, or lie very deep.
    if junk.is_left_behind("/".join(parts)):
        return PurePosixPath()
    if _CONTROL.search(name) or any(len(part.encode(errors="replace")) > 255 for part in parts):
        raise ArchiveError(
            f"The ZIP holds a name that is too long or cannot be printed: {_quoted(name)}. Rename it."
        )
    if len(parts) > limits.max_depth:
        raise ArchiveError(
            f"The ZIP has more than {limits.max_depth} folders in each other: {_quoted(name)}."
        )
    return PurePosixPath(*parts)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(("/", "\\"))


def _check_entry(info: zipfile.ZipInfo, path: PurePosixPath, limits: Limits) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveError(
            f"{_quoted(path)} in the ZIP is a link or a device, not a file. Put the files themselves into the ZIP."
        )
    if info.flag_bits & 0x1:
        raise ArchiveError(f"The ZIP is locked with a password. {_AS_USUAL}")
    if info.compress_type not in METHODS:
        raise ArchiveError(f"{_quoted(path)} is compressed in an uncommon way. {_AS_USUAL}")
    is_list = path.suffix.lower() in (".csv", ".tsv", ".json")
    limit, what = (limits.max_list_bytes, "list") if is_list else (limits.max_file_bytes, "single file")
    if info.file_size > limit:
        raise ArchiveError(
            f"{_quoted(path)} has {_megabytes(info.file_size)} unpacked, and a {what} may have at most {_megabytes(limit)}."
            f" {limits.instead}"
        )


def _check_total(entries: list[Entry], limits: Limits) -> None:
    total, packed = (
        sum(getattr(info, size) for info, _ in entries) for size in ("file_size", "compress_size")
    )
    if total > limits.max_total_bytes:
        raise ArchiveError(
            f"The ZIP would unpack to {_megabytes(total)}, and at most {_megabytes(limits.max_total_bytes)} are taken"
            f" here. {limits.instead}"
        )
    if total > limits.max_ratio * max(packed, _MEGABYTE):
        raise ArchiveError(
            f"The ZIP would unpack to more than {limits.max_ratio:g} times its size, which recordings do not."
            " It is not unpacked."
        )


def _write(archive: zipfile.ZipFile, entries: list[Entry], folder: Path) -> None:
    for info, path in entries:
        target = folder / path
        if _is_folder(info):
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # Reads no more than the size in the list, which was checked. Fails if there is less, or if the checksum differs.
        with archive.open(info) as packed, target.open("xb") as unpacked:
            shutil.copyfileobj(packed, unpacked, _MEGABYTE)


def _quoted(name: object) -> str:
    """A name from the archive, short enough for a sentence and without characters that cannot be printed."""
    name = "".join(c if c.isprintable() else "?" for c in str(name))
    return f"'{name if len(name) <= 80 else f'{name[:77]}...'}'"


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.0f} MB"
