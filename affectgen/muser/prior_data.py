"""Training data of the prior: the bar codes that a finished model gives to songs, in random windows of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from affectgen.muser.config import MOST_BARS_LEFT, STYLES
from affectgen.muser.data import Song
from affectgen.muser.model import Muser
from affectgen.muser.prior import PriorBatch
from affectgen.score.words import Field, key_of


@dataclass(frozen=True)
class CodedSong:
    """codes int64 [N, 7], mode 0 or 1, affect float32 [N, 2] (nan: unknown), style, ending."""

    codes: NDArray[np.int64]
    mode: int
    affect: NDArray[np.float32]
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


def _collate(parts: Sequence[tuple[CodedSong, int, int]], noise: float, rng: np.random.Generator | None) -> PriorBatch:
    """Stack bars [first, stop) of songs."""
    rows, bars = len(parts), max(stop - first for _, first, stop in parts)
    codes, inside = np.zeros((rows, bars, 7), dtype=np.int64), np.zeros((rows, bars), dtype=bool)
    affect, known = np.zeros((rows, bars, 2), dtype=np.float32), np.zeros(rows, dtype=bool)
    left = np.full((rows, bars), MOST_BARS_LEFT, dtype=np.int64)
    for row, (song, first, stop) in enumerate(parts):
        count = stop - first
        codes[row, :count], inside[row, :count] = song.codes[first:stop], True
        values = song.affect[first:stop]
        known[row] = bool(np.isfinite(values).all())
        if known[row]:
            shift = rng.normal(0, noise, 2) if rng is not None else 0.0
            affect[row, :count] = np.clip(values + shift, -1, 1)
        left[row, :count] = np.minimum(len(song.codes) - 1 - np.arange(first, stop), MOST_BARS_LEFT)
    songs = [song for song, _, _ in parts]
    fixed = (np.array([song.mode for song in songs]), affect, known, left)
    style, ending = np.array([song.style for song in songs]), np.array([int(song.ending) for song in songs])
    return PriorBatch(*(torch.from_numpy(part) for part in (codes, inside, *fixed, style, ending)))


class PriorWindows:
    """Endless random windows of bars; `share` as in `affectgen.muser.data.Windows`."""

    def __init__(
        self, songs: Sequence[CodedSong], share: dict[str, float], rows: int, bars: int, seed: int | Sequence[int],
        noise: float = 0.1,
    ) -> None:  # fmt: skip
        self.pools = {name: [song for song in songs if STYLES[song.style] == name] for name in share}
        held = np.array([share[name] if self.pools[name] else 0.0 for name in share])
        self.names, self.share = list(share), held / held.sum()
        self.rows, self.bars, self.noise = rows, bars, noise
        self.rng = np.random.default_rng(seed)

    def draw(self) -> PriorBatch:
        """One batch."""
        parts = []
        for name in self.rng.choice(self.names, size=self.rows, p=self.share):
            song = self.pools[name][self.rng.integers(len(self.pools[name]))]
            first = int(self.rng.integers(0, max(1, len(song.codes) - self.bars // 2)))
            parts.append((song, first, min(first + self.bars, len(song.codes))))
        return _collate(parts, self.noise, self.rng)


def prior_batches(songs: Sequence[CodedSong], rows: int) -> list[PriorBatch]:
    """Every song once, whole, for validation."""
    ordered = sorted(songs, key=lambda song: len(song.codes))
    parts = [(song, 0, len(song.codes)) for song in ordered]
    return [_collate(parts[at : at + rows], 0.0, None) for at in range(0, len(parts), rows)]
