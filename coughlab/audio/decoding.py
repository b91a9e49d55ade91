"""Decodes any common audio format to mono samples, or says in plain words why not.

The bytes are not trusted. The format is taken from their content alone, no other file or address is opened, and limits are
checked while decoding: a small file that would decode to hours is never decoded in full.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from coughlab.audio import containers
from coughlab.audio.recording import LIMITS, AudioError, Limits, Recording, error, is_silent

#: A rate, and samples of shape (frames, channels).
Block = tuple[int, np.ndarray]


def load(source: bytes | bytearray | memoryview | str | os.PathLike, limits: Limits = LIMITS) -> Recording:
    """Decode a file, given by its bytes or path, to finite mono samples that are not silent, at its own sample rate and level.

    AudioError: the file cannot be used; `MESSAGES` lists the reasons. TypeError: the source has another type.

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


def encode_wav(samples: np.ndarray, rate: int) -> bytes:
    """Encode samples as a 16-bit WAV file; full scale is 1, and louder samples are scaled down to it."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples / max(1, np.abs(samples).max()), rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _read(source: Any, limits: Limits) -> bytes:
    try:
        view = memoryview(source)
    except TypeError:
        return _read_file(os.fspath(source), limits)
    if not view.nbytes:
        raise error("empty")
    if view.nbytes > limits.max_bytes:
        raise error("too_large", limit=limits.max_bytes / 2**20)
    return source if isinstance(source, bytes) else view.tobytes()


def _read_file(path: str | bytes, limits: Limits) -> bytes:
    try:
        with Path(os.fsdecode(path)).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # A pipe has no size and a file may grow, so never more than the limit is read.
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
    frames: int  # how many the file claims to have, 0 where it does not say
    blocks: Iterator[Block]


def _open(data: bytes, kind: str, limits: Limits) -> _Stream:
    """Open with libsndfile where it can, else with FFmpeg."""
    if containers.misread(data, kind):
        raise error("unsupported")
    # libsndfile's decoders of MP3 and of ALAC (in CAF) write to the terminal on damaged files.
    mpeg = kind == "wav" and containers.wav_format(data)[0] in (0x50, 0x55)
    if kind in ("wav", "aiff", "au", "flac", "ogg") and not mpeg:
        try:
            return _open_soundfile(data, kind)
        except Exception:
            pass  # FFmpeg is tried next, after any error
    if containers.explodes(data, kind, limits.max_samples):
        raise error("damaged")
    try:
        return _open_av(data, kind)
    except AudioError:
        raise
    except Exception:  # on damaged bytes, FFmpeg raises errors of many kinds
        raise error("damaged") from None


class _Bytes(io.BytesIO):
    """Bytes in which libsndfile may seek to a position before the start, as it does in some damaged files."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return super().seek(max(offset, 0) if whence == os.SEEK_SET else offset, whence)


class _SoundFile(soundfile.SoundFile):
    """Reads from start to end: seeking after each block, as soundfile does, disturbs lossy decoders."""

    def seekable(self) -> bool:
        return False


def _bit_depth(codec: str) -> int | None:
    depth = re.fullmatch(r"(?:pcm|dwvw)_[usf]?(\d+)", codec)
    return int(depth[1]) if depth else {"float": 32, "double": 64}.get(codec)


def _open_soundfile(data: bytes, kind: str) -> _Stream:
    file = _SoundFile(_Bytes(data))
    codec = file.subtype.lower()
    bit_depth = _bit_depth(codec)
    if kind in ("flac", "ogg") and codec.startswith("pcm"):
        codec = "flac"
    # Only FLAC states a number of frames; for other formats libsndfile counts the frames present.
    frames = file.frames if kind == "flac" and file.frames < 2**62 else 0
    return _Stream(kind, codec, bit_depth, frames, _soundfile_blocks(file))


def _soundfile_blocks(file: soundfile.SoundFile) -> Iterator[Block]:
    # Several channels, which are mixed down, are read in double precision; one channel is read in the precision that is kept.
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


def _open_av(data: bytes, kind: str) -> _Stream:
    import av  # slow to import, and most files are WAV

    # No protocol and no codec has this name. So no reference to another file or address is followed, and no video is decoded to
    # find its size. FFmpeg stores what it reads ahead packet by packet; packets of a few bytes take a hundred times their size.
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


# A minute of Opus in its shortest frames has 24 000. Packets of one sample would take minutes to decode.
_MAX_PACKETS = 30_000


def _av_blocks(container: Any, stream: Any) -> Iterator[Block]:
    for number, packet in enumerate(container.demux(stream)):
        if number > _MAX_PACKETS:
            raise error("unsupported")
        for frame in packet.decode():
            yield frame.sample_rate, _frame_array(frame)


def _frame_array(frame: Any) -> np.ndarray:
    """Samples of a frame, shape (frames, channels), in the decoder's own number type."""
    dtype = _DTYPES[frame.format.name.removesuffix("p")]
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        return np.frombuffer(frame.planes[0], dtype, frame.samples * channels).reshape(-1, channels)
    # PyAV reads past the end of the array of plane pointers: it lists 9 planes of 8, and fails beyond 8.
    if channels > 8:
        raise error("too_many_channels", channels=channels, limit=8)
    planes = frame.planes[:channels]
    return np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes], axis=1)


def _decode(stream: _Stream, limits: Limits) -> tuple[np.ndarray, int, int, bool]:
    """Mix down the blocks of a stream one by one, within the limits.

    Returns the samples, their rate and number of channels (0 if nothing was decoded), and whether the decoder reached the end
    without an error.
    """
    lossy = stream.bit_depth is None
    max_seconds = limits.max_seconds + (limits.padding_seconds if lossy else 0)
    parts, count, first, complete = [np.empty(0, np.float32)], 0, None, True
    while True:
        try:
            rate, block = next(stream.blocks, (0, None))
        except AudioError:
            raise
        except Exception:  # on damaged bytes, a decoder raises errors of many kinds
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


def _check_format(rate: int, channels: int, limits: Limits) -> None:
    if not limits.min_rate <= rate <= limits.max_rate:
        raise error("bad_rate", rate=rate, low=limits.min_rate, high=limits.max_rate)
    if channels > limits.max_channels:
        raise error("too_many_channels", channels=channels, limit=limits.max_channels)


def _mono(block: np.ndarray) -> np.ndarray:
    """Mean of the channels, full scale 1, shape (frames,), float32."""
    if block.dtype == np.float32 and block.shape[1] == 1:
        return block[:, 0].copy()
    with np.errstate(all="ignore"):  # an overflow becomes infinite, and is refused below
        mean = block.mean(axis=1, dtype=np.float64)
        if block.dtype.kind == "u":
            mean -= 128
        if block.dtype.kind != "f":
            mean /= 2.0 ** (8 * block.dtype.itemsize - 1)
        return mean.astype(np.float32)


def _check(samples: np.ndarray, rate: int, limits: Limits) -> None:
    if samples.size < limits.min_seconds * rate:
        raise error("too_short", limit=limits.min_seconds)
    low, high = samples.min(), samples.max()
    if not (-limits.max_peak <= low and high <= limits.max_peak):  # in this form it refuses NaN as well
        raise error("not_finite")
    if is_silent(samples, limits):
        raise error("silent")
