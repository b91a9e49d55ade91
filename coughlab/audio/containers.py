"""What the header of a file claims: format, brand, length, and claims that no decoder should see.

Nothing is decoded here. Chunks and boxes are parsed only as far as needed before untrusted bytes reach a decoder written in C.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice, pairwise

from coughlab.audio import ebml, frames, riff

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
_BOXES = frozenset(b"ftyp moov moof mdat free skip wide udta meta uuid mfra sidx styp prft emsg pnot".split())
_OGG_PAGE = re.compile(rb"OggS\x00[\x00-\x07]")
_OGG_CODECS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
#: Files in one; what follows belongs to the last.
_MAX_LINKS = 1_000


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
    return next((part for part in (rest, *_without_zeros(rest)) if sniff(part)), data)


def recognised(data: bytes) -> tuple[bytes, str | None]:
    """The bytes from where a known format begins, and its name, None if there is no such format."""
    data = without_id3(data)
    part, kind = next(
        ((part, kind) for part in (data, *_without_zeros(data)) if (kind := sniff(part))), (data, None)
    )
    # Two bytes may look like those of a frame by chance.
    if kind in (None, "mp3", "aac") and (first := frames.found(part)):
        kind, at = first
        return part[at:], kind
    return part, kind


def _without_zeros(data: bytes) -> tuple[bytes, bytes]:
    """The bytes without zeros before them; but ISO media begin with a number, whose first bytes are zeros."""
    rest = data.lstrip(b"\0")
    return rest, b"\0\0\0" + rest


def links(data: bytes, kind: str) -> tuple[list[bytes], bool]:
    """The files that were joined to one, without what decoders misread, and whether the end of one is missing.

    Most files are one. Recorders that pause leave several Ogg streams.
    """
    starts = [start for start in _STARTS[kind](data) if start] if kind in _STARTS else []
    parts = [data[start:stop] for start, stop in pairwise([0, *starts[:_MAX_LINKS], len(data)])]
    cut_short = kind in _CUT_SHORT and any(map(_CUT_SHORT[kind], parts))
    if kind == "wav":
        parts = list(map(riff.mended, parts))
    if kind == "matroska":
        mended = [ebml.mended(part) for part in parts]
        parts, cut_short = [part for part, _ in mended], cut_short or any(cut for _, cut in mended)
    if kind == "ogg":  # a recorder that was started and stopped at once leaves only headers
        parts = [part for part in parts if _ogg_times(part)] or parts
    return parts, cut_short


def container_name(data: bytes, kind: str) -> str:
    """Common name of the container: the brand where one format has several."""
    if kind == "matroska":
        return "webm" if b"\x42\x82\x84webm" in data[:1024] else "matroska"
    if kind == "mov":
        brand = data[8:11] if data[4:8] == b"ftyp" else b"qt "
        return {b"M4A": "m4a", b"M4B": "m4a", b"3gp": "3gp", b"3g2": "3gp", b"qt ": "mov"}.get(brand, "mp4")
    return kind


def misread(data: bytes, kind: str) -> bool:
    """Whether libsndfile would misread a file: it reads WAV samples of fewer than 8 bits as 8 bits."""
    if kind != "wav":
        return False
    form = riff.wav_format(data)
    return form.tag in (1, 3) and 0 < form.bits < 8


def explodes(data: bytes, kind: str, max_entries: int) -> bool:
    """Whether FFmpeg would need a thousand times the file's size in memory.

    In ISO media the causes are tables given by a count, and compressed headers. The whole file is searched for them, because
    FFmpeg accepts them at any place. In WAV the causes are tags: FFmpeg allocates memory for any size that they claim.
    """
    if kind == "wav":
        return any(size > len(data) for name, _, size in riff.chunks(data) if name != b"data")
    if kind != "mov":
        return False
    counts = re.findall(rb"\x00...(?:stsz.{8}|trun.{4})(.{4})", data, re.DOTALL)
    entries = sum(int.from_bytes(count) for count in counts)
    disguised = re.search(rb"dcomzlib|\x00\x00\x00\x01(stsz|trun)", data)
    return bool(disguised) or entries > min(len(data), max_entries)


def crowded(data: bytes, kind: str) -> bool:
    """Whether a file has more parts than any real recording: millions of small parts keep a decoder busy for a long time."""
    if kind in ("wav", "aiff"):
        return any(islice(riff.chunks(data), _MAX_PARTS, None))
    # After a page with a wrong checksum FFmpeg goes back to search for the next page.
    return kind == "ogg" and data.count(b"OggS") > _MAX_PARTS


def _ogg_pages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Start, header type and end of each page (RFC 3533); where one is cut, the next begins before its end."""
    for match in _OGG_PAGE.finditer(data):
        at = match.start()
        table = data[at + 27 : at + 27 + data[at + 26]] if len(data) > at + 26 else b""
        yield at, data[at + 5], at + 27 + len(table) + sum(table)


def _ogg_times(data: bytes) -> list[tuple[bytes, int]]:
    """Stream and time at the end of each whole page of sound."""
    pages = (data[start : start + 27] for start, _, end in _ogg_pages(data) if end <= len(data))
    times = ((page[14:18], int.from_bytes(page[6:14], "little")) for page in pages)
    return [(stream, time) for stream, time in times if 0 < time < 2**62]


def ogg_seconds(data: bytes, rate: int) -> float:
    """Time between the first and the last page of an Ogg stream of Vorbis or Opus by its own clock; 0 if it is not known."""
    opus = data.find(b"OpusHead", 0, 512)
    if opus >= 0:
        rate = 48_000  # of its clock, whatever the sound has (RFC 7845)
    skip = int.from_bytes(data[opus + 10 : opus + 12], "little") if opus >= 0 else 0
    times = _ogg_times(data)
    if len({stream for stream, _ in times}) != 1:
        return 0.0
    # A part of a broadcast begins late; its first page holds no more than five seconds.
    begin = times[0][1] if times[0][1] > 10 * rate else skip
    return (times[-1][1] - begin) / rate


def several_tracks(data: bytes, kind: str) -> bool:
    """Whether an Ogg file has several streams of sound at once, of which libsndfile reads the first only."""
    if kind != "ogg":
        return False
    begun = [data[start:end] for start, flags, end in _ogg_pages(data) if flags & 2]
    return sum(any(codec in page[:80] for codec in _OGG_CODECS) for page in begun) > 1


def _ogg_starts(data: bytes) -> Iterator[int]:
    """Where a stream begins after pages of others; streams that begin together are heard together."""
    beginning = True
    for start, flags, _ in _ogg_pages(data):
        begins = bool(flags & 2)
        if begins and not beginning:
            yield start
        beginning = begins


def _ogg_cut_short(data: bytes) -> bool:
    """Whether the last page, or the last packet in it, has no end. The flag of a stream's end is missing in some whole files."""
    start, _, end = max(_ogg_pages(data), default=(0, 0, len(data) + 1))
    if len(data) < start + 27 or end > len(data):
        return True
    table = data[start + 27 : start + 27 + data[start + 26]]
    return len(table) < data[start + 26] or table[-1:] == b"\xff"


def _boxes(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Start, name and end of each box of ISO media; without an end, a box is the last, and what is no box is not read."""
    at = 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if at and name not in _BOXES:
            return
        end = at + size if 8 <= size < riff.UNKNOWN_SIZE else len(data)
        yield at, name, end
        at = end


def _joined(pattern: bytes) -> Callable[[bytes], Iterator[int]]:
    expression = re.compile(pattern, re.DOTALL)
    return lambda data: (match.start() for match in expression.finditer(data))


def _ebml_cut_short(data: bytes) -> bool:
    at = data.find(b"\x18\x53\x80\x67", 0, 4096) + 4  # the Segment
    if at < 4 or at >= len(data) or not data[at]:
        return False
    length = 9 - data[at].bit_length()
    unknown = (1 << 7 * length) - 1
    size = int.from_bytes(data[at : at + length]) & unknown
    return size != unknown and at + length + size > len(data)


def _iso_cut_short(data: bytes) -> bool:
    return any(end > len(data) for _, _, end in _boxes(data))


#: Where files that were joined begin, by format. Frames of MP3 and AAC need no beginning.
_STARTS: dict[str, Callable[[bytes], Iterator[int]]] = {
    "ogg": _ogg_starts,
    "amr": _joined(rb"#!AMR(-WB)?\n"),
    "flac": _joined(rb"fLaC[\x00\x80]\x00\x00\x22"),
    "matroska": _joined(rb"\x1a\x45\xdf\xa3.{1,60}?\x42\x82.(webm|matroska)"),
    "mov": lambda data: (start for start, name, _ in _boxes(data) if name == b"ftyp"),
    "wav": riff.starts,
    "aiff": riff.starts,
}
_CUT_SHORT = {
    "wav": riff.cut_short,
    "aiff": riff.cut_short,
    "au": riff.au_cut_short,
    "caf": riff.caf_cut_short,
    "ogg": _ogg_cut_short,
    "matroska": _ebml_cut_short,
    "mov": _iso_cut_short,
}
