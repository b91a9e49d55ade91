"""WAV and AIFF headers: what they claim, and repairs for readers that take a claim too literally."""

import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

Order = Literal["little", "big"]
#: Sizes from here on stand for an unknown size: programs that write to a pipe put 0x7F000000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000
#: or 0xFFFFFFFF there, some less the size of the header.
UNKNOWN_SIZE = 0x7F000000
_NAMES = (b"data", b"fmt ", b"LIST", b"fact", b"id3 ", b"ID3 ", b"bext", b"cue ", b"JUNK", b"junk")
_PCM, _EXTENSIBLE = 1, 0xFFFE
#: Samples that are converted at once; bounds memory.
_TOGETHER = 2**18
#: Format tags of codecs that code a fixed number of samples in each block: MS ADPCM, IMA ADPCM, GSM 6.10.
_BLOCKS = (0x02, 0x11, 0x31)


class Format(NamedTuple):
    """What the ``fmt`` chunk of a WAV file claims; 0 where it ends too early."""

    tag: int
    channels: int
    rate: int
    #: Bytes of one sample of all channels, or of one coded block.
    align: int
    bits: int
    #: Bits of a sample in use, or samples in a coded block.
    extra: int


def chunks(data: bytes, at: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and claimed size of each chunk of a RIFF or IFF file."""
    order = _order(data)
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], order)
        if name == b"data" and size == 0xFFFFFFFF and data[12:16] == b"ds64":  # RF64: EBU Tech 3306
            size = int.from_bytes(data[28:36], order) or size
        yield name, at + 8, size
        at += 8 + size + size % 2


def starts(data: bytes) -> Iterator[int]:
    """Where further files begin that were joined to this one."""
    return (
        start - 8
        for name, start, _ in chunks(data)
        if name in (b"RIFF", b"FORM") and data[start : start + 3] in (b"WAV", b"AIF")
    )


def wav_format(data: bytes) -> Format:
    """The format; the tag of an extensible format is that of its subformat."""
    order = _order(data)
    start, size = next(((start, size) for name, start, size in chunks(data) if name == b"fmt "), (0, 0))
    body = data[start : start + min(size, 40)]

    def number(at: int, length: int = 2) -> int:
        return int.from_bytes(body[at : at + length], order)

    tag = number(0)
    if tag == _EXTENSIBLE:
        tag = number(24, 4) & 0xFFFF
    return Format(tag, number(2), number(4, 4), number(12), number(14), number(18))


def mended(data: bytes) -> bytes:
    """A WAV file without what readers misread: sizes of 0 that streaming leaves, and samples narrower than their bytes."""
    return _packed(_with_size(_padded(data)))


def frames(data: bytes) -> int | None:
    """Samples of each channel that the blocks of a WAV file hold; None if its codec has no blocks.

    The last block may be filled up, which the ``fact`` chunk tells, and so may the chunk, by a byte that belongs to no block.
    """
    form = wav_format(data)
    if form.tag not in _BLOCKS or not form.align or not form.extra:
        return None
    start, size = _data(data)
    whole = min(size, len(data) - start) // form.align * form.extra
    at = next((start for name, start, size in chunks(data) if name == b"fact" and size >= 4), len(data))
    stated = int.from_bytes(data[at : at + 4], _order(data))
    return stated if whole - form.extra < stated <= whole else whole


def cut_short(data: bytes) -> bool:
    """Whether the sound is shorter than the header says."""
    sound = (chunk for chunk in chunks(data) if chunk[0] in (b"data", b"SSND"))
    _, start, size = next(sound, (b"", 0, 0))
    # Some programs count the header too.
    return start + size > len(data) and size < UNKNOWN_SIZE and size not in (len(data), len(data) - 8)


def au_cut_short(data: bytes) -> bool:
    """As `cut_short`, of an AU file."""
    order: Order = "big" if data[:4] == b".snd" else "little"
    start, size = (int.from_bytes(data[at : at + 4], order) for at in (4, 8))
    return size < UNKNOWN_SIZE and start + size > len(data)


def caf_cut_short(data: bytes) -> bool:
    """As `cut_short`, of a CAF file."""
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 12], signed=True)
        if data[at : at + 4] == b"data" or size < 0:
            return size >= 0 and at + 12 + size > len(data)
        at += 12 + size
    return False


def _order(data: bytes) -> Order:
    return "little" if data[:4] in (b"RIFF", b"RF64", b"BW64") else "big"


def _data(data: bytes) -> tuple[int, int]:
    """Start and claimed size of the sound of a WAV file."""
    return next(((start, size) for name, start, size in chunks(data) if name == b"data"), (len(data), 0))


def _padded(data: bytes) -> bytes:
    """Put the byte after a chunk of odd size that some programs forget, and readers want."""
    for name, start, size in chunks(data):
        end = start + size
        if (
            name != b"data"
            and size % 2
            and data[end : end + 4] in _NAMES
            and data[end + 1 : end + 5] not in _NAMES
        ):
            return _padded(data[:end] + b"\0" + data[end:]) if end < 2**20 else data
    return data


def _with_size(data: bytes) -> bytes:
    """Replace a size of 0 with sound behind it by the size that means "to the end"."""
    start, size = _data(data)
    if size or start == len(data):
        return data
    after, begin, length = next(chunks(data, start), (b"", 0, 0))
    if after.strip().isalnum() and begin + length <= len(data):  # another chunk, so there is no sound
        return data
    return data[: start - 4] + b"\xff\xff\xff\xff" + data[start:]


def _packed(data: bytes) -> bytes:
    """Store integer samples that are narrower than their bytes, such as 24 bits in 4 bytes, in as few bytes as they need.

    The standard wants them in the upper bits, and readers look there, but some programs use the lower bits. The samples
    themselves tell which, except for sound below -48 dB in the upper bits, which is taken for louder sound in the lower bits.
    """
    form, order = wav_format(data), _order(data)
    valid = form.extra if 0 < form.extra < form.bits else form.bits
    width, rest = divmod(form.align, form.channels or 1)
    need = -(-valid // 8)
    if form.tag != _PCM or rest or not 2 <= need <= width <= 8 or valid == 8 * width:
        return data
    start, size = _data(data)
    whole = min(size, len(data) - start) // form.align * form.align
    stored = np.frombuffer(data, np.uint8, whole, start).reshape(-1, width)
    parts = [stored[at : at + _TOGETHER] for at in range(0, len(stored), _TOGETHER)]

    def numbers(part: np.ndarray) -> np.ndarray:
        filled = np.zeros((len(part), 8), np.uint8)
        filled[:, 8 - width :] = part if order == "little" else part[:, ::-1]
        return filled.view("<i8")[:, 0] >> (64 - 8 * width)

    spare, half = 8 * width - valid, 1 << (valid - 1)
    lower_bits_used = any((numbers(part) & ((1 << spare) - 1)).any() for part in parts)
    fits = all(((values := numbers(part)) >= -half).all() and (values < 2 * half).all() for part in parts)
    in_lower_bits = fits and (lower_bits_used or width > need)
    if not in_lower_bits and (lower_bits_used or width == need):
        return data

    def narrow(values: np.ndarray) -> bytes:
        # Bits above a sample in the lower bits repeat its sign or are 0.
        lower = ((values + half) % (2 * half) - half) << (8 * need - valid)
        values = lower if in_lower_bits else values >> 8 * (width - need)
        return values.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :need].tobytes()

    packed = b"".join(narrow(numbers(part)) for part in parts)
    align = form.channels * need
    rate = form.rate * align % 2**32
    head = struct.pack("<HHIIHH", _PCM, form.channels, form.rate, rate, align, 8 * need)
    body = (
        b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(packed)) + packed
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
