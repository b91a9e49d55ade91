import io
import os
import pickle
import struct
import subprocess
import sys
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from functools import cache

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coughlab.audio import LIMITS, MESSAGES, AudioError, Limits, containers, encode_wav, load, mixing, streams
from tests import sounds
from tests.sounds import FORMATS, RATE, cough, integers, wav, wav_of, wav_of_floats, with_av, with_soundfile

# An exception in a callback of libsndfile is only a warning, and a line on stderr.
pytestmark = pytest.mark.filterwarnings("error")

# Container, codec and bit depth of each format.
EXPECTED = {
    "wav 8-bit": ("wav", "pcm_u8", 8),
    "wav 16-bit": ("wav", "pcm_16", 16),
    "wav 24-bit": ("wav", "pcm_24", 24),
    "wav 32-bit": ("wav", "pcm_32", 32),
    "wav 64-bit": ("wav", "pcm_64", 64),
    "wav float": ("wav", "float", 32),
    "wav double": ("wav", "double", 64),
    "wav mu-law": ("wav", "ulaw", None),
    "wav adpcm": ("wav", "ima_adpcm", None),
    "wav extensible": ("wav", "pcm_24", 24),
    "wav rf64": ("wav", "pcm_16", 16),
    "wav mp3": ("wav", "mp3", None),
    "aiff": ("aiff", "pcm_16", 16),
    "au": ("au", "pcm_16", 16),
    "caf": ("caf", "pcm_16", 16),
    "caf alac": ("caf", "alac", None),
    "flac 16-bit": ("flac", "flac", 16),
    "flac 24-bit": ("flac", "flac", 24),
    "ogg vorbis": ("ogg", "vorbis", None),
    "ogg opus": ("ogg", "opus", None),
    "ogg flac": ("ogg", "flac", None),
    "mp3": ("mp3", "mp3", None),
    "mp3 id3": ("mp3", "mp3", None),
    "mp2": ("mp3", "mp2", None),
    "aac adts": ("aac", "aac", None),
    "amr": ("amr", "amr_nb", None),
    "webm opus": ("webm", "opus", None),
    "webm live": ("webm", "opus", None),
    "webm video": ("webm", "opus", None),
    "matroska pcm": ("matroska", "pcm_24", 24),
    "m4a aac": ("m4a", "aac", None),
    "m4a alac": ("m4a", "alac", None),
    "mp4 fragments": ("mp4", "aac", None),
    "mp4 video": ("mp4", "aac", None),
    "mov pcm": ("mov", "pcm_16", 16),
    "3gp aac": ("3gp", "aac", None),
    "3gp amr": ("3gp", "amr_nb", None),
}
# The number of bits that each lossless format preserves at least, as encoded by libsndfile or FFmpeg.
LOSSLESS = {
    "wav float": 24,
    "wav double": 24,
    "wav 64-bit": 24,
    "wav extensible": 24,
    "wav rf64": 16,
    "aiff": 16,
    "au": 16,
    "caf": 16,
    "caf alac": 24,
    "flac 16-bit": 16,
    "flac 24-bit": 24,
    "ogg flac": 16,
    "matroska pcm": 24,
    "m4a alac": 16,
    "mov pcm": 16,
}


def code_of(source, limits=LIMITS):
    with pytest.raises(AudioError) as caught:
        load(source, limits)
    error = caught.value
    assert error.message == str(error)
    assert error.code in MESSAGES
    assert "{" not in error.message
    return error.code


def correlation(a, b):
    """The largest correlation of two signals over all delays."""
    size = a.size + b.size
    a, b = a.astype(float), b.astype(float)
    cross = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return cross.max() / np.linalg.norm(a) / np.linalg.norm(b)


def envelope(samples, rate):
    return np.sqrt(np.convolve(samples.astype(float) ** 2, np.ones(rate // 50), mode="same"))


# Every format ------------------------------------------------------------------------------------------


def test_every_format_has_an_expectation():
    assert FORMATS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", FORMATS)
def test_format_decodes(name):
    recording = load(FORMATS[name]())
    assert (recording.container, recording.codec, recording.bit_depth) == EXPECTED[name]
    assert recording.rate == (8000 if "amr" in name else RATE)
    assert recording.channels == 1
    assert not recording.truncated
    assert recording.duration == recording.samples.size / recording.rate
    assert recording.duration == pytest.approx(sounds.DURATION, abs=0.08)
    source = cough(recording.rate)
    # AMR models a voice. Of noise it keeps the approximate loudness, but little of the waveform.
    least, least_of_envelope = (0.3, 0.9) if "amr" in name else (0.8, 0.97)
    assert correlation(recording.samples, source) > least
    envelopes = envelope(recording.samples, recording.rate), envelope(source, recording.rate)
    assert correlation(*envelopes) > least_of_envelope


@pytest.mark.parametrize("name", FORMATS)
def test_samples_are_read_only_mono_float32(name):
    samples = load(FORMATS[name]()).samples
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert samples.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        samples[0] = 1


@pytest.mark.parametrize("bits", [8, 16, 24, 32, 64])
def test_pcm_is_exact(bits):
    recording = load(wav_of(bits))
    np.testing.assert_array_equal(recording.samples, (integers(bits) / 2.0 ** (bits - 1)).astype(np.float32))
    assert recording.bit_depth == bits


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_keep_every_bit(name):
    # Encoders scale by 2**(bits - 1) or by one less, and round or truncate: two steps cover them all.
    np.testing.assert_allclose(
        load(FORMATS[name]()).samples, cough(), atol=2.0 ** (2 - LOSSLESS[name]), rtol=0
    )


@pytest.mark.parametrize("container", ["FLAC", "AIFF", "AU", "CAF", "RF64"])
def test_lossless_containers_are_exact(container):
    values = integers(16).astype(np.int16)
    recording = load(with_soundfile(container, "PCM_16", samples=values))
    np.testing.assert_array_equal(recording.samples, values.astype(np.float32) / 32768)


def test_floats_are_exact():
    np.testing.assert_array_equal(load(wav_of_floats(cough())).samples, cough())
    np.testing.assert_array_equal(load(wav_of_floats(cough().astype(np.float64))).samples, cough())


def test_level_and_rate_are_left_alone():
    quiet = (cough(11025) / 100).astype(np.float32)
    recording = load(wav_of_floats(quiet, rate=11025))
    assert recording.rate == 11025
    np.testing.assert_array_equal(recording.samples, quiet)


@pytest.mark.parametrize("channels", [2, 6, 12, 64])
def test_mono_is_the_mean_of_the_channels(channels):
    gains = np.linspace(0.1, 1, channels, dtype=np.float32)
    recording = load(wav_of_floats(np.outer(cough(), gains), channels=channels))
    assert recording.channels == channels
    np.testing.assert_allclose(recording.samples, cough() * gains.mean(), rtol=1e-5, atol=1e-7)


def test_mono_is_the_mean_of_the_channels_in_ffmpeg_too():
    # The frames of the first are planar, those of the second interleaved.
    both = np.stack([cough(), np.zeros_like(cough())])
    for container, codec in (("ipod", "alac"), ("matroska", "pcm_s16le"), ("wav", "pcm_s64le")):
        recording = load(with_av(container, codec, samples=both))
        assert recording.channels == 2
        np.testing.assert_allclose(recording.samples, cough() / 2, atol=2**-14)


@pytest.mark.parametrize(
    "container, codec", [("webm", "libopus"), ("matroska", "flac"), ("matroska", "pcm_s16le")]
)
def test_eight_channels_in_ffmpeg(container, codec):
    recording = load(with_av(container, codec, samples=np.tile(cough(), (8, 1))))
    assert recording.channels == 8
    assert recording.samples.size == cough().size
    assert correlation(recording.samples, cough()) > 0.8


def test_more_planes_than_can_be_distinguished():
    assert code_of(with_av("mp4", "aac", samples=np.tile(cough(), (16, 1)))) == "too_many_channels"


def test_every_block_is_decoded_in_its_place():
    long = cough(48_000, 14.0)  # libsndfile is asked for blocks of 5.5 seconds
    for container, subtype in (("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)):
        recording = load(with_soundfile(container, subtype, samples=long))
        assert recording.samples.size == long.size
        assert correlation(recording.samples, long) > 0.8


@pytest.mark.parametrize("rate", [1000, 8000, 44_100, 192_000, 768_000])
def test_rates(rate):
    recording = load(wav_of_floats(cough(rate), rate=rate))
    assert recording.rate == rate
    assert recording.duration == pytest.approx(sounds.DURATION)


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_rates_refused(rate):
    assert code_of(wav_of(16, rate=rate)) == "bad_rate"


@pytest.mark.parametrize("rate", [0, 2**31, 2**32 - 1])
def test_garbage_rates_refused(rate):
    assert code_of(wav_of(16, rate=rate)) == "damaged"


# Sources -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cough.wav", "cough.mp3", "cough.png", "cough", "säug ling.webm"])
@pytest.mark.parametrize("kind", ["wav 16-bit", "mp3", "webm opus", "m4a aac"])
def test_file_names_make_no_difference(tmp_path, name, kind):
    path = tmp_path / name
    path.write_bytes(FORMATS[kind]())
    expected = load(FORMATS[kind]())
    for source in (path, str(path)):
        recording = load(source)
        assert (recording.container, recording.codec) == EXPECTED[kind][:2]
        np.testing.assert_array_equal(recording.samples, expected.samples)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_like_sources(wrap):
    assert load(wrap(wav_of(16))).samples.size == cough().size


def test_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = FORMATS["flac 16-bit"]()
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    recording = load(path)
    writer.join()
    assert recording.samples.size == cough().size


def test_endless_file():
    assert code_of("/dev/zero", Limits(max_bytes=1000)) == "too_large"


def test_missing_and_unreadable_files(tmp_path):
    assert code_of(tmp_path / "none.wav") == "not_found"
    assert code_of("") == "unreadable"
    assert code_of(tmp_path) == "unreadable"
    assert code_of("a\0b") == "unreadable"
    assert code_of(tmp_path / ("long" * 1000)) == "unreadable"


def test_neither_bytes_nor_a_path():
    with pytest.raises(TypeError):
        load(3.5)


def test_size_limit(tmp_path):
    data = wav_of(16)
    path = tmp_path / "cough.wav"
    path.write_bytes(data)
    for source in (data, path):
        assert load(source, Limits(max_bytes=len(data))).samples.size
        assert code_of(source, Limits(max_bytes=len(data) - 1)) == "too_large"


def test_messages_name_the_default_limits():
    with pytest.raises(AudioError, match="20 MB"):
        load(bytes(LIMITS.max_bytes + 1))
    with pytest.raises(AudioError, match="60 seconds"):
        load(with_soundfile("FLAC", rate=8000, samples=np.tile(cough(8000), 60)))


# What cannot be used -----------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
NOT_AUDIO = {
    "text": b"Coughed twice at breakfast.\n",
    "free text": b"Get free cough syrup while stocks last",
    "utf-16 text": "Hello, this is no sound".encode("utf-16"),
    "png": PNG,
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1",
    "zip": b"PK\3\4\x14\0\0\0\x08\0" + bytes(100),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "html": b"<!DOCTYPE html><html><audio src='cough.wav'></html>",
    "hls playlist": b"#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "subtitles": b"WEBVTT\n\n00:00.000 --> 00:01.000\ncough\n",
    "avi": b"RIFF\x24\0\0\0AVI LIST" + bytes(32),
    "midi": b"MThd\0\0\0\6\0\1\0\1\0\x60",
    "zeros": bytes(1000),
    "one byte": b"R",
    "half a magic": b"RIFF",
}


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_not_audio(tmp_path, name):
    path = tmp_path / "cough.wav"
    path.write_bytes(NOT_AUDIO[name])
    assert code_of(path) == code_of(NOT_AUDIO[name]) == "not_audio"


def test_empty(tmp_path):
    path = tmp_path / "cough.wav"
    path.touch()
    assert code_of(path) == code_of(b"") == "empty"


def test_no_sound_track():
    assert code_of(with_av("mp4", video="mpeg4")) == "no_audio_stream"
    assert code_of(with_av("webm", video="libvpx")) == "no_audio_stream"


def test_no_samples():
    nothing = np.empty(0, np.float32)
    assert code_of(wav(b"")) == "no_samples"
    assert code_of(wav(b"", after=b"LIST\4\0\0\0INFO")) == "no_samples"
    for container in ("AIFF", "AU", "CAF"):
        assert code_of(with_soundfile(container, samples=nothing)) == "no_samples"


def test_silence():
    zeros = np.zeros(RATE, np.float32)
    assert code_of(wav_of_floats(zeros)) == "silent"
    assert code_of(wav_of_floats(zeros + 0.5)) == "silent"
    assert code_of(wav_of_floats(0.5 + cough() * 1e-4)) == "silent"
    assert code_of(with_av("webm", "libopus", samples=zeros)) == "silent"
    assert load(wav_of_floats(0.5 + cough() * 1e-2)).duration == pytest.approx(sounds.DURATION)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 1e39, -1e30])
@pytest.mark.parametrize("where", [0, 1000, -1])
def test_values_that_are_not_sound(value, where):
    samples = cough().astype(np.float64)
    samples[where] = value
    assert code_of(wav_of_floats(samples)) == "not_finite"


def test_infinities_that_cancel_and_silence_with_nan():
    samples = np.zeros((RATE, 2), np.float32)
    samples[5] = np.inf, -np.inf
    assert code_of(wav_of_floats(samples, channels=2)) == "not_finite"
    assert code_of(wav_of_floats(np.full(RATE, np.nan, np.float32))) == "not_finite"


def test_integers_stored_as_floats():
    recording = load(wav_of_floats((cough() * 2.0**31).astype(np.float32)))
    assert np.isfinite(np.sum(recording.samples**2))


def test_duration_limits():
    assert code_of(wav_of_floats(cough()[: RATE // 10 - 1])) == "too_short"
    minute = np.resize(cough(8000), 480_000)
    assert load(wav_of_floats(minute, rate=8000)).duration == 60
    assert code_of(wav_of_floats(np.append(minute, 0).astype(np.float32), rate=8000)) == "too_long"


@pytest.mark.parametrize("encode", ["mp3", "m4a", "webm"])
def test_a_minute_may_be_a_little_longer_by_its_codec(encode):
    minute = np.resize(cough(), 60 * RATE)
    if encode == "mp3":
        data = with_soundfile("MP3", samples=minute)
    else:
        data = with_av(*{"m4a": ("ipod", "aac"), "webm": ("webm", "libopus")}[encode], samples=minute)
    assert abs(load(data).duration - 60) <= LIMITS.padding_seconds


def test_what_is_encoded_is_what_is_loaded():
    samples = cough()
    assert np.abs(load(encode_wav(samples, RATE)).samples - samples).max() <= 2**-15
    loud = load(encode_wav(8 * samples, RATE)).samples
    assert np.corrcoef(loud, samples)[0, 1] > 0.9999 and 0.99 < np.abs(loud).max() <= 1


def test_high_rates_are_limited_by_samples():
    limits = Limits(max_samples=RATE)
    with pytest.raises(AudioError, match="longer than 1 seconds"):
        load(wav_of(16), limits)


@pytest.mark.parametrize("channels", [65, 1024])
def test_too_many_channels(channels):
    assert code_of(wav_of(16, channels=channels)) == "too_many_channels"


@pytest.mark.parametrize("channels", [0, 1025, 65_535])
def test_garbage_channels(channels):
    assert code_of(wav_of(16, channels=channels)) == "damaged"


@pytest.mark.parametrize("bits", [1, 4, 128])
def test_odd_bit_depths_are_refused(bits):
    assert code_of(wav(sounds.pcm(integers(), 16), bits=bits)) == "unsupported"


def test_bits_below_a_whole_byte_are_padded():
    # The standard puts 12 bits in the upper end of 16.
    values = integers() // 16 * 16
    data = bytearray(wav(sounds.pcm(values, 16)))
    data[34:36] = struct.pack("<H", 12)
    np.testing.assert_array_equal(load(data).samples, values.astype(np.float32) / 32768)


def test_change_of_rate_or_channels_part_way():
    first = with_av("adts", "aac", rate=44_100)
    assert code_of(first + with_av("adts", "aac", rate=16_000)) == "format_changes"
    two = np.tile(cough(44_100), (2, 1))
    assert code_of(first + with_av("adts", "aac", rate=44_100, samples=two)) == "format_changes"


def test_aac_behind_an_id3_tag():
    tag = b"ID3\4\0\0" + bytes([0, 0, 1, 0]) + bytes(128)
    recording = load(tag + tag + FORMATS["aac adts"]())
    assert recording.container == "aac"
    np.testing.assert_array_equal(recording.samples, load(FORMATS["aac adts"]()).samples)
    assert code_of(tag + b"no sound follows") == "damaged"
    assert code_of(tag[:50]) == "damaged"
    assert code_of(b"ID3\4" + bytes(6)) == "damaged"
    assert code_of((b"ID3\4" + bytes(6)) * 10_000) == "damaged"


# Truncated files and files with wrong headers ----------------------------------------------------------

# An MP4 has its table of contents at the end. Half a PCM packet of Matroska cannot be decoded.
NOTHING_IN_HALF = {"m4a aac", "m4a alac", "mp4 video", "mov pcm", "3gp aac", "3gp amr", "matroska pcm"}
# An Ogg page lasts a second, so half of such a short file holds no complete page.
NOTHING_IN_HALF |= {"ogg vorbis", "ogg opus", "ogg flac"}
# These formats do not store their length.
NO_LENGTH = {"au", "caf", "mp2", "webm live", "wav rf64"}


@pytest.mark.parametrize("name", FORMATS)
def test_half_a_file(name):
    data = FORMATS[name]()
    half = data[: len(data) // 2]
    if name in NOTHING_IN_HALF:
        assert code_of(half) == "damaged"
        return
    whole, part = load(data), load(half)
    assert 0.2 * whole.samples.size < part.samples.size < whole.samples.size
    assert part.truncated or name in NO_LENGTH
    head = part.samples[: part.samples.size - part.rate // 10]
    np.testing.assert_allclose(head, whole.samples[: head.size], atol=1e-3)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_half_of_a_longer_ogg(subtype):
    samples = cough(RATE, 5.0)
    data = with_soundfile("OGG", subtype, samples=samples)
    whole, part = load(data), load(data[: len(data) // 2])
    assert (whole.truncated, part.truncated) == (False, True)
    assert 0.2 * samples.size < part.samples.size < 0.8 * samples.size
    np.testing.assert_array_equal(part.samples, whole.samples[: part.samples.size])


@pytest.mark.parametrize("name", FORMATS)
def test_only_the_first_bytes(name):
    assert code_of(FORMATS[name]()[:40]) in {"damaged", "no_samples", "no_audio_stream", "too_short"}


@pytest.mark.parametrize("riff_size", [0, 0xFFFFFFFF, None])
@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_streamed_wav_has_no_size(size, riff_size):
    recording = load(wav_of(16, size=size, riff_size=riff_size))
    np.testing.assert_array_equal(recording.samples, integers().astype(np.float32) / 32768)
    assert not recording.truncated


def test_wav_that_promises_more():
    recording = load(wav_of(16, size=10**9))
    assert recording.truncated
    assert recording.samples.size == cough().size


def test_flac_that_promises_nothing_or_more():
    data = bytearray(FORMATS["flac 16-bit"]())
    total = data[22:26]
    data[22:26] = bytes(4)
    recording = load(data)
    assert not recording.truncated
    assert recording.samples.size == cough().size
    data[22:26] = struct.pack(">I", struct.unpack(">I", total)[0] + 100_000)
    recording = load(data)
    assert recording.truncated
    assert recording.samples.size == cough().size


# Small files with large content ------------------------------------------------------------------------

HOUR = 3600


@cache
def hour_of_flac():
    rate = 8000
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(HOUR * rate) / rate)).astype(np.int16)
    return with_soundfile("FLAC", rate=rate, samples=tone)


@cache
def hour_of_opus(container="webm"):
    """An hour of silence with three bytes per packet: one packet of an encoded second is repeated.

    An encoder makes the same packets, but takes half a minute.
    """
    second = with_av(container, "libopus", samples=np.zeros(8000, np.float32), rate=8000)
    buffer = io.BytesIO()
    with av.open(io.BytesIO(second)) as source, av.open(buffer, "w", format=container) as file:
        stream = file.add_stream_from_template(source.streams.audio[0])
        packet = [packet for packet in source.demux() if packet.size][10]
        content = bytes(packet)
        for k in range(round(HOUR / (packet.duration * packet.time_base))):
            again = av.Packet(content)
            again.stream, again.time_base, again.duration = stream, packet.time_base, packet.duration
            again.pts = again.dts = k * packet.duration
            file.mux(again)
    return buffer.getvalue()


def silent_mp3():
    return with_soundfile("MP3", rate=8000, samples=np.zeros(HOUR * 8000, np.float32))


@pytest.mark.parametrize("make", [hour_of_flac, hour_of_opus, lambda: hour_of_opus("ogg"), silent_mp3])
def test_an_hour_is_refused_early(monkeypatch, make):
    data = make()
    assert len(data) < LIMITS.max_bytes
    decoded = []
    mono = mixing.mono
    monkeypatch.setattr(mixing, "mono", lambda block: decoded.append(len(block)) or mono(block))
    tracemalloc.start()
    try:
        assert code_of(data) == "too_long"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(decoded) <= (LIMITS.max_seconds + 1) * RATE
    assert peak < 64 * 2**20


def test_many_channels_take_bounded_memory():
    quiet = with_soundfile("FLAC", samples=np.zeros((58 * RATE, 8), np.int16))
    tracemalloc.start()
    try:
        assert code_of(quiet) == "silent"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 58 * RATE * 4 * 3


def test_packets_without_end(monkeypatch):
    packets = 58  # 1024 samples each; the last packet has the rest
    monkeypatch.setattr(streams, "_MAX_PACKETS", packets)
    assert load(FORMATS["m4a aac"]()).duration == pytest.approx(sounds.DURATION, abs=0.08)
    monkeypatch.setattr(streams, "_MAX_PACKETS", packets // 2)
    assert code_of(FORMATS["m4a aac"]()) == "unsupported"


def table_bomb(data, box, offset):
    """Declare a table of 2**27 entries by its count alone; with a constant size no entries are stored."""
    at = data.index(box) + offset
    if box == b"stsz":
        return data[: at - 4] + struct.pack(">II", 100, 2**27) + data[at + 4 :]
    return data[:at] + struct.pack(">I", 2**27) + data[at + 4 :]


def compressed_header_bomb():
    packed = zlib.compress(bytes(50_000_000))
    body = b"\0\0\0\x0cdcomzlib" + struct.pack(">I4sI", 12 + len(packed), b"cmvd", 50_000_000) + packed
    body = struct.pack(">I4s", 8 + len(body), b"cmov") + body
    return struct.pack(">I4s", 8 + len(body), b"moov") + body


def test_headers_that_would_fill_memory():
    assert code_of(table_bomb(FORMATS["m4a aac"](), b"stsz", 12)) == "damaged"
    assert code_of(table_bomb(FORMATS["mp4 fragments"](), b"trun", 8)) == "damaged"
    assert code_of(compressed_header_bomb()) == "damaged"
    tag = b"LIST" + struct.pack("<I", 2**31 - 1) + b"INFOISFT"
    assert code_of(wav_of(64, after=tag)) == "damaged"
    assert load(wav_of(16, after=tag)).duration == pytest.approx(sounds.DURATION)


def test_parts_without_end(monkeypatch):
    monkeypatch.setattr(containers, "_MAX_PARTS", 8)
    chunk = b"junk\0\0\0\0"
    assert load(wav_of(16, after=chunk * 6)).duration == pytest.approx(sounds.DURATION)
    assert code_of(wav_of(16, after=chunk * 7)) == "damaged"
    pages = FORMATS["ogg vorbis"]()
    assert code_of(pages + b"OggS" * (9 - pages.count(b"OggS"))) == "damaged"


def test_tags_without_end(monkeypatch):
    monkeypatch.setattr(containers, "_MAX_TAGS", 3)
    tag = b"ID3\4\0\0\0\0\0\0"
    flac = FORMATS["flac 16-bit"]()
    assert load(tag * 3 + flac).container == "flac"
    assert code_of(tag * 4 + flac) == "damaged"


def test_packets_read_ahead_take_bounded_memory():
    program = (
        "import sys, resource; from coughlab import audio; from tests import sounds\n"
        "aac = sounds.FORMATS['aac adts']()\n"
        "audio.load(aac)\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before, frame = peak(), aac[:3] + bytes.fromhex('0000fffc')\n"
        "try: audio.load(frame * (audio.LIMITS.max_bytes // len(frame)))\n"
        "except audio.AudioError: print((peak() - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 150


# Arbitrary bytes ---------------------------------------------------------------------------------------


def check_any(data):
    """Load arbitrary bytes: the result is a valid recording or an AudioError."""
    try:
        recording = load(data)
    except AudioError as error:
        assert error.code in MESSAGES
        return
    assert recording.samples.dtype == np.float32
    assert recording.samples.ndim == 1
    assert np.isfinite(recording.samples).all()
    assert LIMITS.min_seconds <= recording.duration <= LIMITS.max_seconds
    assert LIMITS.min_rate <= recording.rate <= LIMITS.max_rate
    assert 1 <= recording.channels <= LIMITS.max_channels
    assert isinstance(recording.truncated, bool)


MAGICS = [
    b"",
    b"RIFF\0\0\0\0WAVEfmt ",
    b"fLaC",
    b"OggS\0",
    b"ID3\4",
    b"FORM\0\0\0\0AIFF",
    b".snd",
    b"caff\0\1",
]
MAGICS += [b"\x1aE\xdf\xa3", b"\0\0\0\x18ftypM4A ", b"\xff\xf1", b"\xff\xfb\x90", b"#!AMR\n"]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(MAGICS), st.binary(max_size=400))
def test_random_bytes(magic, rest):
    check_any(magic + rest)


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_mutated_files(data):
    mutated = bytearray(FORMATS[data.draw(st.sampled_from(sorted(FORMATS)))]())
    # Most errors come from the first and last bytes, where headers and tables are.
    size = len(mutated)
    places = st.one_of(
        st.integers(0, min(size, 300) - 1),
        st.integers(max(0, size - 1500), size - 1),
        st.integers(0, size - 1),
    )
    for place, value in data.draw(st.lists(st.tuples(places, st.binary(min_size=1, max_size=4)), max_size=8)):
        mutated[place : place + len(value)] = value
    check_any(bytes(mutated[: data.draw(st.one_of(st.just(size), places))]))


def test_damage_prints_nothing(capfd):
    rng = np.random.default_rng(0)
    for make in FORMATS.values():
        for _ in range(5):
            damaged = np.frombuffer(make(), np.uint8).copy()
            damaged[rng.integers(40, damaged.size, 30)] = rng.integers(0, 256, 30)
            check_any(damaged.tobytes())
    assert capfd.readouterr() == ("", "")


# The rest ----------------------------------------------------------------------------------------------


def test_threads():
    names = [*FORMATS] * 3
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda name: load(FORMATS[name]()), names))
    for name, recording in zip(names, together, strict=True):
        alone = load(FORMATS[name]())
        assert (recording.rate, recording.codec) == (alone.rate, alone.codec)
        np.testing.assert_array_equal(recording.samples, alone.samples)


def test_error_survives_pickling():
    with pytest.raises(AudioError) as caught:
        load(b"")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.code, str(copy)) == ("empty", MESSAGES["empty"])
    assert isinstance(copy, ValueError)


def test_messages_are_one_or_two_sentences():
    for code, message in MESSAGES.items():
        assert code.islower()
        assert 1 <= message.count(". ") + message.endswith(".") <= 2


def test_recordings_and_limits_are_frozen():
    with pytest.raises(FrozenInstanceError):
        load(wav_of(16)).rate = 1
    with pytest.raises(FrozenInstanceError):
        LIMITS.max_bytes = 1


def test_import_is_light():
    heavy = "{'av', 'librosa', 'scipy', 'streamlit', 'tensorflow'}"
    program = f"import sys, coughlab.audio; sys.exit(len({heavy} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
