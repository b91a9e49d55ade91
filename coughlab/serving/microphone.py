"""Decodes a microphone's sound from the network in a worker.

The library that receives the sound, aiortc, would decode it in the app's process with any decoder that the client chooses. A
packet that crashes the decoder would end the app. So only Opus, which browsers send (RFC 7874), is decoded, and in a worker.
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
    """Replaces aiortc's own decoders: sends each packet of one sound to its worker."""

    def __init__(self, sound: workers.Sound):
        self._sound = sound

    def decode(self, encoded: JitterFrame) -> list[AudioFrame]:
        """The decoded sound; empty if decoding fails."""
        from av import AudioFrame

        samples = np.frombuffer(self._sound.decode(bytes(encoded.data)), np.int16)
        if not len(samples):
            return []
        frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = opus.RATE, encoded.timestamp
        frame.time_base = fractions.Fraction(1, opus.RATE)
        return [frame]


class _NoDecoder:
    """Decoder for codecs that browsers do not use for a microphone."""

    def decode(self, encoded: JitterFrame) -> list[AudioFrame]:
        return []


def decoder_of(codec: RTCRtpCodecParameters) -> Decoder | _NoDecoder:
    """The decoder for a codec, which the client chooses."""
    return Decoder(workers.shared().sound()) if codec.mimeType.lower() == "audio/opus" else _NoDecoder()


def isolate() -> None:
    """Prevent aiortc from decoding in this process."""
    from aiortc import rtcrtpreceiver

    rtcrtpreceiver.get_decoder = decoder_of  # type: ignore[assignment]  # ours are no subclasses of aiortc's


def ask_for_quality() -> None:
    """Make aiortc ask browsers for `opus.BITRATE` and `opus.CHANNELS` in its answers."""
    from aiortc import codecs

    for codec in codecs.CODECS["audio"]:
        if codec.mimeType.lower() == "audio/opus":
            codec.parameters.update(stereo=opus.CHANNELS - 1, maxaveragebitrate=opus.BITRATE)
