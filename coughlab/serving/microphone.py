"""The sound of a microphone as it comes over the network, decoded where it can do no harm.

The library that brings it, aiortc, would have it decoded in the process of the pages, by whatever decoder whoever connects
names: a packet that crashes one would end the app for everybody. Browsers send Opus (RFC 7874), and in a worker it is decoded.
"""

import fractions
from functools import cache

import numpy as np

from coughlab.serving import workers

#: Opus has this rate, in hertz.
RATE = 48_000


@cache
def _codec():
    from av import CodecContext

    codec = CodecContext.create("libopus", "r")
    codec.format, codec.layout, codec.sample_rate = "s16", "stereo", RATE
    return codec


def decode(packet):
    """Decode the next packet of the one sound that this process decodes.

    Parameters
    ----------
    packet : bytes
        Opus, without a container (RFC 6716).

    Returns
    -------
    bytes
        16-bit samples, the channels interleaved; empty if it is no such packet.
    """
    from av import FFmpegError, Packet

    if not packet:  # to the decoder it would be the end of the sound
        return b""
    try:
        return b"".join(frame.to_ndarray().tobytes() for frame in _codec().decode(Packet(packet)))
    except FFmpegError:
        return b""


class Decoder:
    """What aiortc asks instead of a decoder of its own.

    Parameters
    ----------
    sound : coughlab.serving.workers.Sound
        The worker.
    """

    def __init__(self, sound):
        self._sound = sound

    def decode(self, encoded):
        """Decode a packet.

        Parameters
        ----------
        encoded : aiortc.jitterbuffer.JitterFrame

        Returns
        -------
        list of av.AudioFrame
            Empty where it could not be decoded.
        """
        from av import AudioFrame

        samples = np.frombuffer(self._sound.decode(bytes(encoded.data)), np.int16)
        if not len(samples):
            return []
        frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = RATE, encoded.timestamp
        frame.time_base = fractions.Fraction(1, RATE)
        return [frame]


class _Nothing:
    """Of what no browser sends, nothing is decoded."""

    def decode(self, encoded):
        return []


def decoder_of(codec):
    """The decoder of what comes over a connection.

    Parameters
    ----------
    codec : aiortc.RTCRtpCodecParameters
        What whoever connects says it is.

    Returns
    -------
    object
        With a method ``decode``, as aiortc has them.
    """
    return Decoder(workers.shared().sound()) if codec.mimeType.lower() == "audio/opus" else _Nothing()


def isolate():
    """See to it that nothing that comes over a connection is decoded in this process."""
    from aiortc import rtcrtpreceiver

    rtcrtpreceiver.get_decoder = decoder_of
