"""What the header of a file claims: format, brand, length, and claims that no decoder should see.

Nothing is decoded here. Chunks and boxes are parsed only as far as needed before untrusted bytes reach a decoder written in C.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal

Order = Literal["little", "big"]

# Each format has the name of its FFmpeg demuxer. The demuxer is always named: if FFmpeg probed the file, it could choose a
# playlist. No text begins with a byte below 9, as an ISO box does. UTF-16 text may begin with 0xFF and then a byte that in MPEG
# audio means Layer I, which is no longer used and is therefore not accepted.
_MAGIC = {
    "wav": rb"(RIFF|RIFX|RF64|BW64)....WAVE",
    "aiff": rb"FORM....AIF[FC]",
    "flac": rb"fLaC",
    "ogg": rb"OggS",
    "au": rb"\.snd|dns\.",
    "caf": rb"caff",
    "amr": rb"#!AMR",
    "matroska": rb"\x1a\x45\xdf\xa3",
    "mov": rb"[\x00-\x08]...(ftyp|moov|mdat|wide|free|skip)",
    "aac": rb"\xff[\xf0\xf1\xf8\xf9]",
    "mp3": rb"\xff[\xe2-\xe5\xf2-\xf5\xfa-\xfd][\x00-\xef]|ID3",
}


# A minute of Ogg with the shortest packets, one per page, has 24 000 pages; a WAV file has a few chunks.
_MAX_PARTS = 100_000
_MAX_TAGS = 100


def sniff(data: bytes) -> str | None:
    """Name of the format, or None if it is not supported."""
    for kind, magic in _MAGIC.items():
        if re.match(magic, data, re.DOTALL):
            return kind
    return None


def without_id3(data: bytes) -> bytes:
    """Remove leading ID3 tags, which can precede any format; keep them if no known format follows."""
    at = 0
    for _ in range(_MAX_TAGS):
        if data[at : at + 3] != b"ID3" or len(data) < at + 10:
            break
        size = sum(
            (byte & 127) << shift for byte, shift in zip(data[at + 6 : at + 10], (21, 14, 7, 0), strict=True)
        )
        at += 10 + size + (10 if data[at + 5] & 0x10 else 0)
    rest = data[at:]
    return rest if sniff(rest) else data


def container_name(data: bytes, kind: str) -> str:
    """Common name of the container: the brand where one format has several."""
    if kind == "matroska":
        return "webm" if b"\x42\x82\x84webm" in data[:1024] else "matroska"
    if kind == "mov":
        brand = data[8:11] if data[4:8] == b"ftyp" else b"qt "
        return {b"M4A": "m4a", b"M4B": "m4a", b"3gp": "3gp", b"3g2": "3gp", b"qt ": "mov"}.get(brand, "mp4")
    return kind


def wav_format(data: bytes) -> tuple[int, int]:
    """Format tag (1 for PCM, 3 for float) and bits per sample."""
    order = _order(data)
    start = next((start for name, start, _ in _chunks(data, order) if name == b"fmt "), len(data))
    tag, bits = data[start : start + 2], data[start + 14 : start + 16]
    return int.from_bytes(tag, order), int.from_bytes(bits, order)


def misread(data: bytes, kind: str) -> bool:
    """Whether libsndfile would misread a file: it reads WAV samples of fewer than 8 bits as 8 bits."""
    if kind != "wav":
        return False
    tag, bits = wav_format(data)
    return tag in (1, 3, 0xFFFE) and 0 < bits < 8


def explodes(data: bytes, kind: str, max_entries: int) -> bool:
    """Whether FFmpeg would need a thousand times the file's size in memory.

    In ISO media the causes are tables given by a count, and compressed headers. The whole file is searched for them, because
    FFmpeg accepts them at any place. In WAV the causes are tags: FFmpeg allocates memory for any size that they claim.
    """
    if kind == "wav":
        return any(size > len(data) for name, _, size in _chunks(data, _order(data)) if name != b"data")
    if kind != "mov":
        return False
    counts = re.findall(rb"\x00...(?:stsz.{8}|trun.{4})(.{4})", data, re.DOTALL)
    entries = sum(int.from_bytes(count) for count in counts)
    disguised = re.search(rb"dcomzlib|\x00\x00\x00\x01(stsz|trun)", data)
    return bool(disguised) or entries > min(len(data), max_entries)


def crowded(data: bytes, kind: str) -> bool:
    """Whether a file has more parts than any real recording: millions of small parts keep a decoder busy for a long time."""
    if kind in ("wav", "aiff"):
        return any(islice(_chunks(data, _order(data)), _MAX_PARTS, None))
    # After a page with a wrong checksum FFmpeg goes back to search for the next page.
    return kind == "ogg" and data.count(b"OggS") > _MAX_PARTS


def mended(data: bytes, kind: str) -> bytes:
    """The bytes; in a WAV file, a size of 0, which streaming leaves, is replaced by the size that means "to the end"."""
    if kind != "wav":
        return data
    order = _order(data)
    start = next(
        (start for name, start, size in _chunks(data, order) if name == b"data" and not size), len(data)
    )
    after, begin, length = next(_chunks(data, order, start), (b"", 0, 0))
    another_chunk = after.strip().isalnum() and begin + length <= len(data)
    if start == len(data) or another_chunk:
        return data
    return data[: start - 4] + b"\xff\xff\xff\xff" + data[start:]


def cut_short(data: bytes, kind: str) -> bool:
    """Whether a file is shorter than its header says."""
    return kind in _CUT_SHORT and _CUT_SHORT[kind](data)


def _chunks(data: bytes, order: Order, at: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and claimed size of each chunk of a RIFF or IFF file."""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], order)
        yield data[at : at + 4], at + 8, size
        at += 8 + size + size % 2


def _order(data: bytes) -> Order:
    return "little" if data[:4] in (b"RIFF", b"RF64", b"BW64") else "big"


def _iff_cut_short(data: bytes) -> bool:
    sound = (chunk for chunk in _chunks(data, _order(data)) if chunk[0] in (b"data", b"SSND"))
    _, start, size = next(sound, (b"", 0, 0))
    return size != 0xFFFFFFFF and start + size > len(data)  # all ones: a stream


def _ogg_cut_short(data: bytes) -> bool:
    page = data[data.rfind(b"OggS") :]
    body = 27 + page[26] if len(page) > 26 else len(page) + 1
    ends_stream = len(page) > 5 and page[5] & 4
    return not ends_stream or body + sum(page[27:body]) > len(page)


def _mp3_cut_short(data: bytes) -> bool:
    at = max(data.find(b"Xing", 0, 64), data.find(b"Info", 0, 64))
    flags = int.from_bytes(data[at + 4 : at + 8])
    if at < 0 or not flags & 2:
        return False
    at += 8 + 4 * (flags & 1)
    return int.from_bytes(data[at : at + 4]) > len(data)


def _ebml_cut_short(data: bytes) -> bool:
    at = data.find(b"\x18\x53\x80\x67", 0, 4096) + 4  # the Segment
    if at < 4 or at >= len(data) or not data[at]:
        return False
    length = 9 - data[at].bit_length()
    unknown = (1 << 7 * length) - 1
    size = int.from_bytes(data[at : at + length]) & unknown
    return size != unknown and at + length + size > len(data)


def _iso_cut_short(data: bytes) -> bool:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size < 8:  # 0: to the end of the file
            return False
        at += size
    return at > len(data)


_CUT_SHORT = {
    "wav": _iff_cut_short,
    "aiff": _iff_cut_short,
    "ogg": _ogg_cut_short,
    "mp3": _mp3_cut_short,
    "matroska": _ebml_cut_short,
    "mov": _iso_cut_short,
}
