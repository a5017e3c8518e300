"""The built-in piano: a sampler over the bank of `affectgen.audio.bank`, stereo, at any rate, block by block.

Every note is a tone of the bank, started where the key goes down, at the level and brightness of its velocity, and
stopped by the damper where key and pedal are up, which takes a part of a second. Tones are added by one call of the
linear algebra library a note, so a dense piece costs little more than reading its tones from memory once a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.bank import LEVEL_SECONDS, Bank
from affectgen.audio.files import Frames, Samples
from affectgen.audio.strikes import Strikes

BLOCK_SECONDS = 180.0  # of notes that are worked through together, key by key, so that each tone is made once for all
GIVEN_SECONDS = 5.0  # of sound that are handed over at once
LAST_FADE = 0.01  # seconds at a note's end in which what is left of it goes to zero
LONGEST_STOP = 4.0  # seconds that it takes at most, for the highest strings, which have no dampers
STOPPED = 60.0  # dB by which the damper has made a note softer when it is taken away altogether

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def play_piano(
    strikes: Strikes, rate: int, bank: Bank | None = None, together: float = BLOCK_SECONDS
) -> Iterator[Frames]:
    """The strikes as sound, blocks of float32 [N, 2] from 0 s to where the last note has died away.

    together: seconds of notes that are worked through at a time; few for a sound that shall begin soon, at some cost.
    Not limited to full scale: many loud notes at once go beyond it. AudioError where the bank cannot be read.
    """
    import soxr

    piano = _Piano(bank if bank is not None else Bank())
    resampler = soxr.ResampleStream(piano.rate, rate, 2, dtype="float32")
    for block in _blocks(piano, strikes, together):
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros((0, 2), dtype=np.float32), last=True)


def _blocks(piano: _Piano, strikes: Strikes, together: float) -> Iterator[Frames]:
    """The sound at the piano's own rate."""
    size, given = int(together * piano.rate), int(GIVEN_SECONDS * piano.rate)
    first = np.round(strikes.onset * piano.rate).astype(np.int64)
    held = np.maximum(np.round(strikes.stop * piano.rate).astype(np.int64) - first, 1)
    notes = piano.notes(strikes, first, held)
    last = int(first[-1]) // size if len(first) else -1
    begun = np.searchsorted(first // size, np.arange(last + 2)).tolist()
    for at, (low, high) in enumerate(pairwise(begun)):
        for note in sorted(notes[low:high], key=attrgetter("key", "velocity")):
            piano.strike(note, at * size)
        left = size if at < last else piano.rings
        while left > 0:
            yield piano.take(min(given, left))
            left -= given


@dataclass(frozen=True)
class _Note:
    """key, velocity, gain; layer: of the bank; start, held: samples until and from the onset to the damper's fall."""

    key: int
    velocity: int
    gain: float
    layer: int
    start: int
    held: int


class _Piano:
    """A buffer that notes are added to and blocks are taken from."""

    def __init__(self, bank: Bank) -> None:
        self._bank, self.rate = bank, bank.rate
        self._sound = np.zeros(0, dtype=np.float32)  # left, right, left, ...
        self._falling: dict[int, Samples] = {}
        self._products: dict[tuple[int, ...], Floats] = {}  # of tones that are mixed, by layer, key and nodes
        self._needed: dict[tuple[int, int], int] = {}  # samples of the tones, by layer and key
        self.rings = 0  # samples of each channel, from the buffer's start, that hold sound

    def take(self, count: int) -> Frames:
        """The next `count` samples, and forget them."""
        self._reach(count)
        taken = self._sound[: 2 * count].copy().reshape(-1, 2)
        kept = max(2 * self.rings - 2 * count, 0)
        self._sound[:kept] = self._sound[2 * count : 2 * count + kept]
        self._sound[kept:] = 0.0
        self.rings = max(self.rings - count, 0)
        return taken

    def notes(self, strikes: Strikes, first: Ints, held: Ints) -> list[_Note]:
        """The strikes as notes; how much of each tone they need at most is kept in mind."""
        found = []
        columns = zip(strikes.pitch, strikes.velocity, strikes.gain, first, held, strict=True)
        for key, velocity, gain, start, length in columns:
            layer = self._bank.layer_of(int(velocity))
            note = _Note(int(key), int(velocity), float(gain), layer, int(start), int(length))
            place = (note.layer, note.key)
            stopping = len(self._stopping(note)) // 2
            needed = max(min(note.held + stopping, self._bank.life(*place)), stopping)
            self._needed[place] = max(self._needed.get(place, 0), needed)
            found.append(note)
        return found

    def strike(self, note: _Note, begun: int) -> None:
        """Add a note to a buffer that begins at sample `begun`."""
        layer, needed = self._bank.layers[note.layer], self._needed[note.layer, note.key]
        mixture = layer.mixture(note.velocity)
        tones = [self._bank.tone(note.layer, note.key, node, needed).reshape(-1) for node in mixture]
        levels = layer.recorded(note.key).levels
        wanted = 10 ** (float(np.interp(note.velocity, layer.velocities, levels)) / 20)
        scale = note.gain * wanted / self._level(note, tones, mixture)
        gains = [scale * weight for weight in mixture.values()]
        start, stopping = note.start - begun, self._stopping(note)
        held = min(note.held, needed - len(stopping) // 2)
        self._reach(start + held + len(stopping) // 2)
        self._add(tones, gains, 2 * start, 2 * held, stopping)
        self.rings = max(self.rings, start + held + len(stopping) // 2)

    def _level(self, note: _Note, tones: list[Samples], mixture: dict[int, float]) -> float:
        """Root of the mean square of a mixture over its first second, both channels together."""
        place = (note.layer, note.key, *mixture)
        if place not in self._products:
            first = np.stack([tone[: 2 * int(LEVEL_SECONDS * self.rate)] for tone in tones])
            self._products[place] = (first @ first.T).astype(np.float64) / (LEVEL_SECONDS * self.rate)
        weights = np.array(list(mixture.values()))
        return max(float(weights @ self._products[place] @ weights), 1e-18) ** 0.5

    def _add(self, tones: list[Samples], gains: list[float], start: int, held: int, stopping: Samples) -> None:
        """Add tones with their gains, as they are for `held` values of the buffer, then under the falling damper."""
        from scipy.linalg.blas import saxpy

        end = np.zeros(len(stopping), dtype=np.float32)
        for tone, gain in zip(tones, gains, strict=True):
            saxpy(tone, self._sound, held, gain, 0, 1, start, 1)  # y += a x, in place
            saxpy(tone, end, len(end), gain, held, 1, 0, 1)
        end *= stopping
        self._sound[start + held : start + held + len(end)] += end

    def _stopping(self, note: _Note) -> Samples:
        """What the falling damper leaves of a note, from 1 to 0, float32 [2 N], both channels alike."""
        layer = self._bank.layers[note.layer]
        speed = round(float(np.interp(note.velocity, layer.nodes, layer.recorded(note.key).release)))  # dB a second
        if speed not in self._falling:
            length = int(min(STOPPED / speed, LONGEST_STOP) * self.rate)
            falling = 10.0 ** (np.arange(length) * (-speed / 20 / self.rate))
            fade = min(int(LAST_FADE * self.rate), length)
            falling[length - fade :] *= np.linspace(1, 0, fade)
            self._falling[speed] = np.repeat(falling, 2).astype(np.float32)
        return self._falling[speed]

    def _reach(self, length: int) -> None:
        """Make the buffer at least so long."""
        if 2 * length > len(self._sound):
            more = np.zeros(2 * (length + 10 * self.rate) - len(self._sound), dtype=np.float32)
            self._sound = np.concatenate([self._sound, more])
