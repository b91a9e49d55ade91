"""What a visitor uploads at once, files and ZIPs, becomes recordings with names of their own, in memory.

Nothing of it is written to a disk.
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

_MEGABYTE = 2**20
#: Most recordings at once, and most bytes of them.
MOST = 500
MOST_BYTES = 500 * _MEGABYTE
ELSEWHERE = "Take fewer recordings at a time, or the command line, which has no such limit."
#: What a ZIP of recordings may hold. What systems add to each file, and folders, count as well; a single recording that is too
#: large has an error of its own and stops none of the others.
LIMITS = archive.Limits(
    max_files=2 * MOST + 100,
    max_file_bytes=MOST_BYTES,
    max_list_bytes=MOST_BYTES,
    max_total_bytes=MOST_BYTES,
    instead=ELSEWHERE,
)
#: The format of a file shows in so many of its first bytes, unless a tag with a picture stands before it.
HEAD = 64 * 1024


class IntakeError(ValueError):
    """More than is taken at once; the message says what to do."""


def is_sound(name: str, head: bytes) -> bool:
    """Whether a file that lies among others is meant as a recording, by its name or its first `HEAD` bytes."""
    if name.rpartition("/")[2].startswith("."):
        return False
    return listing.is_audio(name) or containers.sniff(containers.without_id3(head)) is not None


class Intake:
    """Recordings that can be read again and again, and the ZIPs that could not be unpacked.

    `names` are those of all that was uploaded, in order; of two of the same name the second one ends in " (2)". `refused` says by
    name why a ZIP was not unpacked. `left_out` are files in the ZIPs that are not meant as recordings.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.refused: dict[str, str] = {}
        self.left_out: list[str] = []
        self._where: dict[str, tuple[int, int]] = {}
        self._file = io.BytesIO()

    def add(self, name: str, file: BinaryIO) -> None:
        """Copy a recording, as far as it may be long: one byte more tells that it is too large."""
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
        """Give a ZIP that was not unpacked its place among the recordings."""
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
        """Answer some of `names`, one by one, as `coughlab.serving.batch.answer` does; a refused ZIP is an error."""
        for name in names:
            if name in self.refused:
                yield batch.failure(name, "bad_zip", self.refused[name])
            else:
                yield batch.answer(name, self.read(name), predictor, **options)

    def close(self) -> None:
        """Free the space."""
        self._file.close()


def take(uploads: Iterable[tuple[str, BinaryIO]]) -> Intake:
    """Take the names and contents of what a visitor uploads; IntakeError if that is more than is taken at once.

    What is called .zip is unpacked, in a folder in memory that is gone when this returns or raises.
    """
    taken = Intake()
    try:
        for name, file in uploads:
            if not name.lower().endswith(".zip"):
                taken.add(name, file)
                continue
            # A ZIP that is refused must not take the other files with it.
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
        for name in listing.below(place)[0]:
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
