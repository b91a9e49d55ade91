"""Headers of MPEG audio frames and of AAC frames in ADTS."""

import re

# Kilobits a second by index, from 1 to 14: ISO/IEC 11172-3 (version 1) and 13818-3 (2 and 2.5).
_RATES = {
    ("1", "II"): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    ("1", "III"): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    ("2", ""): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44_100, 48_000, 32_000)
_INDEX = re.compile(rb"Xing|Info|VBRI")


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


def is_index(packet: bytes) -> bool:
    """Whether a frame holds no sound but the file's length, as encoders put before the first (Xing, LAME, Fraunhofer)."""
    return _INDEX.search(packet, 0, 64) is not None


def stated_frames(data: bytes) -> int:
    """Frames of sound that the first frame says a file has; 0 if it says nothing."""
    match = re.compile(rb"(?:Xing|Info)...([\x00-\xff])(.{4})", re.DOTALL).search(data, 0, 80)
    return int.from_bytes(match[2]) if match and match[1][0] & 1 else 0
