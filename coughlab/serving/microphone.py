"""The sound of a microphone as it comes over the network, decoded in a worker.

The library that receives it, aiortc, would decode it in the process of the pages, and with any decoder that the other end asks
for: a packet that crashes a decoder would end the app. Browsers send Opus (RFC 7874), and it is decoded in a worker.
"""

from __future__ import annotations

import fractions
from typing import TYPE_CHECKING

import numpy as np

from coughlab.audio import opus
from coughlab.serving import workers

if TYPE_CHECKING:
    from aiortc import RTCRtpCodecParameters
    from aiortc.jitterbuffer import JitterFrame
    from av import AudioFrame


class Decoder:
    """Takes the place of aiortc's own decoders: has each packet of one sound decoded in its worker."""

    def __init__(self, sound: workers.Sound):
        self._sound = sound

    def decode(self, encoded: JitterFrame) -> list[AudioFrame]:
        """The decoded sound, empty where that fails."""
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

    def decode(self, encoded: JitterFrame) -> list[AudioFrame]:
        return []


def decoder_of(codec: RTCRtpCodecParameters) -> Decoder | _NoDecoder:
    """The decoder for a codec, which the other end of the connection chooses."""
    return Decoder(workers.shared().sound()) if codec.mimeType.lower() == "audio/opus" else _NoDecoder()


def isolate() -> None:
    """Have aiortc decode nothing in this process."""
    from aiortc import rtcrtpreceiver

    rtcrtpreceiver.get_decoder = decoder_of  # type: ignore[assignment]  # ours are no subclasses of aiortc's
