"""Decode any common recording to mono samples, or say in plain words why it cannot be done.

The bytes come from strangers, so the format is told by content alone, nothing outside the bytes is opened,
and limits are checked while decoding: a small file that would unpack to hours is never unpacked.
"""

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from coughlab.audio import containers

#: What can be read, for people.
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


class AudioError(ValueError):
    """A recording that cannot be used.

    Attributes
    ----------
    code : str
        One of the keys of `MESSAGES`; stable, for programs.
    message : str
        What was wrong and what to do about it, for people.
    """

    def __init__(self, code, message):
        super().__init__(code, message)  # both, so that the error can be pickled
        self.code = code
        self.message = message

    def __str__(self):
        return self.message


def error(code, **values):
    """The error of a code, its message filled with values."""
    return AudioError(code, MESSAGES[code].format(**values))


@dataclass(frozen=True)
class Limits:
    """What a recording may be.

    Attributes
    ----------
    max_bytes : int
        Largest file.
    min_seconds, max_seconds : float
        Shortest and longest recording.
    padding_seconds : float
        What lossy codecs may add to a recording of exactly the longest length.
    min_rate, max_rate : int
        Lowest and highest sample rate, in hertz.
    max_channels : int
        Most channels.
    max_samples : int
        Most samples after mixing down, whatever the rate: bounds memory.
    max_peak : float
        Largest magnitude, full scale being 1: passes integers stored as floats, keeps powers finite.
    silence_peak : float
        Peak, after removing the mean, below which a recording counts as silent (-80 dBFS).
    """

    max_bytes: int = 20 * 1024 * 1024
    min_seconds: float = 0.1
    max_seconds: float = 60.0
    padding_seconds: float = 0.4
    min_rate: int = 1_000
    max_rate: int = 768_000
    max_channels: int = 64
    max_samples: int = 60 * 192_000
    max_peak: float = 2.0**32
    silence_peak: float = 1e-4


LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Recording:
    """Decoded sound.

    Attributes
    ----------
    samples : ndarray, shape (n,), float32
        Mean of the channels, full scale being 1; read-only.
    rate : int
        Samples a second.
    container, codec : str
        How the file stored it, such as "wav" and "pcm_16", or "webm" and "opus".
    channels : int
        Channels of the file.
    bit_depth : int or None
        Bits a sample of the file; None where the codec has no such thing.
    truncated : bool
        Whether the file breaks off, as far as it tells.
    """

    samples: np.ndarray
    rate: int
    container: str
    codec: str
    channels: int
    bit_depth: int | None
    truncated: bool

    @property
    def duration(self):
        """Length in seconds."""
        return self.samples.size / self.rate


def load(source, limits=LIMITS):
    """Decode a recording to mono, at its own sample rate and level.

    Parameters
    ----------
    source : bytes-like, str or os.PathLike
        The bytes of a file, or the path of one.
    limits : Limits
        What to accept.

    Returns
    -------
    Recording
        Finite samples that are not silent.

    Raises
    ------
    AudioError
        If the recording cannot be used; `MESSAGES` lists the reasons.
    TypeError
        If `source` is neither bytes nor a path.

    >>> recording = coughlab.load_audio(coughlab.make_cough())
    >>> recording.rate, recording.duration
    (48000, 3.5)
    """
    data = containers.without_id3(_read(source, limits))
    kind = containers.sniff(data)
    if kind is None:
        raise error("not_audio")
    if containers.crowded(data, kind):
        raise error("damaged")
    data = containers.mended(data, kind)
    stream = _open(data, kind, limits)
    samples, rate, channels, complete = _decode(stream, limits)
    truncated = not complete or samples.size < stream.frames or containers.cut_short(data, kind)
    if not samples.size:
        raise error("damaged" if truncated else "no_samples")
    _check(samples, rate, limits)
    samples.flags.writeable = False
    return Recording(samples, rate, stream.container, stream.codec, channels, stream.bit_depth, truncated)


def is_silent(samples, limits=LIMITS):
    """Whether there is nothing to hear.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        Samples, full scale being 1; at least one.
    limits : Limits
        What counts as silent.

    Returns
    -------
    bool
    """
    mean = samples.mean(dtype=np.float64)
    return bool(max(samples.max() - mean, mean - samples.min()) < limits.silence_peak)


def encode_wav(samples, rate):
    """Encode samples as a 16-bit WAV file.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        Samples, full scale being 1; louder ones are scaled down to it.
    rate : int
        Samples a second.

    Returns
    -------
    bytes
        The file.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, samples / max(1, np.abs(samples).max()), rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _read(source, limits):
    try:
        view = memoryview(source)
    except TypeError:
        return _read_file(os.fspath(source), limits)
    if not view.nbytes:
        raise error("empty")
    if view.nbytes > limits.max_bytes:
        raise error("too_large", limit=limits.max_bytes / 2**20)
    return source if isinstance(source, bytes) else view.tobytes()


def _read_file(path, limits):
    try:
        with Path(os.fsdecode(path)).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # A pipe has no size and a file may grow, so the size found is not taken on trust.
            data = file.read(limits.max_bytes + 1) if size <= limits.max_bytes else None
    except (FileNotFoundError, NotADirectoryError):
        raise error("not_found") from None
    except (OSError, ValueError):  # ValueError: a NUL in the path
        raise error("unreadable") from None
    if data is None:
        raise error("too_large", limit=limits.max_bytes / 2**20)
    return _read(data, limits)


@dataclass
class _Stream:
    container: str
    codec: str
    bit_depth: int | None
    frames: int  # how many the file promises, 0 where it does not
    blocks: Iterator  # of pairs: rate, array of shape (frames, channels)


def _open(data, kind, limits):
    """Open with libsndfile where it can, else with FFmpeg."""
    if containers.misread(data, kind):
        raise error("unsupported")
    # libsndfile's decoders of MP3 and of ALAC (in CAF) write to the terminal on damaged files.
    mpeg = kind == "wav" and containers.wav_format(data)[0] in (0x50, 0x55)
    if kind in ("wav", "aiff", "au", "flac", "ogg") and not mpeg:
        try:
            return _open_soundfile(data, kind)
        except Exception:
            pass  # whatever it is, FFmpeg has the last word
    if containers.explodes(data, kind, limits.max_samples):
        raise error("damaged")
    try:
        return _open_av(data, kind)
    except AudioError:
        raise
    except Exception:  # given damaged bytes, FFmpeg raises nearly anything
        raise error("damaged") from None


class _Bytes(io.BytesIO):
    """Bytes in which libsndfile may seek to before the start, as it does in some damaged files."""

    def seek(self, offset, whence=os.SEEK_SET):
        return super().seek(max(offset, 0) if whence == os.SEEK_SET else offset, whence)


class _SoundFile(soundfile.SoundFile):
    """Read front to back: seeking after each block, as soundfile does, disturbs lossy decoders."""

    def seekable(self):
        return False


def _bit_depth(codec):
    depth = re.fullmatch(r"(?:pcm|dwvw)_[usf]?(\d+)", codec)
    return int(depth[1]) if depth else {"float": 32, "double": 64}.get(codec)


def _open_soundfile(data, kind):
    file = _SoundFile(_Bytes(data))
    codec = file.subtype.lower()
    bit_depth = _bit_depth(codec)
    if kind in ("flac", "ogg") and codec.startswith("pcm"):
        codec = "flac"
    # FLAC alone promises a number of frames; elsewhere libsndfile counts what is there.
    frames = file.frames if kind == "flac" and file.frames < 2**62 else 0
    return _Stream(kind, codec, bit_depth, frames, _soundfile_blocks(file))


def _soundfile_blocks(file):
    # What is to be mixed down is read in double precision, the rest as it is kept.
    dtype = np.float32 if file.channels == 1 else np.float64
    block = np.empty((max(1, 2**18 // file.channels), file.channels), dtype)
    done = 0
    while True:
        try:
            count = len(file.read(out=block))
        except soundfile.LibsndfileError:
            yield file.samplerate, block[: file.tell() - done]  # the good part before the damage
            raise
        if not count:
            return
        yield file.samplerate, block[:count]
        done += count


_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_READ_AHEAD = 2**20


def _open_av(data, kind):
    import av  # slow to import, and most files are WAV

    # No protocol and no codec has this name: no reference to another file or address is followed, and no
    # video is decoded merely to learn its size. What is read ahead is kept packet by packet, which for packets of a
    # few bytes takes a hundred times their size.
    options = {"protocol_whitelist": "none", "codec_whitelist": "none", "probesize": str(_READ_AHEAD)}
    container = av.open(io.BytesIO(data), format=kind, options=options, metadata_errors="replace")
    if not container.streams.audio:
        raise error("no_audio_stream")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise error("unsupported")
    codec = re.sub(r"^pcm_s?(.*\d)[lb]e$", r"pcm_\1", stream.codec_context.codec.canonical_name)
    return _Stream(
        containers.container_name(data, kind), codec, _bit_depth(codec), 0, _av_blocks(container, stream)
    )


# A minute of Opus in its shortest frames makes 24 000. Packets of one sample would take minutes to decode.
_MAX_PACKETS = 30_000


def _av_blocks(container, stream):
    for number, packet in enumerate(container.demux(stream)):
        if number > _MAX_PACKETS:
            raise error("unsupported")
        for frame in packet.decode():
            yield frame.sample_rate, _frame_array(frame)


def _frame_array(frame):
    """Samples of a frame, shape (frames, channels), in the decoder's own number type."""
    dtype = _DTYPES[frame.format.name.removesuffix("p")]
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        return np.frombuffer(frame.planes[0], dtype, frame.samples * channels).reshape(-1, channels)
    # PyAV takes whatever follows the pointers to the planes for more of them: of 8 it lists 9, and beyond 8 it
    # reads past the end of their array.
    if channels > 8:
        raise error("too_many_channels", channels=channels, limit=8)
    planes = frame.planes[:channels]
    return np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes], axis=1)


def _decode(stream, limits):
    """Mix the blocks of a stream down one by one, within the limits.

    Returns
    -------
    samples : ndarray, shape (n,), float32
    rate, channels : int
        0 if nothing was decoded.
    complete : bool
        Whether the decoder reached the end without an error.
    """
    lossy = stream.bit_depth is None
    max_seconds = limits.max_seconds + (limits.padding_seconds if lossy else 0)
    parts, count, first, complete = [np.empty(0, np.float32)], 0, None, True
    while True:
        try:
            rate, block = next(stream.blocks, (0, None))
        except AudioError:
            raise
        except Exception:  # a decoder given damaged bytes may raise nearly anything
            complete = False
            break
        if block is None:
            break
        if first is None:
            first = rate, block.shape[1]
            _check_format(*first, limits)
        elif first != (rate, block.shape[1]):
            raise error("format_changes")
        count += len(block)
        longest = min(max_seconds * rate, limits.max_samples)
        if count > longest:
            raise error("too_long", limit=round(min(limits.max_seconds, longest / rate), 1))
        parts.append(_mono(block))
    return np.concatenate(parts), *(first or (0, 0)), complete


def _check_format(rate, channels, limits):
    if not limits.min_rate <= rate <= limits.max_rate:
        raise error("bad_rate", rate=rate, low=limits.min_rate, high=limits.max_rate)
    if channels > limits.max_channels:
        raise error("too_many_channels", channels=channels, limit=limits.max_channels)


def _mono(block):
    """Mean of the channels, full scale being 1, shape (frames,), float32."""
    if block.dtype == np.float32 and block.shape[1] == 1:
        return block[:, 0].copy()
    with np.errstate(all="ignore"):  # what overflows becomes infinite, and is refused as such
        mean = block.mean(axis=1, dtype=np.float64)
        if block.dtype.kind == "u":
            mean -= 128
        if block.dtype.kind != "f":
            mean /= 2.0 ** (8 * block.dtype.itemsize - 1)
        return mean.astype(np.float32)


def _check(samples, rate, limits):
    if samples.size < limits.min_seconds * rate:
        raise error("too_short", limit=limits.min_seconds)
    low, high = samples.min(), samples.max()
    if not (-limits.max_peak <= low and high <= limits.max_peak):  # so written, it refuses NaN as well
        raise error("not_finite")
    if is_silent(samples, limits):
        raise error("silent")
