"""Synthetic sounds other than coughs for the detector's training: speech-like sound, music, noise, knocks, calls.

Each function takes the rate in samples per second (at least 8,000), a seed, the length in seconds, and the peak, full scale 1. It
returns samples of shape (round(rate * duration_s),), float32.
"""

import numpy as np
import scipy.signal

from coughlab.audio.synthetic import RATE


def speech(*, rate: int = RATE, seed: int = 0, duration_s: float = 3.0, peak: float = 0.3) -> np.ndarray:
    """Speech-like sound: syllables of a voice with moving formants, hissed and plosive consonants, pauses between words.

    A source-filter synthesis after D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67 (1980), with
    formants near those of vowels.
    """
    rng = np.random.default_rng(seed)
    low, size = 16_000, round(duration_s * 16_000)
    y, at, speaker_hz = np.zeros(size + low), rng.uniform(0, 0.2), rng.uniform(85, 260)
    while at < duration_s:
        for _ in range(rng.integers(1, 5)):
            syllable = _syllable(rng, low, speaker_hz * rng.uniform(0.85, 1.2))
            room = y[round(at * low) :][: syllable.size]
            room += syllable[: room.size] * rng.uniform(0.5, 1)
            at += syllable.size / low * rng.uniform(0.8, 1.05)
        at += rng.uniform(0.05, 0.5)
    return _finished(y[:size], low, rate, duration_s, peak)


def _syllable(rng, rate, pitch_hz):
    t = np.arange(round(rng.uniform(0.1, 0.35) * rate)) / rate
    u = t / t[-1]
    glide = pitch_hz * (1 + rng.uniform(-0.15, 0.15) * u + 0.01 * np.sin(2 * np.pi * 5 * t))
    source = scipy.signal.sawtooth(2 * np.pi * np.cumsum(glide) / rate) + 0.02 * rng.standard_normal(t.size)
    vowel = np.zeros(t.size)
    for low, high, width in ((250, 850, 80), (800, 2400, 110), (2300, 3200, 160)):
        begin, end = rng.uniform(low, high, 2)
        # Formants move in a few steps: one filter per step, with fades between them.
        steps = np.linspace(begin, end, 4)
        parts = [scipy.signal.lfilter(*scipy.signal.iirpeak(hz, hz / width, fs=rate), source) for hz in steps]
        weights = np.maximum(0, 1 - np.abs(u * 3 - np.arange(4)[:, None]))
        vowel += (np.array(parts) * weights).sum(0)
    y = vowel * np.sin(np.pi * np.minimum(u * 1.2, 1) ** 0.7) / np.abs(vowel).max()
    kind = rng.random()
    if kind < 0.45:
        hiss = rng.standard_normal(round(rng.uniform(0.04, 0.16) * rate))
        edge = rng.uniform(1500, 5000)
        hiss = scipy.signal.lfilter(
            *scipy.signal.butter(2, [edge, min(edge * 1.9, 7800)], "bandpass", fs=rate), hiss
        )
        y = np.concatenate([rng.uniform(0.1, 0.5) * hiss / np.abs(hiss).max() * np.hanning(hiss.size), y])
    elif kind < 0.75:
        pop = rng.standard_normal(round(0.03 * rate)) * np.exp(
            -np.arange(round(0.03 * rate)) / (0.006 * rate)
        )
        y = np.concatenate([np.zeros(round(0.04 * rate)), rng.uniform(0.1, 0.5) * pop / np.abs(pop).max(), y])
    return y


def music(*, rate: int = RATE, seed: int = 0, duration_s: float = 3.0, peak: float = 0.3) -> np.ndarray:
    """Music-like sound: chords and a melody of plucked or blown notes, often with drums."""
    rng = np.random.default_rng(seed)
    low, size = 16_000, round(duration_s * 16_000)
    y, beat, root = np.zeros(size + 2 * low), rng.uniform(0.15, 0.6), rng.uniform(80, 320)
    plucked, drums = rng.random() < 0.6, rng.random() < 0.5
    scale = root * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    for at in np.arange(0, duration_s, beat):
        t = np.arange(round(rng.uniform(0.8, 3) * beat * low)) / low
        envelope = np.exp(-t / rng.uniform(0.1, 0.6)) if plucked else np.abs(np.sin(np.pi * t / t[-1])) ** 0.4
        envelope *= np.minimum(t / 0.004, 1)
        note = sum(
            np.sin(2 * np.pi * hz * k * t) / k ** rng.uniform(1, 2.5)
            for hz in rng.choice(scale, rng.integers(1, 4))
            for k in range(1, 7)
            if hz * k < low / 2
        )
        y[round(at * low) :][: t.size] += envelope * note
        if drums and rng.random() < 0.7:
            y[round(at * low) :][:3200] += rng.uniform(0.5, 3) * _drum(rng, low)
    return _finished(y[:size], low, rate, duration_s, peak)


def _drum(rng, rate):
    t = np.arange(3200) / rate
    skin = np.sin(2 * np.pi * (rng.uniform(45, 220) * t + 4 * np.exp(-t / 0.02)))
    wires = rng.standard_normal(t.size)
    if rng.random() < 0.5:
        wires = np.diff(wires, prepend=0)
    decay = rng.uniform(0.015, 0.06)
    return (
        rng.uniform(0, 1) * skin * np.exp(-t / (2 * decay)) + rng.uniform(0, 0.8) * wires * np.exp(-t / decay)
    ) / 2


def noise(*, rate: int = RATE, seed: int = 0, duration_s: float = 3.0, peak: float = 0.3) -> np.ndarray:
    """Steady noise: white, pink, brown or band-limited, with or without a hum, with a slowly varying level."""
    rng = np.random.default_rng(seed)
    low, size = 16_000, round(duration_s * 16_000)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hz = np.maximum(np.fft.rfftfreq(size, 1 / low), 20)
    spectrum *= hz ** -rng.uniform(-0.2, 1.2)
    if rng.random() < 0.4:
        middle = rng.uniform(200, 5000)
        spectrum *= np.exp(-((np.log(hz / middle) / rng.uniform(0.2, 1)) ** 2))
    y = np.fft.irfft(spectrum, size)
    t = np.arange(size) / low
    y /= np.abs(y).max()
    if rng.random() < 0.4:
        mains = rng.choice([50, 60, 100, 120]) * rng.uniform(0.95, 4)
        y += rng.uniform(0.1, 1) * sum(np.sin(2 * np.pi * mains * k * t) / k for k in (1, 2, 3, 5))
    y *= 1 + rng.uniform(0, 0.9) * np.sin(2 * np.pi * rng.uniform(0.1, 2) * t + rng.uniform(0, 6))
    return _finished(y, low, rate, duration_s, peak)


def knocks(*, rate: int = RATE, seed: int = 0, duration_s: float = 3.0, peak: float = 0.3) -> np.ndarray:
    """Knocks, clicks, slams, claps and beeps one after the other, or as dense as rain, applause and crackling."""
    rng = np.random.default_rng(seed)
    low, size = 16_000, round(duration_s * 16_000)
    y, at = np.zeros(size + 2 * low), rng.uniform(0, 0.4)
    kind, modes = rng.choice(["knock", "click", "slam", "clap", "beep"]), rng.uniform(60, 3000, 5)
    dense = kind != "beep" and rng.random() < 0.35
    step = rng.uniform(0.01, 0.1) if dense else rng.uniform(0.12, 1.2)
    while at < duration_s:
        t = np.arange(low // 2) / low
        struck = rng.standard_normal(t.size) * np.exp(-t / 0.003)
        if kind == "beep":
            one = np.sin(2 * np.pi * modes[0] * t) * (t < rng.uniform(0.05, 0.3))
        elif kind == "click":
            one = struck * (t < 0.01)
        elif kind == "clap":
            one = scipy.signal.lfilter(*scipy.signal.iirpeak(800 + modes[0] / 3, 1.5, fs=low), struck)
            one += 0.2 * rng.standard_normal(t.size) * np.exp(-t / 0.02)
        else:
            scale, ring = (0.15, 0.12) if kind == "slam" else (1, 0.03)
            one = sum(
                np.sin(2 * np.pi * hz * scale * t) * np.exp(-t / (ring * rng.uniform(0.5, 1.5)))
                for hz in modes
            )
            one += rng.uniform(0.5, 3) * struck
        y[round(at * low) :][: t.size] += one / np.abs(one).max() * rng.uniform(0.4, 1) ** (3 if dense else 1)
        at += step * (rng.exponential() if dense else rng.uniform(0.7, 1.4))
    return _finished(y[:size], low, rate, duration_s, peak)


def calls(*, rate: int = RATE, seed: int = 0, duration_s: float = 3.0, peak: float = 0.3) -> np.ndarray:
    """Calls: short harmonic sounds with gliding pitch, rough or clear, like those of animals and crying babies."""
    rng = np.random.default_rng(seed)
    low, size = 16_000, round(duration_s * 16_000)
    y, at = np.zeros(size + 2 * low), rng.uniform(0, 0.4)
    length, rough = rng.uniform(0.06, 0.8), rng.uniform(0, 0.8) * rng.integers(0, 2)
    pitch_hz = np.exp(rng.uniform(np.log(150), np.log(2500)))
    bend, tilt = rng.uniform(-0.5, 0.5, 3), rng.uniform(0.3, 2)
    middle, width = np.exp(rng.uniform(np.log(400), np.log(4000))), rng.uniform(0.4, 1.5)
    while at < duration_s:
        t = np.arange(round(length * rng.uniform(0.7, 1.3) * low)) / low
        u = t / t[-1]
        hz = (
            pitch_hz
            * rng.uniform(0.9, 1.1)
            * 2 ** (bend[0] * u + bend[1] * np.sin(np.pi * u) + bend[2] * 0.1 * np.sin(50 * t))
        )
        phase = 2 * np.pi * np.cumsum(hz * (1 + 0.3 * rough * rng.standard_normal(t.size))) / low
        one = sum(
            np.sin(k * phase) * k**-tilt * np.exp(-((np.log(k * pitch_hz / middle) / width) ** 2))
            for k in range(1, max(2, min(30, int(7500 / hz.max()) + 1)))
        )
        one = one / (np.abs(one).max() + 1e-9) + 0.5 * rough * rng.standard_normal(t.size)
        one *= np.minimum(u / rng.uniform(0.02, 0.2), 1) * np.minimum((1 - u) / rng.uniform(0.05, 0.6), 1)
        y[round(at * low) :][: t.size] += one * rng.uniform(0.5, 1)
        at += t[-1] + rng.exponential(0.4) + 0.05
    return _finished(y[:size], low, rate, duration_s, peak)


#: The functions, by name.
OTHERS = {"speech": speech, "music": music, "noise": noise, "knocks": knocks, "calls": calls}


def _finished(y, low, rate, duration_s, peak):
    size = round(rate * duration_s)
    if rate != low:
        y = scipy.signal.resample(y, size)
    y = np.pad(y[:size], (0, max(0, size - y.size)))
    return (peak * y / np.abs(y).max()).astype(np.float32)
