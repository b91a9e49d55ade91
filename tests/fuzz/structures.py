"""Files as trees of parts, so that a part can be changed while sizes, paddings and checksums stay correct.

A decoder checks a checksum first. A mutation with a wrong checksum tests little more than the checksum.
"""

import binascii
import re
import struct
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise


@dataclass(frozen=True)
class Part:
    """A chunk, box, element, page, block or frame.

    Attributes
    ----------
    name : bytes
        The bytes before the size: the tag or the header.
    body : bytes or tuple of Part
        Its content.
    size : int or None
        The stored length, where it is wrong on purpose.
    """

    name: bytes
    body: bytes | tuple
    size: int | None = None

    def with_(self, **changes):
        return replace(self, **changes)


def _written(number, width, order):
    return (number % 256**width).to_bytes(width, order)


# RIFF, AIFF and CAF: a header, then chunks --------------------------------------------------------------


def _chunks(data, width, order, padded):
    at, parts = 0, []
    while at + 4 + width <= len(data):
        size = int.from_bytes(data[at + 4 : at + 4 + width], order)
        start = at + 4 + width
        parts.append(Part(data[at : at + 4], data[start : start + size]))
        at = start + size + (size % 2 if padded else 0)
    return tuple(parts)


def _chunk(part, width, order, padded):
    size = len(part.body) if part.size is None else part.size
    return part.name + _written(size, width, order) + part.body + bytes(len(part.body) % 2 if padded else 0)


def _iff(order):
    """A file is one chunk; its name here is the tag and the form type after the size."""

    def parse(data):
        return (Part(data[:4] + data[8:12], _chunks(data[12:], 4, order, True)),)

    def build(parts):
        whole = []
        for part in parts:
            tag, kind = part.name[:4], part.name[4:]
            body = kind + (part.body if isinstance(part.body, bytes) else build(part.body))
            whole.append(_chunk(Part(tag, body, part.size), 4, order, True))
        return b"".join(whole)

    return parse, build


def _parse_caf(data):
    return (Part(data[:8], b""), *_chunks(data[8:], 8, "big", False))


def _build_caf(parts):
    return b"".join(part.name if len(part.name) > 4 else _chunk(part, 8, "big", False) for part in parts)


# ISO media: boxes in boxes ------------------------------------------------------------------------------

_BOXES = b"moov trak mdia minf dinf stbl moof traf mvex edts udta".split()


def _parse_iso(data):
    at, parts = 0, []
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + size] if size >= 8 else data[at + 8 :]
        parts.append(Part(name, _parse_iso(body) if name in _BOXES else body))
        at += 8 + len(body)
    return tuple(parts)


def _build_iso(parts):
    whole = b""
    for part in parts:
        body = part.body if isinstance(part.body, bytes) else _build_iso(part.body)
        whole += _written(8 + len(body) if part.size is None else part.size, 4, "big") + part.name + body
    return whole


# Matroska and WebM: elements in elements -----------------------------------------------------------------

_ELEMENTS = [bytes.fromhex(name) for name in ("1a45dfa3", "18538067", "1654ae6b", "ae", "1f43b675", "e1")]


def _vint(data, at, keep_marker):
    length = 9 - data[at].bit_length()
    number = int.from_bytes(data[at : at + length])
    return (number if keep_marker else number & ((1 << 7 * length) - 1)), length


def _parse_ebml(data):
    at, parts = 0, []
    while at + 2 <= len(data) and data[at]:
        _, width = _vint(data, at, True)
        name = data[at : at + width]
        at += width
        if at >= len(data) or not data[at]:
            break
        size, width = _vint(data, at, False)
        if size == (1 << 7 * width) - 1:
            size = len(data)
        at += width
        body = data[at : at + size]
        parts.append(Part(name, _parse_ebml(body) if name in _ELEMENTS else body))
        at += size
    return tuple(parts)


def _build_ebml(parts):
    whole = []
    for part in parts:
        body = part.body if isinstance(part.body, bytes) else _build_ebml(part.body)
        size = len(body) if part.size is None else part.size
        whole.append(part.name + b"\x01" + _written(size, 7, "big") + body)
    return b"".join(whole)


# Ogg: pages under a checksum ----------------------------------------------------------------------------

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_crc(data):
    """CRC-32 like zlib's, but with reversed bit order, start value 0 and no inversion."""
    crc = binascii.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)


def _parse_ogg(data):
    return tuple(Part(b"OggS", page) for page in data.split(b"OggS")[1:])


def _build_ogg(parts):
    whole = []
    for part in parts:
        page = part.name + part.body
        page = page[:22] + bytes(4) + page[26:]
        whole.append(page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:])
    return b"".join(whole)


# FLAC: blocks, then frames under two checksums ------------------------------------------------------------


@cache
def _crc_table(width, polynomial):
    table = []
    for byte in range(256):
        crc = byte << (width - 8)
        for _ in range(8):
            crc = (crc << 1) ^ ((1 << width | polynomial) if crc >> (width - 1) else 0)
        table.append(crc)
    return table


def _crc(data, width, polynomial):
    table, crc, mask = _crc_table(width, polynomial), 0, (1 << width) - 1
    for byte in data:
        crc = (crc << 8 & mask) ^ table[(crc >> (width - 8)) ^ byte]
    return crc


def _frame_header(data):
    """Length of the header of a FLAC frame, without its checksum."""
    if len(data) < 6:
        return len(data)
    number = max(1, 8 - (data[4] ^ 0xFF).bit_length())
    size, rate = data[2] >> 4, data[2] & 15
    return 4 + number + {6: 1, 7: 2}.get(size, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)


def _parse_flac(data):
    at, last, parts = 4, False, []
    while not last and at + 4 <= len(data):
        last = data[at] & 0x80
        size = int.from_bytes(data[at + 1 : at + 4])
        parts.append(Part(data[at : at + 1], data[at + 4 : at + 4 + size]))
        at += 4 + size
    starts = [match.start() for match in re.finditer(rb"\xff[\xf8\xf9]", data[at:])]
    starts = [at + start for start in starts if _is_frame(data[at + start : at + start + 20])]
    for start, end in pairwise([*starts, len(data)]):
        header = _frame_header(data[start : start + 20])
        parts.append(Part(data[start : start + header], data[start + header + 1 : end - 2]))
    return tuple(parts)


def _is_frame(data):
    header = _frame_header(data)
    return header < len(data) and _crc(data[:header], 8, 0x07) == data[header]


def _build_flac(parts):
    whole = [b"fLaC"]
    for part in parts:
        if len(part.name) == 1:
            size = len(part.body) if part.size is None else part.size
            whole.append(part.name + _written(size, 3, "big") + part.body)
            continue
        frame = part.name + bytes([_crc(part.name, 8, 0x07)]) + part.body
        whole.append(frame + struct.pack(">H", _crc(frame, 16, 0x8005)))
    return b"".join(whole)


# MPEG and ADTS: frames with similar headers ---------------------------------------------------------------


def _parse_frames(data):
    sync = data[max(0, data.find(b"\xff")) :][:2]
    return tuple(Part(sync, frame) for frame in data.split(sync)[1:]) if len(sync) == 2 else ()


def _build_frames(parts):
    return b"".join(part.name + part.body for part in parts)


# ZIP: entries, their list, and the end of it -----------------------------------------------------------------


def _parse_zip(data):
    starts = [match.start() for match in re.finditer(rb"PK[\x01-\x08][\x02-\x08]", data)]
    return tuple(
        Part(data[start : start + 4], data[start + 4 : end]) for start, end in pairwise([*starts, len(data)])
    )


#: The parser and the builder of each format.
STRUCTURES = {
    "wav": _iff("little"),
    "aiff": _iff("big"),
    "caf": (_parse_caf, _build_caf),
    "mov": (_parse_iso, _build_iso),
    "matroska": (_parse_ebml, _build_ebml),
    "ogg": (_parse_ogg, _build_ogg),
    "flac": (_parse_flac, _build_flac),
    "mp3": (_parse_frames, _build_frames),
    "aac": (_parse_frames, _build_frames),
    "zip": (_parse_zip, _build_frames),
}
