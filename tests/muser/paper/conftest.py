"""A tiny model of the paper's structure, and a few songs made of scales."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.muser.data import Song
from affectgen.muser.paper.config import PaperConfig
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.prior import PaperPrior
from affectgen.score.grid import Chord, GridScore, make_grid
from affectgen.score.keys import Key
from affectgen.score.words import encode

TINY = PaperConfig(
    dim=32, heads=2, encoder_layers=1, decoder_layers=2, element_dim=16, element_layers=1, element_heads=1,
    codes=24, embeddings=(4, 8, 8, 8, 16, 8, 8), dropout=0.0, most_words=96, prior_dim=32, prior_layers=1,
    prior_heads=2,
)  # fmt: skip
POINTS = ((0.6, 0.6), (-0.6, 0.6), (-0.6, -0.6), (0.6, -0.6))


def scale_score(number: int, bars: int = 2) -> GridScore:
    """A scale in eighths over a held bass; number sets tempo, key, octave and loudness."""
    rng = np.random.default_rng(number)
    key = Key(int(rng.integers(12)), int(rng.integers(2)))
    steps = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    start = np.arange(0, 16 * bars, 2)
    pitch = 60 + key.tonic - 12 * (number % 2) + steps[np.arange(len(start)) % len(steps)]
    melody = np.stack([start, np.full_like(start, 2), pitch, np.full_like(start, 48 + 12 * (number % 4))], axis=1)
    lines = np.arange(0, 16 * bars, 16)
    same = np.ones_like(lines)
    bass = np.stack([lines, 16 * same, (36 + key.tonic) * same, 60 * same], axis=1)
    tempo = np.full(4 * bars, 80.0 + 15 * (number % 4))
    return make_grid(np.concatenate([melody, bass]), tempo, (Chord(key.tonic, "M"),) * (4 * bars), key)


@pytest.fixture(scope="session")
def songs() -> list[Song]:
    """Eight songs, two of each quadrant, of one to three bars."""
    points = np.array(POINTS, dtype=np.float32)
    return [Song.of(f"song{n}", encode(scale_score(n, 1 + n % 3)), points[n % 4], "emopia", False) for n in range(8)]


@pytest.fixture
def model() -> PaperModel:
    """Untrained, always the same."""
    torch.manual_seed(3)
    return PaperModel(TINY).eval()


@pytest.fixture
def prior() -> PaperPrior:
    """Untrained, always the same."""
    torch.manual_seed(4)
    return PaperPrior(TINY).eval()
