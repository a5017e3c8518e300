"""A tiny EmoGen, untrained but alive to its targets; pieces made by rule with a performance; a map of made-up clips."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from affectgen.emogen.compose import Composer
from affectgen.emogen.config import EmogenConfig
from affectgen.emogen.data import Song
from affectgen.emogen.mapping import EmotionMap
from affectgen.emogen.model import Emogen
from affectgen.emogen.scale import Scale
from affectgen.emogen.vector import NAMES, describe
from affectgen.score.grid import GridScore
from affectgen.score.words import Family, Field, encode

CONFIG = EmogenConfig(dim=32, layers=2, heads=2, condition=32, hidden=48)
CLIPS = 80


@pytest.fixture
def config() -> EmogenConfig:
    return CONFIG


@pytest.fixture(scope="session")
def song(score: Callable[..., GridScore]) -> Callable[..., Song]:
    """song(seed, bars, style): a piece as training data, its notes played a little off their places."""

    def build(seed: int = 0, bars: int = 6, style: str = "emopia") -> Song:
        words = encode(score(seed, bars))
        notes = int((words[:, Field.FAMILY] == Family.NOTE).sum())
        rng = np.random.default_rng(seed)
        played = np.stack([rng.uniform(-0.02, 0.02, notes), rng.uniform(0.6, 1.2, notes)], axis=1)
        return Song.of(f"song {seed}", words, style, style != "emopia", played)

    return build


@pytest.fixture(scope="session")
def scale(score: Callable[..., GridScore]) -> Scale:
    """The scale of forty pieces made by rule."""
    pieces = [score(seed, 4 + seed % 5) for seed in range(40)]
    return Scale.of(np.stack([describe(piece.to_notes(), float(np.median(piece.tempo))) for piece in pieces]))


@pytest.fixture(scope="session")
def emotions(scale: Scale) -> EmotionMap:
    """Clips all over the plane: loudness and tempo follow arousal, mode follows valence, the rest is chance.

    `contrary_motion` has no value in any of them, and `range` none in the first.
    """
    rng = np.random.default_rng(1)
    points = rng.uniform(-0.9, 0.9, (CLIPS, 2))
    sd = rng.normal(size=(CLIPS, len(NAMES))).clip(-2, 2)
    for place, name in enumerate(NAMES):
        if name.startswith("velocity") or name == "tempo":
            sd[:, place] = 1.8 * points[:, 1] + rng.normal(0, 0.2, CLIPS)
        elif name in ("key_mode", "degree_4"):
            sd[:, place] = 1.8 * points[:, 0] + rng.normal(0, 0.2, CLIPS)
    values = scale.to_natural(sd)
    values[:, NAMES.index("contrary_motion")] = np.nan
    values[0, NAMES.index("range")] = np.nan
    high, pleasant = points[:, 1] > 0, points[:, 0] > 0
    quadrant = np.where(high, np.where(pleasant, 0, 1), np.where(pleasant, 3, 2))
    return EmotionMap(values, points, quadrant, tuple(f"clip {number}" for number in range(CLIPS)))


@pytest.fixture
def tiny(scale: Scale) -> Composer:
    """An untrained composer; what starts as the identity or near zero is drawn wider, so that everything acts."""
    torch.manual_seed(0)
    model = Emogen(CONFIG)
    for name, parameter in model.named_parameters():
        if "film" in name or "out." in name:
            torch.nn.init.normal_(parameter, std=0.4)
    return Composer(model.eval(), scale, "tiny", "0" * 64)


@pytest.fixture(scope="session")
def data(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-made clips, and six of the longer ones of the validation split as a folder pop1k7."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(corpus / "emopia", folder / "emopia")
    (folder / "pop1k7").mkdir()
    for number, path in enumerate(sorted((corpus / "emopia" / "beat").glob("Q[12]_s0[0-2]_*.mid"))):
        shutil.copy(path, folder / "pop1k7" / f"{number}.mid")
    return folder
