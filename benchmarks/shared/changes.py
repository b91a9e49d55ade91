"""Changes in copies of a recording: each is a function of samples and rate that returns both."""

import io

import av
import numpy as np
import soxr

from coughlab import audio


def encoded(y, rate, container, codec, bit_rate, **options):
    """Samples as the bytes of a file, the same bytes every time."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono", options=options)
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(y[None] / max(1, np.abs(y).max()), format="flt", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        context = stream.codec_context
        resampler = av.AudioResampler(context.format, "mono", rate, context.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            file.mux(stream.encode(part))
    return buffer.getvalue()


def coded(container, codec, bit_rate, rate):
    """A change: encode and decode."""

    def change(y, from_rate):
        y = soxr.resample(y, from_rate, rate).astype(np.float32)
        decoded = audio.load(encoded(y, rate, container, codec, bit_rate))
        return decoded.samples, decoded.rate

    return change


def telephone(y, rate):
    y = soxr.resample(y, rate, 8000)
    f = np.fft.rfftfreq(y.size, 1 / 8000)
    return np.fft.irfft(np.fft.rfft(y) * ((f > 300) & (f < 3400)), y.size), 8000


def noisy(db):
    def change(y, rate):
        noise = np.random.default_rng(0).standard_normal(y.size)
        return y + noise * np.sqrt(np.square(y).mean()) * 10 ** (-db / 20), rate

    return change


CHANGES = {
    "MP3, 32 kbit/s": coded("mp3", "libmp3lame", 32_000, 22_050),
    "Opus, 16 kbit/s": coded("ogg", "libopus", 16_000, 48_000),
    "AAC, 32 kbit/s": coded("adts", "aac", 32_000, 22_050),
    "AMR, 12.2 kbit/s": coded("amr", "libopencore_amrnb", 12_200, 8000),
    "telephone, 300 to 3,400 Hz": telephone,
    "noise 20 dB below": noisy(20),
    "12 dB quieter": lambda y, rate: (np.round(y / 4 * 2**15) / 2**15, rate),
    "12 dB louder, clipped": lambda y, rate: (np.clip(4 * y, -1, 1), rate),
    "first 137 ms off": lambda y, rate: (y[round(0.137 * rate) :], rate),
    "60 % of it, from the middle": lambda y, rate: (y[round(0.2 * y.size) : round(0.8 * y.size)], rate),
    "silence before and after": lambda y, rate: (np.pad(y, (rate // 3, rate)), rate),
}
