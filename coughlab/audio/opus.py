"""Decodes Opus packets, in which browsers send a microphone's sound (RFC 7874), one after the other."""

from functools import cache

#: Sample rate of Opus, in hertz.
RATE = 48_000
#: What browsers are asked for (RFC 7587, section 6.1). By themselves they send one channel at 32,000 bits per second, encoded for
#: calls: without its lowest tones. Two channels are encoded as they are, even if both are the same.
BITRATE, CHANNELS = 128_000, 2


@cache
def _codec():
    from av import CodecContext

    codec = CodecContext.create("libopus", "r")
    codec.format, codec.layout, codec.sample_rate = "s16", "stereo", RATE
    return codec


def decode(packet: bytes) -> bytes:
    """Decode the next packet, without a container (RFC 6716), of the only stream that this process decodes.

    Returns 16-bit samples of two channels, interleaved; none if the packet is not valid.
    """
    from av import FFmpegError, Packet

    if not packet:  # the decoder would take it for the end of the stream
        return b""
    try:
        return b"".join(frame.to_ndarray().tobytes() for frame in _codec().decode(Packet(packet)))
    except FFmpegError:
        return b""
