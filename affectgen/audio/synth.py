"""A small synthesiser in numpy: notes in, mono sound out, with invented instruments. For fitting, tests and machines
without any other; it imitates no instrument well, and a listener fitted on many of its voices relies on none.

Tones are sums of harmonics with one envelope each (piano, harp, organ, strings, bells by turns) or frequency modulation
(Chowning, JAES 1973). Harmonics come from the recurrence sin(k a) = 2 cos(a) sin((k - 1) a) - sin((k - 2) a), which
costs a multiplication a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.score.notes import NoteArray

Floats32 = NDArray[np.float32]
LOUDEST = 0.7  # peak of what is rendered
LONGEST = 8.0  # seconds that a struck note may ring
SHORTEST = 0.03


@dataclass(frozen=True)
class Voice:
    """harmonics: amplitudes of the partials of a note struck at full force, from the fundamental up.

    decay: seconds in which the fundamental falls by 60 dB at middle C (0: it does not); faster: how much faster each
    next partial falls (share a partial); attack, release: seconds; bright: share by which a soft note's next partial is
    weaker than a loud one's; dynamics: dB between velocity 30 and 115; detune: cents between two strings; tuning: cents
    of the whole; modulation: index of frequency modulation (0: none) at `ratio`; vibrato: cents at 5.5 Hz; knock: level
    of the noise at the onset.
    """

    harmonics: tuple[float, ...] = (1.0, 0.5, 0.3, 0.2, 0.12, 0.08, 0.05, 0.03)
    decay: float = 6.0
    faster: float = 0.3
    attack: float = 0.004
    release: float = 0.12
    bright: float = 0.5
    dynamics: float = 20.0
    detune: float = 2.0
    tuning: float = 0.0
    modulation: float = 0.0
    ratio: float = 1.0
    vibrato: float = 0.0
    knock: float = 0.02

    @classmethod
    def drawn(cls, chance: np.random.Generator) -> Voice:
        """One of endlessly many: mostly struck or plucked, some held, some bells of frequency modulation."""
        held, modulated = chance.random() < 0.2, chance.random() < 0.25
        count = int(chance.integers(4, 14))
        steep = chance.uniform(0.5, 2.2)
        point = chance.uniform(0.08, 0.5)  # where the string is struck: the partials with a node there are missing
        rank = np.arange(1, count + 1)
        colour = np.abs(np.sin(np.pi * rank * point)) ** chance.choice([0.0, 1.0]) * rank**-steep
        colour *= np.exp(chance.normal(0, 0.35, count))
        return cls(
            harmonics=tuple((colour / colour.max()).tolist()),
            decay=0.0 if held else float(np.exp(chance.uniform(np.log(1.0), np.log(12.0)))),
            faster=float(chance.uniform(0.0, 0.6)),
            attack=float(chance.uniform(0.01, 0.08) if held else chance.uniform(0.001, 0.012)),
            release=float(chance.uniform(0.04, 0.4)),
            bright=float(chance.uniform(0.0, 0.7)),
            dynamics=float(chance.uniform(8.0, 26.0)),
            detune=float(chance.uniform(0.0, 5.0)),
            tuning=float(chance.uniform(-20.0, 20.0)),
            modulation=float(chance.uniform(0.3, 3.0)) if modulated else 0.0,
            ratio=float(chance.choice([1.0, 1.0, 2.0, 3.0])),
            vibrato=float(chance.uniform(0.0, 15.0)) if held else 0.0,
            knock=float(chance.uniform(0.0, 0.06)),
        )


def render(notes: NoteArray, voice: Voice, rate: int, seed: int = 0) -> Samples:
    """The notes played by the voice, float32 [N], peak 0.7, a little longer than the piece; no notes, no samples."""
    if not len(notes):
        return np.zeros(0, dtype=np.float32)
    chance = np.random.default_rng(seed)
    sound = np.zeros(int((notes.end + voice.release + 0.1) * rate) + 1, dtype=np.float32)
    for onset, duration, pitch, force in zip(notes.onset, notes.duration, notes.pitch, notes.velocity, strict=True):
        tone = _tone(int(pitch), int(force), float(duration), voice, rate, chance)
        first = int(onset * rate)
        last = min(first + len(tone), len(sound))
        sound[first:last] += tone[: last - first]
    peak = float(np.abs(sound).max())
    return sound * np.float32(LOUDEST / peak) if peak > 0 else sound


def _tone(
    pitch: int, force: int, duration: float, voice: Voice, rate: int, chance: np.random.Generator
) -> Floats32:
    """One note, float32 [N]."""
    rings = min(max(duration, SHORTEST), LONGEST if voice.decay else 30.0)
    time = (np.arange(int((rings + voice.release) * rate)) / rate).astype(np.float32)
    hertz = 440.0 * 2 ** ((pitch - 69 + voice.tuning / 100) / 12)
    apart = 2 ** (voice.detune / 2400)
    level = 10 ** (voice.dynamics * (force - 115) / 85 / 20)
    tone = np.zeros(len(time), dtype=np.float32)
    for string in (hertz / apart, hertz * apart) if voice.detune > 0.5 else (hertz,):
        tone += _string(string, time, force, voice, rate)
    if voice.knock:
        length = min(len(time), int(0.03 * rate))
        tone[:length] += voice.knock * chance.normal(size=length).astype(np.float32) * np.linspace(1, 0, length) ** 2
    return tone * (_envelope(time, rings, voice) * np.float32(level))


def _string(hertz: float, time: Floats32, force: int, voice: Voice, rate: int) -> Floats32:
    """The harmonics of one string below the Nyquist frequency, before attack and release."""
    turns = (2 * np.pi * hertz * time.astype(np.float64)) % (2 * np.pi)
    if voice.vibrato:
        wide = (2 ** (voice.vibrato / 1200) - 1) * hertz / 5.5
        turns = turns + wide * np.sin(2 * np.pi * 5.5 * time)
    angle: Floats32 = turns.astype(np.float32)
    fall = np.float32(-6.9 / voice.decay * (hertz / 262.0) ** 0.5) if voice.decay else np.float32(0.0)
    ringing = np.exp(fall * time)
    if voice.modulation:
        index = np.float32(voice.modulation * (0.4 + 0.6 * force / 127)) * ringing
        return np.sin(angle + index * np.sin(np.float32(voice.ratio) * angle)) * ringing
    partials = min(len(voice.harmonics), max(1, int(0.48 * rate / hertz)))
    dull = 1.0 - voice.bright * (1.0 - force / 127)
    quicker = np.exp(np.float32(voice.faster) * fall * time)
    before, now, twice = np.zeros_like(angle), np.sin(angle), 2 * np.cos(angle)
    total = np.zeros_like(angle)
    for rank in range(partials):
        total += np.float32(voice.harmonics[rank] * dull**rank) * ringing * now
        before, now = now, twice * now - before
        ringing = ringing * quicker
    return total


def _envelope(time: Floats32, rings: float, voice: Voice) -> Floats32:
    """Attack and release, 0 to 1."""
    rise = np.minimum(time / np.float32(max(voice.attack, 1e-3)), 1.0)
    fall = np.clip((np.float32(rings + voice.release) - time) / np.float32(max(voice.release, 1e-3)), 0.0, 1.0)
    return (rise * fall).astype(np.float32)
