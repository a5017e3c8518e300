"""Recordings of any length and rate, cut into pieces: what is learned at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affectgen.audio.files import Frames, frames_of
from affectgen.errors import AudioError

LEAST_SECONDS = 0.25  # of a recording


def pieces(path: Path, rate: int, channels: int, seconds: float) -> Iterator[Frames]:
    """The pieces of a recording, float32 [N, channels] at `rate`, read in blocks: memory for one piece is all it takes.

    What is left at the end is a piece if it has half of the length, or is all there is.
    AudioError where it is no audio, is damaged, or has less than a quarter of a second.
    """
    size, first = round(seconds * rate), True
    held: list[Frames] = []
    count = 0
    for block in frames_of(path, rate, channels):
        held.append(block)
        count += len(block)
        while count >= size:
            joined = np.concatenate(held)
            yield joined[:size]
            held, count, first = [joined[size:]], count - size, False
    if first and count < LEAST_SECONDS * rate:
        raise AudioError(f"{path} holds {count / rate:.2f} s of sound.", f"Give at least {LEAST_SECONDS:g} s.")
    if count and (first or 2 * count >= size):
        yield np.concatenate(held)
