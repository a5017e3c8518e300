"""Float samples as the whole numbers that files store: rounding, dither, and blocks of one length.

16 bits are dithered with triangular noise of two steps' width, which makes the error of rounding independent of the
sound (Lipshitz, Wannamaker & Vanderkooy, JAES 1992); 24 bits, whose steps lie under any room's noise, are rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import BLOCK, Frames
from affectgen.errors import AudioError

DITHER_SEED = 0x5EED
STEPS = {"16": 1 << 15, "24": 1 << 23}  # of full scale


def checked(blocks: Iterable[Frames]) -> Iterator[Frames]:
    """The blocks that hold anything, as float32 [N, C]. AudioError where one is of another shape, has other channels
    than the first, or holds samples that are no numbers.
    """
    channels = 0
    for block in blocks:
        if block.ndim != 2:
            raise AudioError(f"Sound of {block.ndim} dimensions came; frames by channels are expected.", "Reshape it.")
        channels = channels if channels else block.shape[1]
        if block.shape[1] != channels:
            raise AudioError(f"The sound changes from {channels} to {block.shape[1]} channels.", "Keep their number.")
        if not np.isfinite(block).all():
            raise AudioError("The sound holds samples that are no numbers.", "Look at what made it.")
        if len(block):
            yield np.ascontiguousarray(block, dtype=np.float32)


def regular(blocks: Iterable[Frames], size: int = BLOCK) -> Iterator[Frames]:
    """The same sound in blocks of exactly `size` frames, the last one shorter."""
    held: list[Frames] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count < size:
            continue
        whole = np.concatenate(held) if len(held) > 1 else block
        for start in range(0, count - size + 1, size):
            yield whole[start : start + size]
        held = [whole[count - count % size :]]
        count %= size
    if count:
        yield np.concatenate(held)


class Rounder:
    """Float samples to stored ones, block after block. The result does not depend on where blocks are cut.

    What lies beyond full scale becomes full scale, never the other sign. A sample that is exactly 0 stays 0, so that
    digital silence stays silence.
    """

    def __init__(self, bits: str) -> None:
        """bits: "16", "24" or "float"."""
        self._steps = STEPS.get(bits)
        self._chance = np.random.default_rng(DITHER_SEED) if bits == "16" else None

    def __call__(self, block: Frames) -> NDArray[Any]:
        """float32 [N, C] to int32 [N, C] within the bits; "float" is left as it is."""
        if self._steps is None:
            return block
        scaled = block * np.float32(self._steps)
        if self._chance is not None:
            pairs = self._chance.random((*block.shape, 2), dtype=np.float32)
            scaled += np.where(block != 0.0, pairs[..., 0] - pairs[..., 1], np.float32(0))
        return np.clip(np.rint(scaled), -self._steps, self._steps - 1).astype(np.int32)


def packed(stored: NDArray[Any], bits: str) -> bytes:
    """Stored samples [N, C] as little-endian bytes, channels interleaved: 2, 3 or 4 a sample."""
    if bits == "float":
        return stored.astype("<f4").tobytes()
    if bits == "16":
        return stored.astype("<i2").tobytes()
    return np.ascontiguousarray(stored.astype("<i4")).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
