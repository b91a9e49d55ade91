"""Test audio of all formats, made from synthetic coughs."""

import io
import struct
from functools import cache, partial

import av
import numpy as np
import soundfile

from coughlab.audio.synthetic import RATE, recording

DURATION = 1.2


@cache
def cough(rate=RATE, seconds=DURATION):
    y = recording(onsets_s=(0.2, 0.7), duration_s=seconds, rate=rate)
    y.flags.writeable = False
    return y


_T = np.arange(2 * RATE) / RATE
#: Sounds of two seconds that are not coughs.
OTHERS = {
    "faint noise": 3e-4 * np.random.default_rng(0).standard_normal(_T.size),
    "a quiet hum": 0.003 * (np.sin(2 * np.pi * 50 * _T) + 0.5 * np.sin(2 * np.pi * 100 * _T)),
    "a pure tone": 0.3 * np.sin(2 * np.pi * 1000 * _T),
}


def integers(bits=16, rate=RATE):
    """The synthetic coughs as integers with a number of bits."""
    return np.round(cough(rate).astype(float) * 2 ** (bits - 1)).astype(np.int64)


def with_soundfile(container, subtype=None, *, rate=RATE, samples=None):
    buffer = io.BytesIO()
    soundfile.write(
        buffer, cough(rate) if samples is None else samples, rate, format=container, subtype=subtype
    )
    return buffer.getvalue()


def with_av(container, codec=None, *, rate=RATE, samples=None, video=None, **options):
    """A file by FFmpeg: with sound unless `codec` is None, and with a second of moving grey if `video` names a codec.

    Parameters
    ----------
    samples : ndarray, shape (n,) or (channels, n), float32
    options
        Of the container, such as movflags.
    """
    samples = np.atleast_2d(cough(rate) if samples is None else samples)
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1", 16: "hexadecagonal"}[len(samples)]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options=options) as file:
        pictures = file.add_stream(video, rate=5) if video else None
        if video:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        if codec:
            sound = file.add_stream(codec, rate=rate, layout=layout)
            frame = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1), format="flt", layout=layout)
            frame.sample_rate, frame.pts = rate, 0
            resampler = av.AudioResampler(
                sound.codec_context.format, layout, rate, sound.codec_context.frame_size or None
            )
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                file.mux(sound.encode(part))
        if video:
            for grey in range(0, 250, 50):
                picture = np.full((64, 64, 3), grey, np.uint8)
                file.mux(pictures.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            file.mux(pictures.encode(None))
    return buffer.getvalue()


def pcm(values, bits):
    """Little-endian PCM as WAV stores it: unsigned at 8 bits, signed above."""
    if bits == 8:
        return (values + 128).astype("<u1").tobytes()
    return np.ascontiguousarray(values, "<i8").reshape(-1, 1).view("<u1")[:, : bits // 8].tobytes()


def wav(data, *, bits=16, rate=RATE, channels=1, tag=1, size=None, riff_size=None, after=b""):
    """A WAV file made by hand, with a possibly wrong header; `tag` 1 is PCM and 3 is float."""
    align = max(1, channels * bits // 8)
    size = len(data) if size is None else size
    riff_size = 36 + len(data) + len(after) if riff_size is None else riff_size
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * align % 2**32, align % 2**16, bits)
    header = b"RIFF" + struct.pack("<I", riff_size) + b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt
    return header + b"data" + struct.pack("<I", size) + data + after


def wav_of(bits, **header):
    return wav(pcm(integers(bits), bits), bits=bits, **header)


def wav_of_floats(samples, **header):
    samples = np.asarray(samples)
    return wav(samples.tobytes(), bits=8 * samples.itemsize, tag=3, **header)


# One file of each format; a call of the value makes the bytes.
FORMATS = {
    "wav 8-bit": cache(partial(wav_of, 8)),
    "wav 16-bit": cache(partial(wav_of, 16)),
    "wav 24-bit": cache(partial(wav_of, 24)),
    "wav 32-bit": cache(partial(wav_of, 32)),
    "wav 64-bit": cache(partial(with_av, "wav", "pcm_s64le")),
    "wav float": cache(partial(with_soundfile, "WAV", "FLOAT")),
    "wav double": cache(partial(with_soundfile, "WAV", "DOUBLE")),
    "wav mu-law": cache(partial(with_soundfile, "WAV", "ULAW")),
    "wav adpcm": cache(partial(with_soundfile, "WAV", "IMA_ADPCM")),
    "wav extensible": cache(partial(with_soundfile, "WAVEX", "PCM_24")),
    "wav rf64": cache(partial(with_soundfile, "RF64", "PCM_16")),
    "wav mp3": cache(partial(with_av, "wav", "libmp3lame")),
    "aiff": cache(partial(with_soundfile, "AIFF", "PCM_16")),
    "au": cache(partial(with_soundfile, "AU", "PCM_16")),
    "caf": cache(partial(with_soundfile, "CAF", "PCM_16")),
    "caf alac": cache(partial(with_soundfile, "CAF", "ALAC_24")),
    "flac 16-bit": cache(partial(with_soundfile, "FLAC", "PCM_16")),
    "flac 24-bit": cache(partial(with_soundfile, "FLAC", "PCM_24")),
    "ogg vorbis": cache(partial(with_soundfile, "OGG", "VORBIS")),
    "ogg opus": cache(partial(with_soundfile, "OGG", "OPUS")),
    "ogg flac": cache(partial(with_av, "ogg", "flac")),
    "mp3": cache(partial(with_soundfile, "MP3")),
    "mp3 id3": cache(partial(with_av, "mp3", "libmp3lame")),
    "mp2": cache(partial(with_av, "mp2", "mp2")),
    "aac adts": cache(partial(with_av, "adts", "aac")),
    "amr": cache(partial(with_av, "amr", "libopencore_amrnb", rate=8000)),
    "webm opus": cache(partial(with_av, "webm", "libopus")),
    "webm live": cache(partial(with_av, "webm", "libopus", live="1")),
    "webm video": cache(partial(with_av, "webm", "libopus", video="libvpx")),
    "matroska pcm": cache(partial(with_av, "matroska", "pcm_s24le")),
    "m4a aac": cache(partial(with_av, "ipod", "aac")),
    "m4a alac": cache(partial(with_av, "ipod", "alac")),
    "mp4 fragments": cache(partial(with_av, "mp4", "aac", movflags="frag_keyframe+empty_moov")),
    "mp4 video": cache(partial(with_av, "mp4", "aac", video="mpeg4")),
    "mov pcm": cache(partial(with_av, "mov", "pcm_s16le")),
    "3gp aac": cache(partial(with_av, "3gp", "aac")),
    "3gp amr": cache(partial(with_av, "3gp", "libopencore_amrnb", rate=8000)),
}
