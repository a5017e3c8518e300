"""Notes from sound, roughly: which keys are struck when, how long they ring, how hard they were struck.

A small network that is the same for every key looks at the key's fundamental and overtones in a picture of sound
(`affectgen/audio/mel.py`), as in basic-pitch's harmonic stacking (Bittner et al., ICASSP 2022). It knows nothing about
emotion: it lets what is known of emotion in notes be used on sound. It was fitted on rendered pieces, whose notes are
known exactly. Evaluated with numpy and scipy; `music_notes_fit.py` fits it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.mel import HOP, LOWEST, RATE, Picture, decibels
from affectgen.score.notes import NoteArray

Floats32 = NDArray[np.float32]
KEYS = 88
OVERTONES = (-12, 0, 12, 19, 24, 28, 31, 36)  # semitones from the key at which a picture is looked at
TIME_TAPS, KEY_TAPS = 5, 3  # of both hidden layers' kernels
OUTPUTS = 3  # struck, sounding (logits), force (0-1)
SECONDS = HOP / RATE  # of a frame
STRUCK, SOUNDING = 0.4, 0.35  # probabilities from which a key counts as such
LONGEST = 160  # frames that a note may ring: 8 s


@dataclass(frozen=True)
class Transcriber:
    """first: float32 [H, 8, 5, 3], its bias [H]; second: [H2, H, 5, 3], its bias [H2]; last: [3, H2], its bias [3]."""

    first: Floats32
    first_bias: Floats32
    second: Floats32
    second_bias: Floats32
    last: Floats32
    last_bias: Floats32

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[np.generic]], prefix: str = "notes") -> Transcriber:
        """From what a checkpoint stores."""
        names = cls.__dataclass_fields__
        return cls(**{name: np.asarray(arrays[f"{prefix}.{name}"], dtype=np.float32) for name in names})

    def arrays(self, prefix: str = "notes") -> dict[str, NDArray[np.generic]]:
        """What a checkpoint stores, in half precision."""
        return {f"{prefix}.{name}": getattr(self, name).astype(np.float16) for name in self.__dataclass_fields__}

    def activations(self, seen: Picture) -> Floats32:
        """Probabilities that a key is struck and sounds, and its force: float32 [3, T, 88]."""
        hidden = np.maximum(_convolved(harmonic_stack(seen), self.first, self.first_bias), 0.0)
        hidden = np.maximum(_convolved(hidden, self.second, self.second_bias), 0.0)
        out = np.einsum("oh,htk->otk", self.last, hidden, optimize=True) + self.last_bias[:, None, None]
        return 1.0 / (1.0 + np.exp(-np.clip(out, -30.0, 30.0)))

    def notes(self, seen: Picture) -> NoteArray:
        """The notes of a picture, from its beginning."""
        return notes_of(self.activations(seen))


def harmonic_stack(seen: Picture) -> Floats32:
    """The picture shifted so that each key's overtones lie on the key: float32 [8, T, 88], about -2 to 2."""
    levels = decibels(seen.semitones) / np.float32(20.0) + np.float32(2.0)  # [T, SEMITONES]
    padded = np.pad(levels, ((0, 0), (12, 36)), constant_values=-1.8)
    return np.stack([padded[:, 12 + shift : 12 + shift + KEYS] for shift in OVERTONES])


def notes_of(activations: Floats32) -> NoteArray:
    """Notes from activations [3, T, 88]: a key is struck at a peak in time, and rings until it no longer sounds."""
    struck, sounding, force = activations
    frames = struck.shape[0]
    around = np.pad(struck, ((1, 1), (0, 0)))
    peak = (struck >= STRUCK) & (struck >= around[:-2]) & (struck > around[2:])
    key, start = np.nonzero(peak.T)  # by key, then time
    if not len(key):
        return NoteArray.of([], [], [], [])
    after = np.where(np.r_[key[1:] == key[:-1], False], np.r_[start[1:], 0], frames)  # the key's next onset
    ends = np.empty(len(key), dtype=np.int64)
    for index, (column, first, limit) in enumerate(zip(key, start, after, strict=True)):
        limit = min(int(limit), int(first) + LONGEST)
        quiet = np.flatnonzero(sounding[first + 1 : limit, column] < SOUNDING)
        ends[index] = first + 1 + int(quiet[0]) if len(quiet) else max(limit, int(first) + 1)
    velocity = np.clip(np.round(force[start, key] * 127), 1, 127)
    return NoteArray.of(start * SECONDS, (ends - start) * SECONDS, key + LOWEST, velocity)


def _convolved(values: Floats32, kernel: Floats32, bias: Floats32) -> Floats32:
    """A convolution [I, T, K] -> [O, T, K] with zeros beyond the edges, as a sum of shifted products."""
    channels, frames, keys = values.shape
    outputs, _, taps, wide = kernel.shape
    padded = np.pad(values, ((0, 0), (taps // 2, taps // 2), (wide // 2, wide // 2)))
    total = np.zeros((outputs, frames * keys), dtype=np.float32)
    for row in range(taps):
        for column in range(wide):
            shifted = padded[:, row : row + frames, column : column + keys].reshape(channels, -1)
            total += kernel[:, :, row, column] @ shifted
    return total.reshape(outputs, frames, keys) + bias[:, None, None]
