"""Mutations of files: of their bytes, or of their parts with correct sizes and checksums."""

from tests.fuzz.structures import STRUCTURES, Part

#: Values for numbers in headers, in addition to small ones.
_EDGES = [0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF]
#: Byte sequences that parsers search for.
_WORDS = (
    b"RIFF RIFX RF64 ds64 WAVEfmt  data LIST INFO fact smpl bext id3  FORM AIFF AIFC COMM SSND caff desc pakt kuki ftyp moov"
    b" mdat free cmov dcom trak mdia stbl stsd stsz stco co64 stts stsc ctts elst moof traf trun tfhd esds alac mp4a meta ilst"
    b" data sidx OggS OpusHead OpusTags vorbis fLaC ID3 TAG Xing Info VBRI LAME APETAGEX PK\x01\x02 PK\x03\x04 PK\x05\x06"
    b" PK\x06\x06 PK\x06\x07 #EXTM3U file:///etc/passwd http://127.0.0.1/ <script>alert(1)</script> %s%n \x00 \xff\xff"
).split(b" ")
#: The largest recording that is accepted.
_LARGEST = 20 * 2**20


def _place(rng, data):
    """A position in a file, more often near the start and the end, where headers and tables are."""
    size = max(1, len(data))
    return rng.choice(
        [
            rng.randrange(min(size, 64)),
            rng.randrange(min(size, 600)),
            rng.randrange(max(0, size - 1500), size),
            rng.randrange(size),
        ]
    )


def _stretch(rng, data):
    start = _place(rng, data)
    return start, start + rng.choice([1, 2, 4, 8, rng.randrange(1, 64), rng.randrange(1, 4096)])


def _flip(rng, data, other):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        data[_place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(data)


def _overwrite(rng, data, other):
    start, end = _stretch(rng, data)
    filling = rng.choice([rng.randbytes(end - start), bytes(end - start), b"\xff" * (end - start)])
    return data[:start] + filling + data[end:]


def _edge(rng, data, other):
    width, order = rng.choice([1, 2, 3, 4, 4, 4, 8]), rng.choice(["little", "big"])
    value = rng.choice(_EDGES) if rng.random() < 0.4 else 1 << rng.randrange(8 * width)
    value += rng.choice([-1, 0, 0, 1])
    start = _place(rng, data)
    return data[:start] + (value % 256**width).to_bytes(width, order) + data[start + width :]


def _cut(rng, data, other):
    return data[: _place(rng, data)]


def _drop(rng, data, other):
    start, end = _stretch(rng, data)
    return data[:start] + data[end:]


def _double(rng, data, other):
    start, end = _stretch(rng, data)
    return data[:end] + data[start:end] * rng.choice([1, 1, 2, 30, 1000]) + data[end:]


def _move(rng, data, other):
    start, end = _stretch(rng, data)
    rest = data[:start] + data[end:]
    at = _place(rng, rest)
    return rest[:at] + data[start:end] + rest[at:]


def _insert(rng, data, other):
    at = _place(rng, data)
    return data[:at] + rng.choice([rng.choice(_WORDS), rng.randbytes(rng.randrange(1, 40))]) + data[at:]


def _word(rng, data, other):
    at, word = _place(rng, data), rng.choice(_WORDS)
    return data[:at] + word + data[at + len(word) :]


def _splice(rng, data, other):
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _graft(rng, data, other):
    start, end = _stretch(rng, other)
    at = _place(rng, data)
    return data[:at] + other[start:end] + data[at:]


def _within(rng, data, other):
    at = _place(rng, data)
    return data[:at] + other + data[at:]


_BYTES = [_flip, _overwrite, _edge, _cut, _drop, _double, _move, _insert, _word, _splice, _graft, _within]
_BODY_MUTATIONS = [_flip, _overwrite, _edge, _edge, _edge, _drop, _double, _insert, _word]


def mutated(rng, data, kind, other):
    """A file changed in one to four places.

    Parameters
    ----------
    rng : random.Random
    data : bytes
        The file.
    kind : str
        One of `STRUCTURES`, or any other name for a file that is only treated as bytes.
    other : bytes
        Another file, of any kind, to combine with it.
    """
    if rng.random() < 0.003:
        return _flooded(rng, data)
    for _ in range(rng.choice([1, 1, 1, 2, 2, 4])):
        if kind in STRUCTURES and len(data) < 2**20 and rng.random() < 0.6:
            parse, build = STRUCTURES[kind]
            data = build(_mutated_parts(rng, parse(data), other)) or data
        else:
            data = rng.choice(_BYTES)(rng, data, other) or b"\0"
        data = data[: _LARGEST + 1]
    return data


def _flooded(rng, data):
    """A file of the maximum size that ends in a repeated short byte sequence."""
    start = _place(rng, data)
    unit = data[start : start + rng.choice([1, 4, 8, 12, 30, 100])] or b"\0"
    head = data[: rng.choice([start, start + len(unit)])]
    return head + unit * ((_LARGEST - len(head)) // len(unit))


def _mutated_parts(rng, parts, other):
    if not parts:
        return parts
    at = rng.randrange(len(parts))
    if rng.random() < 0.5:  # the first are the headers
        at = min(at, rng.randrange(4))
    part = parts[at]
    if isinstance(part.body, tuple) and part.body and rng.random() < 0.85:
        return (*parts[:at], part.with_(body=_mutated_parts(rng, part.body, other)), *parts[at + 1 :])
    return (*parts[:at], *_replacements(rng, part, parts, other), *parts[at + 1 :])


def _replacements(rng, part, parts, other):
    """The parts that replace a part in a mutation."""
    a = rng.random()
    if isinstance(part.body, bytes) and a < 0.5:
        return (part.with_(body=rng.choice(_BODY_MUTATIONS)(rng, part.body or b"\0", other)),)
    if a < 0.6:
        size = rng.choice([*_EDGES, len(part.body), 2**31 - 1, 2**31, 2**32 - 1, 2**56 - 1, 2**63])
        return (part.with_(size=max(0, size + rng.choice([-1, 0, 0, 1]))),)
    if a < 0.7:
        return (part,) * min(rng.choice([0, 0, 2, 3, 50]), _room(part))
    if a < 0.72:  # very many: any step per part then takes long
        small = part.with_(body=part.body[: rng.choice([0, 1, 4, 99_999])])
        return (small,) * min(rng.choice([2**12, 2**14]), _room(small))
    if a < 0.82:
        return (part.with_(name=_flip(rng, part.name, b"") if part.name else b"\0"),)
    if a < 0.92:
        other_part = rng.choice(parts)
        return (rng.choice([part, other_part.with_(name=part.name), other_part]), other_part)
    return (_nested(part, rng.choice([1, 2, 9, 9, 9, 60])),)


def _size(part):
    return len(part.body) if isinstance(part.body, bytes) else sum(map(_size, part.body))


def _room(part):
    """The possible number of copies of a part."""
    return max(1, _LARGEST // (len(part.name) + 8 + _size(part)))


def _nested(part, depth):
    if isinstance(part.body, bytes):
        return Part(part.name, part.name * 2 + part.body)
    for _ in range(depth):
        part = part.with_(body=(part,))
    return part
