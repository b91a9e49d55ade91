"""The inputs by their numbers: each depends only on the seed and its number, not on earlier inputs."""

import io
import random
import stat
import struct
import warnings
import zipfile
from functools import cache

from coughlab.audio import containers
from tests import sounds
from tests.fuzz.mutate import mutated

#: Names that a program might interpret as paths, markup or code.
NAMES = [
    "cough.wav",
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\system.ini",
    "C:\\autoexec.bat",
    "a/b/../../../c.wav",
    "cough.wav\0.exe",
    "<script>alert(1)</script>.wav",
    '"><img src=x onerror=alert(1)>.wav',
    "a\r\nX-Injected: yes\r\n\r\n.wav",
    "=cmd|' /C calc'!A0.wav",
    "%s%n%x.wav",
    "${jndi:ldap://127.0.0.1/a}.wav",
    "{{7*7}}.wav",
    "né\u202egnp.wav",
    "😷" * 40,
    "x" * 5000,
    "",
    ".",
    "..",
    "con",
    "-rf",
    "a" * 254 + "/b.wav",
]


def rng_of(seed, number):
    """The random number generator of one input."""
    return random.Random(f"{seed}/{number}")


@cache
def _audio(name):
    return sounds.FORMATS[name]()


def audio_file(rng):
    """A mutated recording, and its original format."""
    name, other = rng.choice(list(sounds.FORMATS)), rng.choice(list(sounds.FORMATS))
    data = _audio(name)
    if rng.random() < 0.3:  # in small files mutations hit important bytes more often
        data = data[: rng.choice([200, 1000, 5000])]
    kind = containers.sniff(data)
    # With a tag in front, or the name of another format, it would be parsed wrongly.
    return name, mutated(rng, data, kind, _audio(other))


def zip_file(rng):
    """A hostile ZIP, and its kind."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about duplicate names
        for _ in range(rng.choice([0, 1, 2, 3, 8, 8, 8, 200])):
            file.writestr(_entry(rng), _content(rng))
        if rng.random() < 0.05:  # compresses to a thousandth
            file.writestr(_entry(rng), bytes(rng.choice([2**20, 30 * 2**20])))
    data = buffer.getvalue()
    return "zip", mutated(rng, data, "zip", _audio("wav 8-bit")[:2000]) if rng.random() < 0.8 else data


def _entry(rng):
    info = zipfile.ZipInfo("x")
    name = rng.choice(NAMES) if rng.random() < 0.3 else f"{rng.choice('abc')}/{rng.randrange(1000)}.wav"
    info.filename = name[: rng.choice([40, 6000])]
    info.compress_type = rng.choices(
        [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2], [30, 9, 1]
    )[0]
    if rng.random() < 0.1:
        info.external_attr = rng.choice([stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR]) << 16
    if rng.random() < 0.1:  # 64-bit sizes, or any other extra field
        info.extra = (
            struct.pack("<HH", rng.choice([1, 0x7075, 9]), rng.choice([8, 16, 24, 900])) + b"\xff" * 24
        )
    return info


def _content(rng):
    return (
        _audio("wav 8-bit")[: rng.randrange(3000)]
        if rng.random() < 0.8
        else rng.randbytes(rng.randrange(500))
    )


#: Kinds of input for the decoder and their weights.
KINDS = {audio_file: 9, zip_file: 1}


def file_of(seed, number):
    """The file with a number.

    Returns
    -------
    kind : str
    data : bytes
    """
    rng = rng_of(seed, number)
    (make,) = rng.choices(list(KINDS), KINDS.values())
    return make(rng)
