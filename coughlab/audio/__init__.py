"""From bytes to a `Recording`: decoding of files, and synthetic sounds."""

from coughlab.audio.decoding import encode_wav, load
from coughlab.audio.recording import (
    FORMATS,
    LIMITS,
    MESSAGES,
    AudioError,
    Limits,
    Recording,
    error,
    is_silent,
)

__all__ = [
    "FORMATS",
    "LIMITS",
    "MESSAGES",
    "AudioError",
    "Limits",
    "Recording",
    "encode_wav",
    "error",
    "is_silent",
    "load",
]
