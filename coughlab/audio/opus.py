"""Packets of Opus, as browsers send the sound of a microphone (RFC 7874), decoded one after the other."""

from functools import cache

#: Sample rate of Opus, in hertz.
RATE = 48_000


@cache
def _codec():
    from av import CodecContext

    codec = CodecContext.create("libopus", "r")
    codec.format, codec.layout, codec.sample_rate = "s16", "stereo", RATE
    return codec


def decode(packet: bytes) -> bytes:
    """Decode the next packet, without a container (RFC 6716), of the one sound that this process decodes.

    Returns 16-bit samples of two channels, interleaved; none if it is no such packet.
    """
    from av import FFmpegError, Packet

    if not packet:  # to the decoder it would be the end of the sound
        return b""
    try:
        return b"".join(frame.to_ndarray().tobytes() for frame in _codec().decode(Packet(packet)))
    except FFmpegError:
        return b""
