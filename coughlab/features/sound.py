"""What is asked of a recording here; `coughlab.audio.Recording` has it."""

from typing import Protocol

import numpy as np


class Sound(Protocol):
    """Samples of one channel, and what is known of the file they came from."""

    @property
    def samples(self) -> np.ndarray:
        """Shape (n,), float32, full scale at 1."""

    @property
    def rate(self) -> int:
        """Samples a second."""

    @property
    def duration(self) -> float:
        """Seconds."""

    @property
    def truncated(self) -> bool:
        """Whether the file breaks off before its announced end."""

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
        """Bits a sample; None where the codec has none."""
