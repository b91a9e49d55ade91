"""Opens a file's sound with libsndfile or FFmpeg and decodes it block by block, at its own rate, with all its channels."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import soundfile

from coughlab.audio import containers, frames, mpeg, riff
from coughlab.audio.recording import AudioError, error

#: A rate, and samples of shape (frames, channels).
Block = tuple[int, np.ndarray]


#: Less than this is not missing, in seconds: clocks of whole files were right to 7 ms, and those of a browser may drift.
GAP_S = 0.05


class BrokenOffError(Exception):
    """The decoder could not go on to the end."""


@dataclass
class Losses:
    """What a decoder could not read, so far, in seconds."""

    #: Damaged, with sound after it.
    damaged: float = 0.0
    #: Times for which the file holds nothing, though its clock goes on.
    gaps: float = 0.0

    def found(self, gaps: float) -> None:
        """Keep how much is missing by a file's clock."""
        self.gaps = gaps if gaps > GAP_S else 0.0

    def add(self, other: Losses) -> None:
        """Add what was lost in another part of the file."""
        self.damaged, self.gaps = self.damaged + other.damaged, self.gaps + other.gaps


@dataclass
class Stream:
    """One track of a file."""

    container: str
    codec: str
    bit_depth: int | None
    #: How many samples of a channel the file claims to have, 0 where it does not say.
    frames: int
    #: Ends with an error where the decoder cannot go on.
    blocks: Iterator[Block]
    tracks: int = 1
    losses: Losses = field(default_factory=Losses)
    #: Whether libsndfile reads it, which stops at the first damage.
    libsndfile: bool = False


def open_stream(
    links: list[bytes], kind: str, max_samples: int, track: int = 0, *, libsndfile: bool = True
) -> Stream:
    """Open a track of a file of a known format, given by the files that were joined to it, in their order.

    Without `libsndfile`, FFmpeg reads it, which goes on after damage. AudioError: it cannot be opened.
    """

    def opened(link: bytes) -> Stream:
        return _open(link, kind, max_samples, track, libsndfile)

    if len(links) == 1:
        return opened(links[0])
    readable, problem = [], None
    for link in links:
        try:
            readable.append(opened(link))
        except AudioError as this:
            problem = problem or this
    if not readable:
        raise problem or error("damaged")
    blocks = _one_after_the_other(readable, broken=problem is not None)
    return replace(readable[0], frames=0, blocks=blocks)


def _one_after_the_other(streams: list[Stream], *, broken: bool) -> Iterator[Block]:
    """The blocks of all; one that cannot be read to its end does not end the recording."""
    losses = streams[0].losses
    for stream in streams:
        try:
            yield from stream.blocks
        except AudioError:
            raise
        except Exception:  # decoders raise errors of many kinds
            broken = True
        if stream.losses is not losses:
            losses.add(stream.losses)
    if broken:
        raise BrokenOffError


def _open(data: bytes, kind: str, max_samples: int, track: int, libsndfile: bool) -> Stream:
    if containers.misread(data, kind):
        raise error("unsupported")
    # libsndfile's decoders of MP3 and of ALAC (in CAF) write to the terminal on damaged files.
    in_wav = kind == "wav" and riff.wav_format(data).tag in (0x50, 0x55)
    several = containers.several_tracks(data, kind)
    if libsndfile and kind in ("wav", "aiff", "au", "flac", "ogg") and not in_wav and not several:
        try:
            return _open_soundfile(data, kind)
        except Exception:
            pass  # FFmpeg is tried next, after any error
    if containers.explodes(data, kind, max_samples):
        raise error("damaged")
    try:
        return _open_av(data, kind, track)
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


def _open_soundfile(data: bytes, kind: str) -> Stream:
    file = _SoundFile(_Bytes(data))
    codec = file.subtype.lower()
    bit_depth = _bit_depth(codec)
    if kind in ("flac", "ogg") and codec.startswith("pcm"):
        codec = "flac"
    # Only FLAC states a number of frames; for other formats libsndfile counts the frames present.
    frames = file.frames if kind == "flac" and file.frames < 2**62 else 0
    most = riff.frames(data) if kind == "wav" else None
    seconds = containers.ogg_seconds(data, file.samplerate) if kind == "ogg" else 0.0
    losses = Losses()
    blocks = _soundfile_blocks(file, most, seconds, losses)
    return Stream(kind, codec, bit_depth, frames, blocks, losses=losses, libsndfile=True)


def _soundfile_blocks(
    file: soundfile.SoundFile, most: int | None, seconds: float, losses: Losses
) -> Iterator[Block]:
    # Several channels, which are mixed down, are read in double precision; one channel is read in the precision that is kept.
    dtype = np.float32 if file.channels == 1 else np.float64
    block = np.empty((max(1, 2**18 // file.channels), file.channels), dtype)
    done = 0
    while most is None or done < most:
        try:
            count = len(file.read(out=block if most is None else block[: most - done]))
        except soundfile.LibsndfileError:
            yield file.samplerate, block[: file.tell() - done]  # the good part before the damage
            raise
        if not count:
            break
        yield file.samplerate, block[:count]
        done += count
    losses.found(seconds - done / file.samplerate)


_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_READ_AHEAD = 2**20
#: FFmpeg's own decoders refuse the frames that stand for silence, where a phone sends nothing (3GPP TS 26.092 and 26.192).
_DECODERS = {"amrnb": "libopencore_amrnb", "amrwb": "libopencore_amrwb"}


def _open_av(data: bytes, kind: str, track: int) -> Stream:
    import av  # slow to import, and most files are WAV

    # No protocol and no codec has this name. So no reference to another file or address is followed, and no video is decoded to
    # find its size. FFmpeg stores what it reads ahead packet by packet; packets of a few bytes take a hundred times their size.
    options = {"protocol_whitelist": "none", "codec_whitelist": "none", "probesize": str(_READ_AHEAD)}
    walked = frames.walk(data, kind)
    container = av.open(io.BytesIO(walked.data), format=kind, options=options, metadata_errors="replace")
    if not container.streams.audio:
        raise error("no_audio_stream")
    stream = container.streams.audio[min(track, len(container.streams.audio) - 1)]
    decoder: Any = stream.codec_context
    name, tracks = containers.container_name(data, kind), len(container.streams.audio)
    if decoder is None:
        return Stream(name, "", None, 0, _unsupported(), tracks)
    codec = re.sub(r"^pcm_s?(.*\d)[lb]e$", r"pcm_\1", decoder.codec.canonical_name)
    if decoder.codec.name in _DECODERS:
        rate, layout = decoder.sample_rate, decoder.layout
        decoder = av.CodecContext.create(_DECODERS[decoder.codec.name], "r")
        decoder.sample_rate, decoder.layout = rate, layout
    if codec == "flac":
        decoder.options = {"err_detect": "crccheck+explode"}  # otherwise damaged frames become noise
    losses, bit_depth = Losses(), _bit_depth(codec)
    seconds = containers.ogg_seconds(data, decoder.sample_rate) if kind == "ogg" else 0.0
    blocks = _av_blocks(container, stream, decoder, losses, walked, seconds)
    return Stream(name, codec, bit_depth, 0, blocks, tracks, losses)


def _unsupported() -> Iterator[Block]:
    raise error("unsupported")
    yield


# A minute of Opus in its shortest frames has 24 000. Packets of one sample would take minutes to decode.
_MAX_PACKETS = 30_000


def _av_blocks(
    container: Any, stream: Any, decoder: Any, losses: Losses, walked: frames.Walk, seconds: float
) -> Iterator[Block]:
    """Decode every packet that can be; a packet that cannot be is counted once another follows that can."""
    import av

    lost, usual, is_mpeg = 0.0, 0.02, decoder.codec.canonical_name in ("mp3", "mp2")
    start, end, decoded = None, 0.0, 0.0
    for number, packet in enumerate(container.demux(stream)):
        if number > _MAX_PACKETS:
            raise error("unsupported")
        if is_mpeg and mpeg.is_index(bytes(packet)):
            continue
        try:
            decoded_frames = decoder.decode(packet if packet.size else None)
        except av.FFmpegError:
            if packet.size:
                lost += float((packet.duration or 0) * (packet.time_base or 0)) or usual
            continue
        for frame in decoded_frames:
            usual = frame.samples / frame.sample_rate
            if lost:
                losses.damaged, lost = losses.damaged + lost, 0.0
            decoded += usual
            at = frame.time
            if at is not None:
                start, end = at if start is None else start, max(end, at + usual)
            yield frame.sample_rate, _frame_array(frame)
    losses.found(max(seconds, end - (start or 0.0)) - decoded - losses.damaged)
    losses.damaged += walked.lost * usual
    if lost or walked.cut_short:
        raise BrokenOffError


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
