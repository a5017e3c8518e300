"""Batches of pieces: by length, in an order that seed and epoch alone decide, and shared out among processes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.medicine.musicgen.training.cache import Cache, Kept
from affectgen.medicine.musicgen.training.table import Track

POOL = 32  # batches whose pieces are sorted by length together
OPEN_FILES = 2048  # recordings whose codes stay in memory


@dataclass(frozen=True)
class Piece:
    """A piece of a recording, by its number there. frames: of its codes."""

    track: Track
    kept: Kept
    number: int

    @property
    def frames(self) -> int:
        """Its length."""
        return self.kept.frames[self.number]


@dataclass(frozen=True)
class Batch:
    """codes [B, K, T], `card` after a piece's end; captions: empty where all words were dropped; points [B, 2] and
    known [B]: of the affect; features [B, F]: of the guide, None without alignment."""

    codes: Tensor
    captions: tuple[str, ...]
    points: Tensor
    known: Tensor
    features: Tensor | None


def pieces_of(tracks: Sequence[Track], kept: dict[str, Kept], split: str) -> list[Piece]:
    """All pieces of a split."""
    chosen = [track for track in tracks if track.split == split and track.name in kept]
    return [Piece(t, kept[t.name], n) for t in chosen for n in range(len(kept[t.name].frames))]


def batches_of(pieces: Sequence[Piece], size: int, seed: int, epoch: int) -> list[list[Piece]]:
    """Every piece once, in batches of neighbours in length; which ones and in which order is new in each epoch."""
    drawn = random.Random(f"{seed} {epoch}")
    order = list(pieces)
    drawn.shuffle(order)
    batches = []
    for first in range(0, len(order), size * POOL):
        pool = sorted(order[first : first + size * POOL], key=lambda piece: piece.frames)
        batches += [pool[at : at + size] for at in range(0, len(pool), size)]
    drawn.shuffle(batches)
    return batches


class Reader:
    """Puts pieces together. card: number that stands where no code does."""

    def __init__(self, cache: Cache, card: int, device: str, standard: Standard | None = None) -> None:
        self.cache, self.card, self.device, self.standard = cache, card, device, standard
        self.codes = lru_cache(OPEN_FILES)(cache.codes)
        self.features = lru_cache(OPEN_FILES)(cache.features)

    def __call__(self, pieces: Sequence[Piece], captions: Sequence[str]) -> Batch:
        """A batch of pieces under these captions."""
        rows = [torch.from_numpy(self.codes(p.kept)[p.number].astype(np.int64)) for p in pieces]
        codes = torch.full((len(rows), len(rows[0]), max(row.shape[1] for row in rows)), self.card)
        for index, row in enumerate(rows):
            codes[index, :, : row.shape[1]] = row
        affects = [piece.track.affect for piece in pieces]
        points = torch.tensor([(0.0, 0.0) if one is None else (one.valence, one.arousal) for one in affects])
        known = torch.tensor([one is not None for one in affects])
        found = None
        if self.standard is not None:
            found = self.standard(np.stack([self.features(piece.kept)[piece.number] for piece in pieces]))
        return Batch(
            codes.to(self.device), tuple(captions), points.to(self.device), known.to(self.device),
            None if found is None else found.to(self.device),
        )  # fmt: skip


@dataclass(frozen=True)
class Standard:
    """Features in standard deviations, none beyond `most`; what the guide did not hear stays nan."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    most: float = 4.0

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> Standard:
        """From features [N, F]; a column that never changes counts for nothing."""
        heard = features[np.isfinite(features).all(axis=1)].astype(np.float64)
        if not len(heard):
            heard = np.zeros((1, features.shape[1]))
        deviation = heard.std(axis=0)
        deviation[deviation < 1e-6] = np.inf
        return cls(heard.mean(axis=0).astype(np.float32), deviation.astype(np.float32))

    def __call__(self, features: NDArray[np.float32]) -> Tensor:
        """[N, F] -> [N, F]."""
        return torch.from_numpy(np.clip((features - self.mean) / self.deviation, -self.most, self.most))
