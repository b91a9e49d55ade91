"""WebM and Matroska (RFC 8794, RFC 9559): finds where a file is cut, and covers damage that would hide all that follows."""

import re
from itertools import islice

_SEGMENT, _CLUSTER, _VOID = 0x18538067, 0x1F43B675, 0xEC
#: What may be in a segment or a cluster: its parts, blocks and groups of them, times, places, padding and checksums.
_KNOWN = frozenset(
    {
        *(0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1043A770, 0x1941A469, 0x1C53BB6B, 0x1254C367, _CLUSTER),
        *(0xA3, 0xA0, 0xA1, 0xE7, 0xA7, 0xAB, 0x5854, _VOID, 0xBF),
    }
)
_BLOCKS = frozenset({0xA3, 0xA0})
_SIMPLE_BLOCK, _LACING, _RESERVED = 0xA3, 0x06, 0x70
_BEGINS = re.compile(rb"[\xa3\xa0]|\x1f\x43\xb6\x75")
#: So many known elements that follow each other are no coincidence.
_IN_A_ROW = 3
_BEHIND = 1_000
_MAX_ELEMENTS, _MAX_PLACES, _MAX_REPAIRS = 100_000, 50_000, 20


def mended(data: bytes) -> tuple[bytes, bool]:
    """The file with damage covered by padding, and whether its end is missing."""
    at = _segment(data)
    if at is None:
        return data, False
    result, before, repairs = bytearray(data), at, 0
    laced: dict[int, int] = {}
    for _ in range(_MAX_ELEMENTS):
        if at >= len(data):
            return bytes(result), at > len(data)
        element = _element(data, at)
        if element:
            if element[0] == _SIMPLE_BLOCK and not _is_sound(data, element[2], laced):
                result[at] = _VOID  # FFmpeg would drop all up to the next cluster
            before, at = at, element[1]
            continue
        places = (match.start() for match in islice(_BEGINS.finditer(data, before + 2), _MAX_PLACES))
        following = next((place for place in places if _in_a_row(data, place)), None)
        repairs += 1
        if following is None or repairs > _MAX_REPAIRS:
            # What some programs put behind a file is short, or zeros.
            return bytes(result), len(data[at:].strip(b"\0")) > _BEHIND
        # Either the element's end is right and damage follows, or its size is wrong.
        start = at if following >= at + 2 else before
        result[start:following] = _padding(following - start)
        at = before = following
    return bytes(result), False


def _segment(data: bytes) -> int | None:
    """Where the content of the segment begins."""
    header = _element(data, 0, known=False)
    segment = _element(data, header[1], known=False) if header else None
    return segment[2] if segment and segment[0] == _SEGMENT else None


def _element(data: bytes, at: int, *, known: bool = True) -> tuple[int, int, int] | None:
    """Name, end and start of the content of the element at a place; that of a cluster is what follows."""
    name_length = 9 - data[at].bit_length() if at < len(data) else 9
    size_at = at + name_length
    if name_length > 4 or size_at >= len(data):
        return None
    name = int.from_bytes(data[at:size_at])
    size_length = 9 - data[size_at].bit_length()
    content = size_at + size_length
    if (known and name not in _KNOWN) or size_length > 8 or content > len(data):
        return None
    size = int.from_bytes(data[size_at:content]) & ((1 << 7 * size_length) - 1)
    if name in (_CLUSTER, _SEGMENT):
        return name, content, content
    if name in _BLOCKS and size < 5:
        return None
    return name, content + size, content


def _is_sound(data: bytes, at: int, laced: dict[int, int]) -> bool:
    """Whether the header of a block can be right; `laced` holds by track how its first block is laced."""
    head = data[at : at + 4]
    if len(head) < 4:  # the file is cut here
        return True
    track, flags = head[0], head[3]
    lacing = flags & _LACING
    return track >= 0x81 and not flags & _RESERVED and lacing in (0, laced.setdefault(track, lacing))


def _in_a_row(data: bytes, at: int) -> bool:
    for _ in range(_IN_A_ROW):
        element = _element(data, at)
        if not element or element[1] > len(data):
            return False
        at = element[1]
        if at == len(data):
            return True
    return True


def _padding(size: int) -> bytes:
    """A Void element of a size, at least two bytes."""
    if size < 9:
        return bytes([_VOID, 0x80 | (size - 2)]) + bytes(size - 2)
    return bytes([_VOID, 0x01]) + (size - 9).to_bytes(7) + bytes(size - 9)
