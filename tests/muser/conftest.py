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
from affectgen.score.grid import GridScore
from affectgen.score.words import encode

CONFIG = MuserConfig(
    dim=32, layers=2, heads=2, condition=32, slice_dim=8, bar_codes=8, word_codes=(4, 8, 8, 8, 8, 8, 8), encoder_dim=16,
    prior_dim=16, prior_layers=1, prior_heads=2,
)  # fmt: skip


@pytest.fixture
def config() -> MuserConfig:
    return CONFIG


@pytest.fixture(scope="session")
def song(score: Callable[..., GridScore]) -> Callable[..., Song]:
    """song(seed, bars, affect, style): a piece as training data."""

    def build(seed: int = 0, bars: int = 6, affect: object = (0.5, -0.5), style: str = "emopia") -> Song:
        point = np.array(affect, dtype=np.float32)
        return Song.of(f"song {seed}", encode(score(seed, bars)), point, style, style != "emopia")

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
