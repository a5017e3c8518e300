"""Invented rooms: a direct sound, a few early reflections and a decaying tail of noise (Moorer, CMJ 1979).

For fitting listeners on rooms they will meet; nothing here imitates a given room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from affectgen.audio.files import Samples

EARLY = (0.004, 0.05)  # seconds after the direct sound within which early reflections come
REFLECTIONS = 8


@dataclass(frozen=True)
class Room:
    """decay: seconds in which the tail falls by 60 dB; wet: its energy over the direct sound's, dB; dull: share of the
    treble that it loses; seed: of its reflections."""

    decay: float = 0.5
    wet: float = -6.0
    dull: float = 0.5
    seed: int = 0

    @classmethod
    def drawn(cls, chance: np.random.Generator) -> Room:
        """A living room to a small hall, near to far."""
        return cls(
            decay=float(chance.uniform(0.15, 1.5)),
            wet=float(chance.uniform(-18.0, 0.0)),
            dull=float(chance.uniform(0.2, 0.8)),
            seed=int(chance.integers(1 << 31)),
        )

    def response(self, rate: int) -> Samples:
        """The impulse response, float32 [N], direct sound first at 1."""
        chance = np.random.default_rng(self.seed)
        time = np.arange(max(2, int(self.decay * rate))) / rate
        tail = chance.normal(size=len(time)) * np.exp(-6.9 * time / self.decay)
        tail[1:] += self.dull * tail[:-1]  # neighbouring samples alike: less treble
        places = (chance.uniform(*EARLY, REFLECTIONS) * rate).astype(np.int64)
        tail[np.minimum(places, len(tail) - 1)] += chance.normal(size=REFLECTIONS) * 3
        tail[0] = 0.0
        tail *= 10 ** (self.wet / 20) / max(float(np.sqrt((tail**2).sum())), 1e-9)
        tail[0] = 1.0
        return tail.astype(np.float32)


def in_room(samples: Samples, room: Room, rate: int) -> Samples:
    """The sound as heard in the room, of the same length and peak; float32 [N]."""
    from scipy.signal import oaconvolve

    if not len(samples):
        return samples
    heard = oaconvolve(samples, room.response(rate))[: len(samples)]
    peak, before = float(np.abs(heard).max()), float(np.abs(samples).max())
    return (heard * (before / peak)).astype(np.float32) if peak > 0 else samples
