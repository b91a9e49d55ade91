"""The sound of a microphone, decoded packet by packet in a separate process."""

import asyncio
import fractions
import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest

# Imported here, before any test runs, because an import after TensorFlow crashes the process.
from aiortc import RTCPeerConnection, rtcrtpreceiver
from aiortc.codecs.opus import OpusDecoder
from av import AudioFrame, CodecContext

from coughlab.audio import synthetic
from coughlab.audio.opus import BITRATE
from coughlab.serving import microphone as packets
from coughlab.serving import workers
from tests.serving import test_workers

RATE = 48_000


@pytest.fixture
def pool(monkeypatch):
    pool = workers.Pool(1)
    monkeypatch.setattr(workers, "shared", lambda: pool)
    yield pool
    pool.close()


def opus():
    """Packets of 20 ms, as a browser sends them."""
    codec = CodecContext.create("libopus", "w")
    codec.format, codec.layout, codec.sample_rate, codec.bit_rate = "s16", "stereo", RATE, 64_000
    samples = synthetic.recording(duration_s=2.0, rate=RATE)
    samples = (np.repeat(samples, 2) * 2**15).astype(np.int16)
    found = []
    for number, at in enumerate(range(0, len(samples) - 1920, 1920)):
        frame = AudioFrame.from_ndarray(samples[None, at : at + 1920], format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 960 * number, fractions.Fraction(1, RATE)
        found += [bytes(packet) for packet in codec.encode(frame)]
    return found


def decoder(kind="audio/opus"):
    return packets.decoder_of(SimpleNamespace(mimeType=kind))


def as_packet(packet, at=0):
    return SimpleNamespace(data=packet, timestamp=at)


def test_the_sound_is_that_of_aiortc_s_own_decoder(pool):
    ours, theirs = decoder(), OpusDecoder()
    for number, packet in enumerate(opus()):
        (here,) = ours.decode(as_packet(packet, 960 * number))
        (there,) = theirs.decode(as_packet(packet, 960 * number))
        assert np.array_equal(here.to_ndarray(), there.to_ndarray()) and here.samples == 960
        properties = [
            (one.format.name, one.layout.name, one.rate, one.pts, one.time_base) for one in (here, there)
        ]
        assert properties[0] == properties[1]


def test_the_browser_is_asked_for_the_bit_rate_that_was_measured():
    packets.ask_for_quality()

    async def answer():
        browser, app = RTCPeerConnection(), RTCPeerConnection()
        browser.addTransceiver("audio")
        await browser.setLocalDescription(await browser.createOffer())
        await app.setRemoteDescription(browser.localDescription)
        sdp = (await app.createAnswer()).sdp
        await browser.close()
        await app.close()
        return sdp

    assert f"a=fmtp:96 stereo=1;maxaveragebitrate={BITRATE}" in asyncio.run(answer()).splitlines()


def test_an_invalid_packet_is_left_out_and_the_next_one_is_decoded(pool):
    ours, rng = decoder(), np.random.default_rng(7)
    good = opus()
    for number, packet in enumerate(good):
        changed = bytearray(packet)
        changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
        for bad in (bytes(changed), rng.bytes(rng.integers(1, 1500)), b""):
            ours.decode(as_packet(bad))
        assert ours.decode(as_packet(packet, number))[0].samples == 960
    assert pool.replaced == 0


def test_a_decoder_crash_loses_one_packet_and_does_not_affect_other_sessions(pool):
    pool.answer(test_workers.recording(2.0), **test_workers.OPTIONS)
    others = test_workers.processes()
    ours, good = decoder(), opus()
    assert ours.decode(as_packet(good[0]))
    (worker,) = set(test_workers.processes()) - set(others)
    os.kill(worker, signal.SIGSEGV)
    assert ours.decode(as_packet(good[1])) == []
    assert ours.decode(as_packet(good[2]))[0].samples == 960
    assert pool.answer(test_workers.recording(2.0), **test_workers.OPTIONS) and pool.replaced == 0


def test_its_worker_ends_with_the_decoder(pool):
    pool.answer(test_workers.recording(2.0), **test_workers.OPTIONS)
    others = test_workers.processes()
    ours = decoder()
    ours.decode(as_packet(opus()[0]))
    (worker,) = set(test_workers.processes()) - set(others)
    del ours
    while worker in test_workers.processes():
        pass


@pytest.mark.parametrize("kind", ["video/VP8", "video/H264", "audio/PCMU", "audio/G722", "audio/odd"])
def test_other_codecs_are_not_decoded(pool, kind):
    assert decoder(kind).decode(as_packet(b"\0" * 100)) == []


def test_the_page_uses_this_decoder_for_all_sound():
    from pages.components.live import microphone

    assert microphone.microphone is packets
    assert rtcrtpreceiver.get_decoder is packets.decoder_of
