"""A tiny MusER, untrained but alive to its conditions, and pieces made by rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from affectgen.muser.compose import Composer
from affectgen.muser.config import MuserConfig
from affectgen.muser.data import Song
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.score.grid import Chord, GridScore, make_grid
from affectgen.score.keys import Key
from affectgen.score.words import encode

CONFIG = MuserConfig(
    dim=32, layers=2, heads=2, condition=32, slice_dim=8, bar_codes=8, word_codes=(4, 8, 8, 8, 8, 8, 8), encoder_dim=16,
    prior_dim=16, prior_layers=1, prior_heads=2,
)  # fmt: skip


def make_score(seed: int = 0, bars: int = 6, key: Key | None = None, dense: bool = False) -> GridScore:
    """Chords and a tune of random notes, with changes of tempo and harmony; dense: up to six notes an onset."""
    rng = np.random.default_rng(seed)
    rows = []
    for bar in range(bars):
        for position in sorted(rng.choice(16, size=int(rng.integers(2, 7)), replace=False).tolist()):
            count = int(rng.integers(1, 7 if dense else 4))
            for pitch in rng.choice(np.arange(36, 90), size=count, replace=False).tolist():
                rows.append((16 * bar + position, int(rng.integers(1, 9)), pitch, int(rng.integers(20, 120))))
    beats = 4 * bars
    tempo = np.repeat(rng.uniform(60, 150, bars), 4)
    chords = tuple(Chord(int(rng.integers(12)), ("M", "m", "7")[beat % 3]) for beat in range(beats))
    return make_grid(np.array(rows), tempo, chords, key if key is not None else Key(int(rng.integers(12)), seed % 2))


@pytest.fixture(scope="session")
def score() -> Callable[..., GridScore]:
    return make_score


@pytest.fixture
def config() -> MuserConfig:
    return CONFIG


@pytest.fixture(scope="session")
def song() -> Callable[..., Song]:
    """song(seed, bars, affect, style): a piece as training data."""

    def build(seed: int = 0, bars: int = 6, affect: object = (0.5, -0.5), style: str = "emopia") -> Song:
        point = np.array(affect, dtype=np.float32)
        return Song.of(f"song {seed}", encode(make_score(seed, bars)), point, style, style != "emopia")

    return build


@pytest.fixture
def tiny() -> Composer:
    """An untrained composer; what starts as the identity or near zero is drawn wider, so that everything acts."""
    torch.manual_seed(0)
    model, prior = Muser(CONFIG), Prior(CONFIG)
    for module in (model, prior):
        for name, parameter in module.named_parameters():
            if "film" in name or "no_plan" in name or "out." in name or name in ("condition.plan.weight", "start"):
                torch.nn.init.normal_(parameter, std=0.4)
    return Composer(model.eval(), prior.eval(), CONFIG, "tiny", "0" * 64)
