"""A decoded recording, the limits on decoding, and the errors with their messages."""

from dataclasses import dataclass

import numpy as np

from coughlab.features.sound import Remark

#: The formats that can be read, in words.
FORMATS = "WAV, FLAC, OGG, MP3, WebM, M4A, AAC, MP4 or 3GP"

MESSAGES = {
    "empty": "The file is empty. Choose the recording again, or make a new one.",
    "too_large": "The file is larger than {limit:g} MB. Cut it down to the coughs or save it as MP3.",
    "too_long": "The recording is longer than {limit:g} seconds. Cut it down to the coughs and try again.",
    "too_short": "The recording is shorter than {limit:g} seconds, too short for a cough. Record for longer.",
    "not_audio": "This is not a sound file of a kind that can be read here, whatever its name says. "
    f"Save the recording as {FORMATS} and try again.",
    "unsupported": "The sound in this file is stored in a way that cannot be read here. "
    "Save the recording as a 16-bit WAV, FLAC or MP3 file and try again.",
    "bad_rate": "The file gives a sample rate of {rate} Hz, and only {low} to {high} Hz can be read. "
    "Save the recording with a common rate such as 44100 Hz and try again.",
    "too_many_channels": "The recording has {channels} channels, and at most {limit} can be read. "
    "Save it with one or two channels and try again.",
    "format_changes": "The recording changes its sample rate or its number of channels part-way. "
    "Save it again as one plain recording, for example as WAV.",
    "damaged": "The file is damaged or incomplete, and no sound could be read from it. "
    "Copy or download it again, or make a new recording.",
    "no_audio_stream": "The file holds no sound, only pictures or other data. Choose one with sound.",
    "no_samples": "The recording has no length: there is no sound in the file. Make a new recording.",
    "silent": "The recording is silent. Check that the microphone is on and allowed, and record again.",
    "not_finite": "The recording holds values that no sound can have: undefined, infinite or huge. "
    "Save it again from the program that made it, for example as a 16-bit WAV file.",
    "undecodable": "Reading this file took too long or too much memory, or broke off, so no sound could be read from it. "
    "Save the recording again, for example as a 16-bit WAV file, and try once more.",
    "not_found": "There is no such file. Check its name and folder.",
    "unreadable": "The file could not be opened. Check that it is not a folder and that you may read it.",
}

#: What may be noticed while a file is read that can be used all the same.
REMARKS = {
    "truncated": "The file breaks off before its announced end; only the part that arrived was analysed.",
    "unread": "The file is damaged in its midst: {seconds:.2f} s could not be read and are missing; the rest was analysed.",
    "gaps": "The file holds no sound for {seconds:.2f} s of its time, where it was paused or data was lost; the rest was joined.",
    "track": "The file has {tracks} sound tracks; only track {track} was listened to.",
    "channel": "Mixed together, the {channels} channels of this file cancel each other, so only channel {channel} was listened"
    " to.",
    "loudest": "Mixed together, the {channels} channels of this file are silent, so only channel {channel}, the loudest, was"
    " listened to.",
    "scaled": "The samples of this file reach {peak:,.0f}, where 1 is the usual full scale. They were taken for {bits}-bit"
    " numbers, so the loudness is a guess.",
}


class AudioError(ValueError):
    """A recording that cannot be used: a key of `MESSAGES`, stable for programs, and a message that says what to do."""

    def __init__(self, code: str, message: str):
        super().__init__(code, message)  # both, so that the error can be pickled
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


def error(code: str, **values: float) -> AudioError:
    """The error of a code, its message filled with values."""
    return AudioError(code, MESSAGES[code].format(**values))


def remark(code: str, **values: object) -> Remark:
    """The remark of a code, its message filled with values."""
    return Remark(code, REMARKS[code].format(**values))


@dataclass(frozen=True)
class Limits:
    """Limits on a recording."""

    max_bytes: int = 20 * 1024 * 1024
    min_seconds: float = 0.1
    max_seconds: float = 60.0
    #: Extra length that a lossy codec may add to a recording of exactly the maximum length.
    padding_seconds: float = 0.4
    min_rate: int = 1_000  # Hz
    max_rate: int = 768_000
    max_channels: int = 64
    #: After mixing down, at any rate: bounds memory.
    max_samples: int = 60 * 192_000
    #: Full scale is 1. Accepts integers stored as floats, and keeps powers finite.
    max_peak: float = 2.0**32
    #: Peak, after removing the mean, below which a recording counts as silent (-80 dBFS).
    silence_peak: float = 1e-4


LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Recording:
    """Decoded sound."""

    #: Mean of the channels, or one of them where a remark says so; full scale 1, shape (n,), float32; read-only.
    samples: np.ndarray
    #: Samples per second.
    rate: int
    #: Container and codec of the file, such as "wav" and "pcm_16", or "webm" and "opus".
    container: str
    codec: str
    #: Of the file; no bit depth if the codec has none.
    channels: int
    bit_depth: int | None
    #: What was noticed when the file was read; `REMARKS` lists the codes.
    remarks: tuple[Remark, ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether the file is cut short, as far as its header shows."""
        return any(remark.code == "truncated" for remark in self.remarks)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples.size / self.rate


def is_silent(samples: np.ndarray, limits: Limits = LIMITS) -> bool:
    """Whether samples (at least one, full scale 1) are silent."""
    mean = samples.mean(dtype=np.float64)
    return bool(max(samples.max() - mean, mean - samples.min()) < limits.silence_peak)
