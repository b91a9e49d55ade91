"""Frames of MPEG audio and of AAC in ADTS: finds the first one in a file that does not begin with it."""

import re
from collections.abc import Callable
from itertools import islice

# Kilobits a second by index, from 1 to 14: ISO/IEC 11172-3 (version 1) and 13818-3 (2 and 2.5).
_RATES = {
    ("1", "II"): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    ("1", "III"): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    ("2", ""): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44_100, 48_000, 32_000)
#: The longest frame of each format, in bytes: where a file is cut anywhere, its first whole frame comes no later.
_LONGEST = {"mp3": 2881, "aac": 8191}
#: As many frames as have to follow each other. Two bytes look like a frame's beginning once in 2,000 by chance.
_IN_A_ROW = 4
_TAG = re.compile(rb"ID3[\x02-\x04].[\x00\x40\x80]([\x00-\x7f]{4})", re.DOTALL)
_INDEX = re.compile(rb"Xing|Info|VBRI")
_SYNC = re.compile(rb"\xff[\xe2-\xff]")


def found(data: bytes) -> tuple[str, int] | None:
    """Format, ``mp3`` or ``aac``, and place of the first frame; None if there is none near the start.

    Before it may be zeros or 0xFF of any number, or part of a frame.
    """
    fill = re.match(rb"\x00*\xff*", data)
    start = max(fill.end() - 1, 0) if fill else 0
    for match in islice(_SYNC.finditer(data, start), _LONGEST["aac"]):
        at = match.start()
        if at > start + _LONGEST["aac"]:
            break
        for kind, length in (("mp3", mpeg_length), ("aac", adts_length)):
            if at <= start + _LONGEST[kind] and _in_a_row(data, at, length):
                return kind, at
    return None


def _in_a_row(data: bytes, at: int, length: Callable[[bytes, int], int]) -> bool:
    for _ in range(_IN_A_ROW):
        size = length(data, at)
        if not size:
            return False
        at += size
    return True


def mpeg_length(data: bytes, at: int) -> int:
    """Bytes of the MPEG audio frame of layer II or III that begins at a place; 0 if none does."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return 0
    version, layer = (head[1] >> 3) & 3, {1: "III", 2: "II"}.get((head[1] >> 1) & 3)
    index, rate, padding = head[2] >> 4, (head[2] >> 2) & 3, (head[2] >> 1) & 1
    if version == 1 or layer is None or index in (0, 15) or rate == 3:
        return 0
    first = version == 3
    kilobits = _RATES["1", layer] if first else _RATES["2", ""]
    hertz = _SAMPLE_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if first or layer == "II" else 72) * kilobits[index - 1] * 1000 // hertz + padding


def adts_length(data: bytes, at: int) -> int:
    """Bytes of the ADTS frame that begins at a place; 0 if none does (ISO/IEC 13818-7)."""
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or (head[2] >> 2) & 15 > 12:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else 0


def without_tags(data: bytes) -> bytes:
    """Remove ID3 tags between frames, as joining files leaves them: the pictures in them can look like frames."""
    parts, at = [], 0
    for match in _TAG.finditer(data):
        start = match.start()
        size = sum(byte << shift for byte, shift in zip(match[1], (21, 14, 7, 0), strict=True))
        end = match.end() + size
        if start >= at and (mpeg_length(data, end) or adts_length(data, end)):
            parts.append(data[at:start])
            at = end
    return b"".join([*parts, data[at:]])


def is_index(packet: bytes) -> bool:
    """Whether a frame holds no sound but the file's length, as encoders put before the first (Xing, LAME, Fraunhofer)."""
    return _INDEX.search(packet, 0, 64) is not None
