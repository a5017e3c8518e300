"""Joining sounds by crossfades, to the sample, in memory that does not grow with their length.

"equal-power" (cosine and sine) keeps the level of sounds that have nothing in common, such as sections of music;
"linear" keeps that of sounds that agree, such as loops and overlapped chunks of one performance. The other way round,
the first is 3 dB too loud in the middle, the second 3 dB too soft.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np

from affectgen.audio.files import BLOCK, Frames, Samples
from affectgen.audio.pcm import checked, regular
from affectgen.errors import AudioError, UsageError

Curve = Literal["equal-power", "linear"]
CURVES: tuple[Curve, ...] = ("equal-power", "linear")


def rising(frames: int, curve: Curve) -> Samples:
    """The gain of what comes, float32 [frames], over the crossfade; read backwards, of what goes.

    UsageError for another curve.
    """
    if curve not in CURVES:
        raise UsageError(f"{curve!r} is no curve of a crossfade.", f"Use one of {', '.join(CURVES)}.")
    place = (np.arange(frames) + 0.5) / max(frames, 1)  # the same from either end
    return (place if curve == "linear" else np.sin(np.pi / 2 * place)).astype(np.float32)


def crossfade(first: Frames, second: Frames, frames: int, curve: Curve = "equal-power") -> Frames:
    """The last `frames` of `first` over the first ones of `second`, all in float32 [A + B - frames, C].

    AudioError where either is shorter than that, or they differ in channels.
    """
    if frames < 0 or frames > min(len(first), len(second)):
        text = f"A crossfade of {frames} frames was asked of sounds of {len(first)} and {len(second)}."
        raise AudioError(text, "Ask for a shorter one.")
    if first.shape[1] != second.shape[1]:
        text = f"Sounds of {first.shape[1]} and {second.shape[1]} channels cannot be joined."
        raise AudioError(text, "Bring them to one number of channels.")
    gain = rising(frames, curve)[:, None]
    kept = len(first) - frames
    middle = first[kept:] * gain[::-1] + second[:frames] * gain
    return np.concatenate([first[:kept], middle, second[frames:]]).astype(np.float32, copy=False)


def joined(
    parts: Iterable[Iterable[Frames]], overlap: int, curve: Curve = "equal-power", size: int = BLOCK
) -> Iterator[Frames]:
    """Parts one after the other, each given in blocks of any length, neighbours overlapping by `overlap` frames.

    The length is that of all parts less an overlap for each join, whatever the blocks. Where one of two neighbours is
    shorter than the overlap, they overlap by the whole of the shorter; an empty part is passed over. A part is asked
    for only when the one before it has ended. At most two overlaps and a block of `size` frames are held. UsageError
    for a negative overlap; AudioError where parts differ in channels.
    """
    if overlap < 0:
        raise UsageError(f"An overlap of {overlap} frames was asked for.", "Use 0 or more.")
    rising(0, curve)
    tail: Frames | None = None  # the end of the part before, held back to be faded
    for part in parts:
        stream = regular(checked(part), size)
        held = _at_least(stream, overlap)
        if not len(held):
            continue
        if tail is not None:
            fade = min(overlap, len(tail), len(held))
            if len(tail) > fade:
                yield tail[: len(tail) - fade]
            held = crossfade(tail[len(tail) - fade :], held, fade, curve)
        for block in stream:
            if len(held) > overlap:
                yield held[: len(held) - overlap]
            held = np.concatenate([held[max(len(held) - overlap, 0) :], block])
        if len(held) > overlap:
            yield held[: len(held) - overlap]
        tail = held[max(len(held) - overlap, 0) :]
    if tail is not None and len(tail):
        yield tail


def _at_least(stream: Iterator[Frames], frames: int) -> Frames:
    """Blocks from the stream until they are so many frames, and one block at least; fewer where it ends."""
    taken: list[Frames] = []
    count = 0
    while not taken or count < frames:
        block = next(stream, None)
        if block is None:
            break
        taken.append(block)
        count += len(block)
    return np.concatenate(taken) if taken else np.zeros((0, 1), np.float32)
