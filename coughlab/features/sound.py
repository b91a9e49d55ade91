"""The interface of a recording in this package; `coughlab.audio.Recording` has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Remark:
    """A remark about a recording: a stable code and a sentence."""

    code: str
    message: str


class Sound(Protocol):
    """Samples of one channel, and properties of the file."""

    @property
    def samples(self) -> np.ndarray:
        """Shape (n,), float32, full scale at 1."""

    @property
    def rate(self) -> int:
        """Samples per second."""

    @property
    def duration(self) -> float:
        """Seconds."""

    @property
    def remarks(self) -> Sequence[Remark]:
        """What was noticed when the file was read."""

    @property
    def container(self) -> str:
        """Such as ``wav``."""

    @property
    def codec(self) -> str:
        """Such as ``pcm_16``."""

    @property
    def channels(self) -> int:
        """Of the file."""

    @property
    def bit_depth(self) -> int | None:
        """Bits per sample; None if the codec has none."""
