"""Training data of the prior: the bar codes that a finished model gives to songs, in random windows of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from affectgen.muser.config import STYLES
from affectgen.muser.data import Song
from affectgen.muser.model import Muser
from affectgen.muser.prior import PriorBatch
from affectgen.score.words import Field, key_of
from affectgen.writing.decoder import MOST_BARS_LEFT


@dataclass(frozen=True)
class CodedSong:
    """codes int64 [N, 7], mode 0 or 1, affect float32 [N, 2] (nan: unknown), style, ending."""

    codes: NDArray[np.int64]
    mode: int
    affect: NDArray[np.float32]
    style: int
    ending: bool


@dataclass(frozen=True)
class CodedPart:
    """Some bars: codes int64 [N, 7], affect [N, 2], bars to the end int64 [N], mode, style, ending."""

    codes: NDArray[np.int64]
    affect: NDArray[np.float32]
    left: NDArray[np.int64]
    mode: int
    style: int
    ending: bool


@torch.no_grad()
def encode_songs(model: Muser, songs: Sequence[Song], device: torch.device) -> list[CodedSong]:
    """The bar codes of whole songs."""
    model.eval()
    coded = []
    for song in songs:
        table = torch.from_numpy(song.table.astype(np.int64))[None].to(device)
        codes = model.encode_bars(table, song.bars).codes[0].cpu().numpy()
        mode = key_of(int(song.table[0, Field.KEY])).mode
        coded.append(CodedSong(codes, mode, song.affect, song.style, song.ending))
    return coded


def cut(song: CodedSong, first: int, stop: int) -> CodedPart:
    """Bars [first, stop) of a song."""
    left = np.minimum(len(song.codes) - 1 - np.arange(first, stop), MOST_BARS_LEFT)
    return CodedPart(song.codes[first:stop], song.affect[first:stop], left, song.mode, song.style, song.ending)


def join(first: CodedPart, second: CodedPart) -> CodedPart:
    """Bars of two songs of one mode and style as one piece, as `affectgen.muser.data.join` does with words."""
    bars = len(first.codes)
    left = np.minimum(second.left[0] + bars - np.arange(bars), MOST_BARS_LEFT)
    return CodedPart(
        np.concatenate([first.codes, second.codes]), np.concatenate([first.affect, second.affect]),
        np.concatenate([left, second.left]), second.mode, second.style, second.ending,
    )  # fmt: skip


def _collate(parts: Sequence[CodedPart], noise: float, rng: np.random.Generator | None) -> PriorBatch:
    """Stack parts of songs."""
    rows, bars = len(parts), max(len(part.codes) for part in parts)
    codes, inside = np.zeros((rows, bars, 7), dtype=np.int64), np.zeros((rows, bars), dtype=bool)
    affect, known = np.zeros((rows, bars, 2), dtype=np.float32), np.zeros(rows, dtype=bool)
    left = np.full((rows, bars), MOST_BARS_LEFT, dtype=np.int64)
    for row, part in enumerate(parts):
        count = len(part.codes)
        codes[row, :count], inside[row, :count], left[row, :count] = part.codes, True, part.left
        known[row] = bool(np.isfinite(part.affect).all())
        if known[row]:
            shift = rng.normal(0, noise, 2) if rng is not None else 0.0
            affect[row, :count] = np.clip(part.affect + shift, -1, 1)
    fixed = (np.array([part.mode for part in parts]), affect, known, left)
    style, ending = np.array([part.style for part in parts]), np.array([int(part.ending) for part in parts])
    return PriorBatch(*(torch.from_numpy(value) for value in (codes, inside, *fixed, style, ending)))


class PriorWindows:
    """Endless random windows of bars; `share` and `medley` as in `affectgen.muser.data.Windows`."""

    def __init__(
        self, songs: Sequence[CodedSong], share: dict[str, float], rows: int, bars: int, seed: int | Sequence[int],
        noise: float = 0.1, medley: float = 0.0,
    ) -> None:  # fmt: skip
        self.pools = {name: [song for song in songs if STYLES[song.style] == name] for name in share}
        held = np.array([share[name] if self.pools[name] else 0.0 for name in share])
        self.names, self.share = list(share), held / held.sum()
        self.rows, self.bars, self.noise, self.medley = rows, bars, noise, medley
        self.rng = np.random.default_rng(seed)

    def draw(self) -> PriorBatch:
        """One batch."""
        parts = []
        for name in self.rng.choice(self.names, size=self.rows, p=self.share):
            part = self._cut(name, self.bars)
            if self.rng.random() < self.medley:
                room = int(self.rng.integers(self.bars // 4, 3 * self.bars // 4 + 1))
                first = self._cut(name, max(1, room))
                part = join(first, self._cut(name, max(1, self.bars - len(first.codes)), first.mode))
            parts.append(part)
        return _collate(parts, self.noise, self.rng)

    def _cut(self, style: str, bars: int, mode: int | None = None) -> CodedPart:
        """Up to `bars` bars from anywhere in a song of this style, and of this mode if one is given."""
        pool = self.pools[style]
        song = pool[self.rng.integers(len(pool))]
        while mode is not None and song.mode != mode:
            song = pool[self.rng.integers(len(pool))]
        first = int(self.rng.integers(0, max(1, len(song.codes) - bars // 2)))
        return cut(song, first, min(first + bars, len(song.codes)))


def prior_batches(songs: Sequence[CodedSong], rows: int) -> list[PriorBatch]:
    """Every song once, whole, for validation."""
    ordered = sorted(songs, key=lambda song: len(song.codes))
    parts = [cut(song, 0, len(song.codes)) for song in ordered]
    return [_collate(parts[at : at + rows], 0.0, None) for at in range(0, len(parts), rows)]
