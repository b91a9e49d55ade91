"""From bytes to a `Recording`: what files hold, decoded; and sounds made by the code."""

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
