"""The delay pattern (Copet et al., 2023): codebook k stands k positions later than the first, after one start position.

A position holds one number of each codebook; where a codebook has none (before its first code and after its last), it
holds `card`, which is no code.
"""

from __future__ import annotations

import torch
from torch import Tensor


def delayed(codes: Tensor, card: int) -> Tensor:
    """codes [B, K, T] -> positions [B, K, T + K], of which the first is the start."""
    batch, books, frames = codes.shape
    positions = torch.full((batch, books, frames + books), card, dtype=codes.dtype, device=codes.device)
    for book in range(books):
        positions[:, book, 1 + book : 1 + book + frames] = codes[:, book]
    return positions


def undelayed(positions: Tensor) -> Tensor:
    """The way back: [B, K, T + K] -> codes [B, K, T]. Of logits [B, K, T + K - 1, C], position p being the guess of
    position p + 1, give `undelayed_logits`."""
    books = positions.shape[1]
    frames = positions.shape[2] - books
    return torch.stack([positions[:, book, 1 + book : 1 + book + frames] for book in range(books)], dim=1)


def undelayed_logits(logits: Tensor) -> Tensor:
    """Logits [B, K, T + K - 1, C], read at all positions but the last -> of each code, [B, K, T, C]."""
    books = logits.shape[1]
    frames = logits.shape[2] - books + 1
    return torch.stack([logits[:, book, book : book + frames] for book in range(books)], dim=1)
