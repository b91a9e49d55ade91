"""Converts a visitor's upload, files and ZIPs, to recordings with unique names, in memory.

Nothing is written to a disk.
"""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from coughlab import audio
from coughlab.audio import archive, containers
from coughlab.datasets import listing
from coughlab.serving import batch
from coughlab.serving.predictors import Predictor
from coughlab.system import junk

_MEGABYTE = 2**20
#: Most recordings in an upload, and their most bytes.
MOST = 500
MOST_BYTES = 500 * _MEGABYTE
ELSEWHERE = "Take fewer recordings at a time, or the command line, which has no such limit."
#: Limits on a ZIP of recordings. Folders, and files that operating systems add, count too. A single recording that is too large
#: gets an error and does not stop the others.
LIMITS = archive.Limits(
    max_files=2 * MOST + 100,
    max_file_bytes=MOST_BYTES,
    max_list_bytes=MOST_BYTES,
    max_total_bytes=MOST_BYTES,
    instead=ELSEWHERE,
)
#: The first bytes of a file, in which its format can be recognised, unless a tag with a picture precedes it.
HEAD = 64 * 1024


class IntakeError(ValueError):
    """The upload is too large; the message says what to do."""


def is_sound(name: str, head: bytes) -> bool:
    """Whether a file among others is probably a recording, by its name or its first `HEAD` bytes."""
    if junk.is_junk(name):
        return False
    return listing.is_audio(name) or containers.recognised(head)[1] is not None


class Intake:
    """Recordings that can be read repeatedly, and the ZIPs that could not be unpacked.

    `names` are the names of everything that was uploaded, in order; " (2)" is added to the second of two equal names. `refused`
    says by name why a ZIP was not unpacked. `left_out` are files in the ZIPs that are not recordings.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.refused: dict[str, str] = {}
        self.left_out: list[str] = []
        self._where: dict[str, tuple[int, int]] = {}
        self._file = io.BytesIO()

    def add(self, name: str, file: BinaryIO) -> None:
        """Copy a recording up to the limit plus one byte, which shows that it is too large."""
        start = self._file.seek(0, os.SEEK_END)
        left = audio.LIMITS.max_bytes + 1
        while left and (block := file.read(min(left, _MEGABYTE))):
            self._file.write(block)
            left -= len(block)
        self._where[self._named(name)] = start, self._file.tell() - start
        if len(self._where) > MOST:
            raise IntakeError(
                f"There are more than {MOST:,} recordings, the most that are taken at once. {ELSEWHERE}"
            )
        if self.size > MOST_BYTES:
            most = f"{MOST_BYTES // _MEGABYTE:,} MB"
            raise IntakeError(
                f"The recordings have more than {most}, the most that is taken at once. {ELSEWHERE}"
            )

    def refuse(self, name: str, why: str) -> None:
        """Add a ZIP that was not unpacked to the list of recordings."""
        self.refused[self._named(name)] = why

    def _named(self, name):
        own, number = name, 1
        while own in self.names:
            number += 1
            own = f"{name} ({number})"
        self.names.append(own)
        return own

    @property
    def size(self) -> int:
        """Bytes of all recordings."""
        return self._file.seek(0, os.SEEK_END)

    def __len__(self) -> int:
        return len(self._where)

    def read(self, name: str) -> bytes:
        """The bytes of a recording."""
        start, size = self._where[name]
        self._file.seek(start)
        return self._file.read(size)

    def answers(self, names: Iterable[str], predictor: Predictor, **options: Any) -> Iterator[dict]:
        """Answer some of `names`, one by one, with `coughlab.serving.batch.answer`; a refused ZIP is an error."""
        for name in names:
            if name in self.refused:
                yield batch.failure(name, "bad_zip", self.refused[name])
            else:
                yield batch.answer(name, self.read(name), predictor, **options)

    def close(self) -> None:
        """Free the memory."""
        self._file.close()


def take(uploads: Iterable[tuple[str, BinaryIO]]) -> Intake:
    """Take the names and contents of an upload; IntakeError if it is too large.

    Files named .zip are unpacked in a folder in memory, which is removed when this returns or raises.
    """
    taken = Intake()
    try:
        for name, file in uploads:
            if not name.lower().endswith(".zip"):
                taken.add(name, file)
                continue
            # A refused ZIP must not stop the other files.
            try:
                _unzip(taken, name, file)
            except archive.ArchiveError as error:
                taken.refuse(name, str(error))
    except BaseException:
        taken.close()
        raise
    return taken


def _unzip(taken, title, file):
    limits = replace(LIMITS, max_total_bytes=MOST_BYTES - taken.size)
    with archive.unpacked(file, limits) as place:
        sounds = []
        below = listing.below(place)
        taken.left_out += [f"{title}/{name}" for name in below.junk]
        for name in below.files:
            with (place / name).open("rb") as data:
                if is_sound(name, data.read(HEAD)):
                    sounds.append(name)
                else:
                    taken.left_out.append(f"{title}/{name}")
        if not sounds:
            raise archive.ArchiveError("The ZIP holds no recordings.")
        if len(taken) + len(sounds) > MOST:
            raise archive.ArchiveError(
                f"With the {len(sounds):,} recordings in the ZIP there are more than {MOST:,}, the most that are taken"
                f" at once. {ELSEWHERE}"
            )
        for name in sounds:
            with (place / name).open("rb") as data:
                taken.add(f"{title}/{name}", data)
