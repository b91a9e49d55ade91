"""The sound of a microphone as it comes over the network, decoded in a worker.

The library that receives it, aiortc, would decode it in the process of the pages, and with any decoder that the other end asks
for: a packet that crashes a decoder would end the app. Browsers send Opus (RFC 7874), and it is decoded in a worker.
"""

import fractions

import numpy as np

from coughlab.audio import opus
from coughlab.serving import workers


class Decoder:
    """Takes the place of aiortc's own decoders: has each packet of one sound decoded in its worker."""

    def __init__(self, sound: workers.Sound):
        self._sound = sound

    def decode(self, encoded):
        """Decode an ``aiortc.jitterbuffer.JitterFrame`` to a list of ``av.AudioFrame``, empty where that fails."""
        from av import AudioFrame

        samples = np.frombuffer(self._sound.decode(bytes(encoded.data)), np.int16)
        if not len(samples):
            return []
        frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = opus.RATE, encoded.timestamp
        frame.time_base = fractions.Fraction(1, opus.RATE)
        return [frame]


class _NoDecoder:
    """For codecs that no browser uses for a microphone."""

    def decode(self, encoded):
        return []


def decoder_of(codec):
    """The decoder for an ``aiortc.RTCRtpCodecParameters``, which the other end of the connection chooses."""
    return Decoder(workers.shared().sound()) if codec.mimeType.lower() == "audio/opus" else _NoDecoder()


def isolate():
    """Have aiortc decode nothing in this process."""
    from aiortc import rtcrtpreceiver

    rtcrtpreceiver.get_decoder = decoder_of
