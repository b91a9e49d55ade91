"""Honest files that decoders misread: each kind gives the whole sound at its level, and a remark where something was assumed."""

import io
import struct

import av
import numpy as np
import pytest

from coughlab import detector
from coughlab.audio import LIMITS, AudioError, load, synthetic
from tests.sounds import FORMATS, pcm, wav, wav_of, wav_of_floats, with_av, with_soundfile

RATE = 48_000
COUGHS = synthetic.recording()
SLOW = synthetic.recording(rate=8000)
STEREO_OPPOSITE = np.stack([COUGHS, -COUGHS])


def heard(data):
    """Length of a file in seconds, number of coughs, and codes of the remarks."""
    recording = load(data)
    found = len(detector.default().detect(recording).events)
    return recording.duration, found, [remark.code for remark in recording.remarks]


def check(data, *codes, seconds=3.5, coughs=3, within=0.05):
    duration, found, remarks = heard(data)
    assert duration == pytest.approx(seconds, abs=within)
    assert (found, remarks) == (coughs, list(codes))


def tracks(container, codec, *sounds, rate=RATE, **options):
    """A file with several tracks, encoded with the codec's options."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        streams = [file.add_stream(codec, rate=rate, layout="mono", options=options) for _ in sounds]
        for stream, samples in zip(streams, sounds, strict=True):
            frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = rate, 0
            resampler = av.AudioResampler(
                stream.codec_context.format, "mono", rate, stream.codec_context.frame_size or None
            )
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                file.mux(stream.encode(part))
    return buffer.getvalue()


# Packets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("container", ["amr", "3gp"])
def test_amr_with_frames_that_stand_for_silence(container):
    quiet = synthetic.recording(rate=8000, noise=1e-5, onsets_s=(0.3, 2.8), duration_s=4.0)
    data = tracks(container, "libopencore_amrnb", quiet, rate=8000, dtx="1")
    assert len(data) < 0.8 * len(tracks(container, "libopencore_amrnb", quiet, rate=8000))
    check(data, seconds=4.0, coughs=2)


def test_wideband_amr_with_frames_that_hold_nothing():
    speech, no_data = b"\x04" + bytes(range(17)), b"\x7c"
    assert load(b"#!AMR-WB\n" + 50 * speech + 50 * no_data).duration == pytest.approx(2.0)


def spoilt(data, at=0.5, size=40):
    """A file with some random bytes in its midst."""
    start = int(at * len(data))
    noise = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes()
    return data[:start] + noise + data[start + size :]


@pytest.mark.parametrize(
    "container, codec", [("mp3", "libmp3lame"), ("ipod", "aac"), ("3gp", "aac"), ("mp4", "aac")]
)
def test_a_packet_that_cannot_be_decoded_does_not_end_the_recording(container, codec):
    check(spoilt(with_av(container, codec, samples=COUGHS)), "unread", within=0.08)


@pytest.mark.parametrize(
    "data, most",
    [
        (with_soundfile("FLAC", samples=COUGHS), 0.2),
        (with_soundfile("OGG", "VORBIS", samples=COUGHS), 1.2),
        (with_soundfile("OGG", "OPUS", samples=COUGHS), 1.2),
        (with_av("webm", "libopus", samples=COUGHS, live="1"), 0.5),
    ],
    ids=["flac", "vorbis", "opus", "webm"],
)
def test_what_damage_takes_away_is_said(data, most):
    recording = load(spoilt(data, size=600 if b"webm" in data[:99] else 40))
    (remark,) = recording.remarks
    assert remark.code == "gaps"
    missing = 3.5 - recording.duration
    assert 0.05 < missing < most
    assert float(remark.message.split(" s of")[0].split()[-1]) == pytest.approx(missing, abs=0.03)


@pytest.mark.parametrize("seconds", [0.5, 1.0])
@pytest.mark.parametrize("fill", ["zeros", "noise", "nothing"])
@pytest.mark.parametrize("name", ["mp3", "aac"])
def test_how_much_is_missing_between_frames(name, fill, seconds):
    data = JOINED[name]
    start, size = len(data) // 3, int(seconds / 3.5 * len(data))
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8).tobytes()
    recording = load(
        data[:start] + {"zeros": bytes(size), "noise": noise, "nothing": b""}[fill] + data[start + size :]
    )
    (remark,) = recording.remarks
    assert remark.code == "unread"
    # AAC has no index: what is gone without a trace is not known.
    known = fill != "nothing" or name == "mp3"
    said = float(remark.message.split(" s could")[0].split()[-1])
    assert said == pytest.approx(seconds, abs=0.15) if known else said < seconds
    assert recording.duration == pytest.approx(3.5 - seconds, abs=0.15)


def test_amr_that_lost_its_place_finds_it_again():
    data = JOINED["amr"]
    duration, found, remarks = heard(data[:600] + b"\x03" * 7 + data[600:])
    assert (found, remarks) == (3, ["unread"])
    assert duration == pytest.approx(3.5, abs=0.1)


@pytest.mark.parametrize("live", [{}, {"live": "1", "cluster_time_limit": "32000"}])
@pytest.mark.parametrize("size", [16, 600])
def test_what_follows_damage_in_webm_is_read(live, size):
    long = synthetic.recording(onsets_s=(0.5, 1.4, 2.2, 4.0, 5.5, 7.0), duration_s=8.0)
    duration, found, remarks = heard(
        spoilt(with_av("webm", "libopus", samples=long, **live), at=0.45, size=size)
    )
    assert duration > 7.5 and found == 6
    assert remarks == (["gaps"] if duration < 7.9 else [])


BEHIND = [
    b"\n",
    bytes(20),
    bytes(600),
    b"\r\n--boundary--\r\n",
    b"TAG" + bytes(125),
    b"APETAGEX" + bytes(200),
]


@pytest.mark.parametrize("name", ["mp3", "mp3 with a tag", "aac", "webm", "wav", "m4a", "flac", "opus"])
def test_what_follows_the_sound_is_no_damage(name):
    for behind in BEHIND:
        check(JOINED[name] + behind)


@pytest.mark.parametrize(
    "data",
    [
        with_av("webm", "libopus", samples=COUGHS, live="1"),
        with_av("mp2", "mp2", samples=COUGHS),
        with_soundfile("RF64", "PCM_16", samples=COUGHS),
        with_soundfile("AU", "PCM_16", samples=COUGHS),
        with_soundfile("CAF", "PCM_16", samples=COUGHS),
    ],
    ids=["live webm", "mp2", "rf64", "au", "caf"],
)
def test_a_file_that_is_cut_is_known_to_be(data):
    assert load(data).remarks == ()
    assert load(data[: int(0.71 * len(data))]).truncated


def test_a_frame_that_claims_another_format_is_damage_and_a_change_is_not():
    data = with_av("mp2", "mp2", samples=COUGHS)
    frame = len(data) // 147
    at = data.index(data[:3], 60 * frame)
    other = data[: at + 2] + bytes([data[at + 2] ^ 0x04]) + data[at + 3 :]
    assert heard(other)[1:] == (3, ["unread"])


@pytest.mark.parametrize("name", FORMATS)
def test_files_without_damage_have_no_remark(name):
    assert load(FORMATS[name]()).remarks == ()


# Several files in one, several tracks in a file -----------------------------------------------------------

JOINED = {
    "vorbis": with_soundfile("OGG", "VORBIS", samples=COUGHS),
    "opus": with_soundfile("OGG", "OPUS", samples=COUGHS),
    "flac in ogg": with_av("ogg", "flac", samples=COUGHS),
    "flac": with_soundfile("FLAC", samples=COUGHS),
    "wav": with_soundfile("WAV", samples=COUGHS),
    "aiff": with_soundfile("AIFF", samples=COUGHS),
    "webm": with_av("webm", "libopus", samples=COUGHS),
    "m4a": with_av("ipod", "aac", samples=COUGHS),
    "aac": with_av("adts", "aac", samples=COUGHS),
    "amr": with_av("amr", "libopencore_amrnb", samples=SLOW, rate=8000),
    "mp3": with_soundfile("MP3", samples=COUGHS),
    "mp3 with a tag": with_av("mp3", "libmp3lame", samples=COUGHS),
}


@pytest.mark.parametrize("name", JOINED)
def test_files_joined_to_one_are_read_to_the_end(name):
    check(2 * JOINED[name], seconds=7.0, coughs=6, within=0.1)


def test_a_tag_with_a_picture_between_two_files():
    picture = np.random.default_rng(0).integers(0, 256, 2 * 128 * 128, dtype=np.uint8).tobytes()
    data = JOINED["mp3"]
    check(data + b"ID3\4\0\0\0\2\0\0" + picture + data, seconds=7.0, coughs=6, within=0.1)


@pytest.mark.parametrize("name", ["opus", "vorbis", "wav", "flac", "webm", "aiff"])
def test_a_second_file_that_is_cut_does_not_lose_the_first(name):
    data = JOINED[name]
    for part in (40, int(0.7 * len(data))):
        recording = load(data + data[:part])
        assert recording.duration >= 3.49 and recording.truncated


def test_a_recorder_that_stopped_at_once_leaves_a_file_without_sound():
    data = JOINED["opus"]
    third_page = [at for at in range(len(data)) if data.startswith(b"OggS", at)][2]
    check(data + data[:third_page])
    check(data[:third_page] + data)


def test_joined_files_share_the_limits():
    with pytest.raises(AudioError) as caught:
        load(18 * JOINED["opus"])
    assert caught.value.code == "too_long"
    other = with_soundfile("OGG", "OPUS", samples=SLOW, rate=8000)
    with pytest.raises(AudioError) as caught:
        load(JOINED["opus"] + other)
    assert caught.value.code == "format_changes"


@pytest.mark.parametrize(
    "container, codec",
    [("matroska", "libopus"), ("mp4", "aac"), ("mov", "pcm_s16le"), ("ogg", "libopus"), ("3gp", "aac")],
)
@pytest.mark.parametrize("level", [0.0, 3e-4])
def test_the_track_with_sound_is_taken(container, codec, level):
    faint = level * np.random.default_rng(0).standard_normal(COUGHS.size)
    check(tracks(container, codec, faint, COUGHS), "track")


@pytest.mark.parametrize("container, codec", [("matroska", "libopus"), ("mp4", "aac")])
def test_a_longer_second_track_is_no_sign_of_damage(container, codec):
    check(tracks(container, codec, COUGHS, np.zeros(9 * RATE)))


def test_a_silent_second_track_needs_no_word_and_a_second_with_sound_does():
    silence = np.zeros_like(COUGHS)
    check(tracks("matroska", "libopus", COUGHS, silence))
    recording = load(tracks("matroska", "libopus", COUGHS, 0.5 * COUGHS))
    assert "2 sound tracks; only track 1" in recording.remarks[0].message
    with pytest.raises(AudioError, match="silent"):
        load(tracks("matroska", "libopus", silence, silence))


# Channels and levels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 48_000])
@pytest.mark.parametrize("gain", [1.0, 0.95, 0.8])
def test_channels_that_cancel_each_other(rate, gain):
    y = SLOW if rate == 8000 else COUGHS
    both = np.stack([y, -gain * y]).astype(np.float32)
    files = [
        with_soundfile("WAV", samples=both.T, rate=rate),
        with_soundfile("MP3", samples=both.T, rate=rate),
    ]
    files += [with_av("ipod", "aac", samples=both, rate=rate), with_av("webm", "libopus", samples=both)]
    for data in files[: 4 if rate == RATE else 3]:
        check(data, "channel", within=0.2)
    np.testing.assert_allclose(load(files[0]).samples, y, atol=2**-14)


def test_only_the_loudest_of_many_channels_can_be_heard():
    channels = np.zeros((SLOW.size, 64), np.float32)
    channels[:, 5] = 0.005 * SLOW / np.abs(SLOW).max()
    recording = load(wav_of_floats(channels, channels=64, rate=8000))
    np.testing.assert_array_equal(recording.samples, channels[:, 5])
    assert recording.remarks[0].code == "loudest" and "only channel 6" in recording.remarks[0].message


@pytest.mark.parametrize("right", [0.0, 0.3, -0.3, -0.6])
def test_ordinary_stereo_is_averaged(right):
    both = np.stack([SLOW, right * SLOW], axis=1).astype(np.float32)
    recording = load(wav_of_floats(both, channels=2, rate=8000))
    assert recording.remarks == ()
    np.testing.assert_array_equal(recording.samples, both.mean(axis=1, dtype=np.float64).astype(np.float32))


def test_unlike_microphones_are_averaged_and_a_common_hum_does_not_hide_what_cancels():
    noise = 0.05 * np.random.default_rng(0).standard_normal((2, COUGHS.size))
    apart = np.stack([COUGHS, np.roll(COUGHS, 20)]) + noise
    assert load(wav_of_floats(apart.T.astype(np.float32), channels=2)).remarks == ()
    hum = 0.02 * np.sin(2 * np.pi * 100 * np.arange(COUGHS.size) / RATE)
    assert heard(wav_of_floats((STEREO_OPPOSITE + hum).T.astype(np.float32), channels=2))[1:] == (
        3,
        ["channel"],
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [100, 1000, 32_768, 2.0**23, 2.0**31, 1e6])
def test_floats_in_the_range_of_integers(kind, scale):
    data = wav_of_floats((SLOW * scale).astype(kind), rate=8000)
    check(data, "scaled")
    if np.log2(scale) % 1 == 0:
        np.testing.assert_array_equal(load(data).samples, SLOW)


@pytest.mark.parametrize("peak", [1.5, 5, 12])
def test_a_mix_too_loud_stays_as_it_is_and_so_does_a_recording_with_a_click(peak):
    loud = (peak * SLOW / np.abs(SLOW).max()).astype(np.float32)
    click = SLOW.copy()
    click[5] = 100 * peak
    for samples in (loud, click):
        recording = load(wav_of_floats(samples, rate=8000))
        assert recording.remarks == ()
        np.testing.assert_array_equal(recording.samples, samples)


def test_small_integers_stored_as_floats():
    check(wav_of_floats(np.round(100 * SLOW).astype(np.float32), rate=8000), "scaled")


def test_damage_that_sounds_loud_is_not_taken_for_integers():
    data = bytearray(with_av("mp3", "libmp3lame", samples=COUGHS))
    for seed in range(30):
        at = int(np.random.default_rng(seed).integers(2000, len(data) - 2000))
        recording = load(data[:at] + bytes(512) + data[at + 512 :])
        assert "scaled" not in [remark.code for remark in recording.remarks]


# WAV headers ----------------------------------------------------------------------------------------------


def sample_bytes(values, width):
    return np.ascontiguousarray(values, "<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()


def wide_wav(values, bits, width, *, channels=1, extensible=None):
    """A WAV file whose samples have more bytes than bits need; `extensible` gives the bits in use in the longer header."""
    data, align = sample_bytes(values, width), width * channels
    fmt = struct.pack(
        "<HHIIHH", 1 if extensible is None else 0xFFFE, channels, 8000, 8000 * align, align, bits
    )
    if extensible is not None:
        fmt += struct.pack("<HHIH", 22, extensible, 4, 1) + bytes.fromhex("000000001000800000aa00389b71")
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("source_bits", [16, 24])
@pytest.mark.parametrize("place", ["lower", "lower, unsigned above", "upper"])
@pytest.mark.parametrize(
    "bits, extensible", [(24, None), (24, 24), (24, 0), (32, 24)], ids=["plain", "24/24", "24/0", "32/24"]
)
def test_24_bits_in_4_bytes(source_bits, place, bits, extensible):
    values = np.round(SLOW.astype(float) * 2 ** (source_bits - 1)).astype(np.int64) << (24 - source_bits)
    stored = {"lower": values, "lower, unsigned above": values & 0xFFFFFF, "upper": values << 8}[place]
    recording = load(wide_wav(stored, bits, 4, extensible=extensible))
    assert (recording.bit_depth, recording.duration, recording.remarks) == (24, 3.5, ())
    np.testing.assert_array_equal(recording.samples, (values / 2.0**23).astype(np.float32))


def test_wide_samples_that_are_cut_are_known_to_be():
    values = np.round(SLOW.astype(float) * 2**23).astype(np.int64)
    assert load(wide_wav(values, 24, 4)[:-4001]).truncated


def test_a_chunk_without_its_filling_byte():
    data = wav_of(16)
    chunk = b"LIST" + struct.pack("<I", 13) + b"INFOISFT\x01\0\0\0x"
    np.testing.assert_array_equal(load(data[:36] + chunk + data[36:]).samples, load(data).samples)


@pytest.mark.parametrize("bits, width", [(16, 4), (20, 3), (20, 4), (12, 2), (24, 8)])
def test_other_bits_in_more_bytes_than_they_need(bits, width):
    values = np.round(SLOW.astype(float) * 2 ** (bits - 1)).astype(np.int64)
    both = np.repeat(values, 2)
    recording = load(wide_wav(both, bits, width, channels=2))
    assert recording.channels == 2
    np.testing.assert_array_equal(recording.samples, (values / 2.0 ** (bits - 1)).astype(np.float32))


@pytest.mark.parametrize("subtype", ["GSM610", "MS_ADPCM"])
@pytest.mark.parametrize("samples", [8000, 8001, 8160, 8320])
def test_blocks_that_are_filled_up_end_where_the_sound_ends(subtype, samples):
    data = with_soundfile("WAV", subtype, samples=SLOW[2000 : 2000 + samples], rate=8000)
    assert load(data).samples.size == samples


def test_blocks_without_a_stated_length_end_with_the_last_block():
    data = with_soundfile("WAV", "GSM610", samples=SLOW[:8000], rate=8000)
    assert load(data.replace(b"fact", b"fake")).samples.size == 8000


@pytest.mark.parametrize(
    "size", [0x7F000000, 0x7FFFF000, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x80000000, 0xFFFFF000, 0xFFFFFFFF - 36]
)
def test_sizes_that_stand_for_an_unknown_size(size):
    values = np.round(SLOW.astype(float) * 2**15).astype(np.int64)
    recording = load(wav(pcm(values, 16), rate=8000, size=size))
    assert (recording.duration, recording.remarks) == (3.5, ())
    aiff = bytearray(with_soundfile("AIFF", "PCM_16", samples=SLOW, rate=8000))
    at = aiff.index(b"SSND") + 4
    aiff[at : at + 4] = struct.pack(">I", size)
    assert load(aiff).remarks == ()


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_without_the_flag_of_its_end(subtype):
    data = bytearray(with_soundfile("OGG", subtype, samples=COUGHS))
    at = data.rindex(b"OggS")
    data[at + 5] &= ~4
    data[at + 22 : at + 26] = bytes(4)
    data[at + 22 : at + 26] = struct.pack("<I", ogg_checksum(data[at:]))
    check(data)
    check(data[:-200], "truncated", seconds=3.5, coughs=heard(data[:-200])[1], within=1.1)


def ogg_checksum(page):
    """The checksum of RFC 3533, bit by bit."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


# What comes before the sound ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mp3", "aac"])
@pytest.mark.parametrize(
    "before", [b"\0", bytes(1024), bytes(70_000), b"\xff" * 9, b"\xff" * 3000, bytes(9) + b"\xff" * 7]
)
def test_filling_before_the_first_frame(name, before):
    check(before + JOINED[name])


@pytest.mark.parametrize("name", ["mp3", "aac", "mp3 with a tag"])
@pytest.mark.parametrize("cut", [1, 100, 417, 1000, 2000])
def test_a_beginning_that_was_cut_off(name, cut):
    check(JOINED[name][cut:], within=0.05 + cut / 8000)


def test_filling_before_other_formats():
    for name in ("wav", "flac", "m4a"):
        check(bytes(100) + JOINED[name])
        check(b"ID3\4\0\0\0\0\0\0" + bytes(30) + JOINED[name])


def test_chance_does_not_make_frames():
    noise = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8).tobytes()
    for data in (noise[:10] + b"\xff\xfb" + noise, bytes(5000), b"\xff" * 5000, b"\xff\xfb\x90\0" * 50):
        with pytest.raises(AudioError) as caught:
            load(data, LIMITS)
        assert caught.value.code in ("not_audio", "damaged")
