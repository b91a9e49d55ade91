"""Files that are only frames one after the other (MP3, AAC in ADTS, AMR): finds the frames, and leaves out what is none.

Decoders lose their place in damage or invent sound from it, and do not say how much is gone.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from coughlab.audio import mpeg

#: Length of the frame that begins at a place in bytes; 0 if none does.
Length = Callable[[bytes, int], int]

_LENGTHS: dict[str, Length] = {"mp3": mpeg.mpeg_length, "aac": mpeg.adts_length}
#: The longest frame of each format, in bytes: where a file is cut anywhere, its first whole frame comes no later.
_LONGEST = {"mp3": 2881, "aac": 8191}
#: As many frames have to follow each other to be sure: two bytes look like the beginning of one once in 2,000 by chance ...
_IN_A_ROW = 4
#: ... and one byte like that of an AMR frame once in 12.
_IN_A_ROW_AMR = 6
_SYNC = re.compile(rb"\xff[\xe2-\xff]")
_AMR = re.compile(rb"#!AMR(-WB)?\n")
_ANY = re.compile(rb"[\x00-\x7c]")
#: Bytes of each type of frame: 3GPP TS 26.101 and 26.201.
_AMR_BYTES = (13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1)
_AMR_WB_BYTES = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1)
#: Bits of the first byte of an AMR frame that are 0 (RFC 4867).
_AMR_ZERO = 0x83
#: Where so many places are no frame, the rest is none.
_MAX_PLACES = 100_000
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")


class Walk(NamedTuple):
    """The frames of a file."""

    #: The file without what is no frame.
    data: bytes
    #: Frames that are missing between others, about.
    lost: float = 0.0
    #: Whether the end is missing.
    cut_short: bool = False


def found(data: bytes) -> tuple[str, int] | None:
    """Format, ``mp3`` or ``aac``, and place of the first frame; None if there is none near the start.

    Before it may be zeros or 0xFF of any number, or part of a frame.
    """
    fill = re.match(rb"\x00*\xff*", data)
    start = max(fill.end() - 1, 0) if fill else 0
    for match in _SYNC.finditer(data, start, start + max(_LONGEST.values()) + 2):
        at = match.start()
        for kind, length in _LENGTHS.items():
            if at <= start + _LONGEST[kind] and _in_a_row(data, at, length, _IN_A_ROW, to_end=False):
                return kind, at
    return None


def walk(data: bytes, kind: str) -> Walk:
    """Leave out all that is no frame; a file of another format, or without frames that follow each other, stays as it is."""
    if kind == "amr":
        begin = _AMR.match(data)
        return _walk(data, begin.end(), _amr_length(begin), _ANY, _IN_A_ROW_AMR) if begin else Walk(data)
    if kind not in _LENGTHS or not _in_a_row(data, 0, _LENGTHS[kind], _IN_A_ROW, to_end=True):
        return Walk(data)
    return _walk(data, 0, _LENGTHS[kind], _SYNC, _IN_A_ROW)


def _amr_length(begin: re.Match[bytes]) -> Length:
    sizes = _AMR_WB_BYTES if begin[1] else _AMR_BYTES

    def length(data: bytes, at: int) -> int:
        return sizes[data[at] >> 3 & 15] if at < len(data) and not data[at] & _AMR_ZERO else 0

    return length


def _walk(data: bytes, begin: int, length: Length, sync: re.Pattern[bytes], in_a_row: int) -> Walk:
    parts, at, start, count, gaps = [data[:begin]], begin, begin, 0, 0
    while at < len(data):
        size = length(data, at)
        if size and at + size <= len(data):
            count, at = count + 1, at + size
            continue
        parts.append(data[start:at])
        places = (match.start() for match in islice(sync.finditer(data, at + 1), _MAX_PLACES))
        start = next((one for one in places if _in_a_row(data, one, length, in_a_row, to_end=True)), 0)
        if not start:
            break
        gaps += 0 if data.startswith(_TAGS, at) else start - at
        at = start
    else:
        parts.append(data[start:])
    size = sum(map(len, parts)) - begin
    lost = gaps * count / size if size else 0.0
    stated = mpeg.stated_frames(data)
    missing = stated - (count - 1)
    # The index knows better, unless it is that of the first of several files.
    if stated and missing >= 0 and gaps:
        lost = missing
    cut_short = not start and at < len(data) and _begins(data, at, length)
    return Walk(b"".join(parts), lost, cut_short or bool(stated and missing > 1 and not gaps))


def _begins(data: bytes, at: int, length: Length) -> bool:
    """Whether a frame begins at a place, also if its header is cut."""
    return bool(length(data[at : at + 16] + bytes(16), 0)) and data[at] != 0


def _in_a_row(data: bytes, at: int, length: Length, least: int, *, to_end: bool) -> bool:
    """Whether frames follow each other from a place; fewer are enough if the file ends with them."""
    for number in range(least):
        size = length(data, at)
        if not size or at + size > len(data):
            return to_end and number > 0 and (at == len(data) or bool(size))
        at += size
    return True
