"""Decodes any common audio format to mono samples, or says in plain words why not.

The bytes are not trusted. The format is taken from their content alone, no other file or address is opened, and limits are
checked while decoding: a small file that would decode to hours is never decoded in full.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from coughlab.audio import containers, mixing
from coughlab.audio.recording import LIMITS, AudioError, Limits, Recording, error, is_silent, remark
from coughlab.audio.streams import Stream, open_stream
from coughlab.features.sound import Remark

#: Floats of which one in a thousand is beyond this are integers stored as floats: a mix may be far too loud, but not so far.
#: One click tells nothing.
LOUDEST, SHARE = 16.0, 0.001
#: Whole numbers beyond this are too.
LOUDEST_WHOLE = 2.0
FLOATS = ("float", "double", "pcm_f32", "pcm_f64")
#: The bits that such integers have.
INTEGERS = (8, 16, 24, 32)
#: Seconds in another format than the rest that count as damage.
DAMAGE_S = 0.2
#: Tracks of one file that are listened to.
MAX_TRACKS = 16
#: The first track is taken unless another is this much louder.
LOUDER_DB = 20.0


def load(source: bytes | bytearray | memoryview | str | os.PathLike, limits: Limits = LIMITS) -> Recording:
    """Decode a file, given by its bytes or path, to finite mono samples that are not silent, at its own sample rate and level.

    AudioError: the file cannot be used; `MESSAGES` lists the reasons. TypeError: the source has another type.

    >>> recording = coughlab.load_audio(coughlab.make_cough())
    >>> recording.rate, recording.duration
    (48000, 3.5)
    """
    data, kind = containers.recognised(_read(source, limits))
    if kind is None:
        raise error("not_audio")
    if containers.crowded(data, kind):
        raise error("damaged")
    links, cut_short = containers.links(data, kind)
    return _track(links, kind, limits, cut_short=cut_short)


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


def _track(links: list[bytes], kind: str, limits: Limits, *, cut_short: bool) -> Recording:
    """The first track of a file with sound, or another if it is far louder."""
    found: list[tuple[int, Recording]] = []
    problem, track, tracks = None, 0, 1
    while track < min(tracks, MAX_TRACKS):
        opened = partial(open_stream, links, kind, limits.max_samples, track)
        stream = opened()
        tracks = stream.tracks
        try:
            found.append((track, _recording(stream, opened, limits, cut_short=cut_short)))
        except AudioError as this:
            problem = problem or this
        track += 1
    if not found:
        raise problem or error("damaged")
    levels = [recording.samples.std(dtype=np.float64) for _, recording in found]
    loud_enough = max(levels) * 10 ** (-LOUDER_DB / 20)
    track, best = found[next(n for n, level in enumerate(levels) if level >= loud_enough)]
    if track or len(found) > 1:
        about = remark("track", tracks=tracks, track=track + 1)
        best = replace(best, remarks=(*best.remarks, about))
    return best


def _recording(
    stream: Stream, opened: Callable[..., Stream], limits: Limits, *, cut_short: bool
) -> Recording:
    """Decode a track and check it; `opened` opens it again."""
    decoded = _decode(stream, limits)
    if stream.libsndfile and not decoded.complete:
        with suppress(AudioError):
            other = opened(libsndfile=False)
            again = _decode(other, limits)
            if again.samples.size >= decoded.samples.size:
                stream, decoded = other, again
    samples, losses = decoded.samples, stream.losses
    missing = stream.frames - samples.size - round((losses.damaged + losses.gaps) * decoded.rate)
    truncated = not decoded.complete or missing > 0 or cut_short
    if not samples.size:
        raise error("damaged" if truncated else "no_samples")
    remarks = [remark("truncated")] if truncated else []
    if losses.damaged:
        remarks.append(remark("unread", seconds=losses.damaged))
    if losses.gaps:
        remarks.append(remark("gaps", seconds=losses.gaps))
    _check(samples, decoded.rate, limits)
    channel, code = decoded.energies.loudest_instead(silent=False), "channel"
    if channel is None and is_silent(samples, limits):
        channel, code = decoded.energies.loudest_instead(silent=True), "loudest"
    if channel is not None:
        samples = _decode(opened(libsndfile=stream.libsndfile), limits, channel).samples
        remarks.append(remark(code, channels=decoded.channels, channel=channel + 1))
    samples, scaled = _scaled(samples, stream)
    remarks += scaled
    if is_silent(samples, limits):
        raise error("silent")
    samples.flags.writeable = False
    return Recording(
        samples,
        decoded.rate,
        stream.container,
        stream.codec,
        decoded.channels,
        stream.bit_depth,
        tuple(remarks),
    )


@dataclass
class _Decoded:
    samples: np.ndarray
    #: Samples per second and number of channels, 0 if nothing was decoded.
    rate: int
    channels: int
    #: Whether the decoder reached the end.
    complete: bool
    energies: mixing.Energies


def _decode(stream: Stream, limits: Limits, channel: int | None = None) -> _Decoded:
    """Mix down the blocks of a stream one by one, or take one channel of them, within the limits."""
    lossy = stream.bit_depth is None
    max_seconds = limits.max_seconds + (limits.padding_seconds if lossy else 0)
    parts, count, first, complete = [np.empty(0, np.float32)], 0, None, True
    energies, foreign = mixing.Energies(), 0.0
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
            # A damaged frame may claim another format; a change goes on to the end.
            foreign += len(block) / rate
            if foreign > DAMAGE_S:
                raise error("format_changes")
            continue
        stream.losses.damaged, foreign = stream.losses.damaged + foreign, 0.0
        count += len(block)
        longest = min(max_seconds * rate, limits.max_samples)
        if count > longest:
            raise error("too_long", limit=round(min(limits.max_seconds, longest / rate), 1))
        energies.add(block, rate)
        parts.append(mixing.mono(block if channel is None else block[:, channel : channel + 1]))
    rate, channels = first or (0, 0)
    return _Decoded(np.concatenate(parts), rate, channels, complete and not foreign, energies)


def _check_format(rate: int, channels: int, limits: Limits) -> None:
    if not limits.min_rate <= rate <= limits.max_rate:
        raise error("bad_rate", rate=rate, low=limits.min_rate, high=limits.max_rate)
    if channels > limits.max_channels:
        raise error("too_many_channels", channels=channels, limit=limits.max_channels)


def _scaled(samples: np.ndarray, stream: Stream) -> tuple[np.ndarray, list[Remark]]:
    """Floats far beyond full scale divided by the full scale of the smallest integers that reach so far, with a remark."""
    peak = max(-float(samples.min()), float(samples.max()))
    if stream.codec not in FLOATS or peak <= LOUDEST_WHOLE:
        return samples, []
    typical = np.quantile(np.abs(samples), 1 - SHARE)
    if typical <= LOUDEST_WHOLE or (typical <= LOUDEST and (samples != np.round(samples)).any()):
        return samples, []
    bits = next((bits for bits in INTEGERS if peak <= 2.0 ** (bits - 1)), INTEGERS[-1])
    return samples / np.float32(2.0 ** (bits - 1)), [remark("scaled", peak=peak, bits=bits)]


def _check(samples: np.ndarray, rate: int, limits: Limits) -> None:
    if samples.size < limits.min_seconds * rate:
        raise error("too_short", limit=limits.min_seconds)
    low, high = samples.min(), samples.max()
    if not (-limits.max_peak <= low and high <= limits.max_peak):  # in this form it refuses NaN as well
        raise error("not_finite")
