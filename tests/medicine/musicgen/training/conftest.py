"""A few synthetic recordings with labels, and the tiny MusicGen of the folder above, copied for each test."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from affectgen.medicine.musicgen.training.options import Corpus, LoraOptions, Schedule

RATE = 8000  # other than the codec's
COUNT = 6


def write_sound(path: Path, seconds: float, seed: int, rate: int = RATE) -> None:
    """Two tones and some noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    tones = np.sin(2 * np.pi * (150 + 40 * seed) * t) + np.sin(2 * np.pi * (310 + 70 * seed) * t)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.2 * tones + 0.02 * rng.standard_normal(len(t)), rate)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """audio/ with six recordings of 0.6 to 1.6 s, and labels.csv."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["file,valence,arousal,tags"]
    for number in range(COUNT):
        write_sound(folder / "audio" / f"s{number}.wav", 0.6 + 0.2 * number, number)
        rows.append(f"s{number}.wav,{0.5 if number % 2 else -0.5},{number / 3 - 0.8:.2f},piano;solo")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def loaded(transformers_folder: Path) -> Any:
    """The tiny model, which no test may change."""
    from affectgen.medicine.musicgen.training.base import load_base

    return load_base(str(transformers_folder), "cpu")


@pytest.fixture
def music(loaded: Any) -> Any:
    """A copy of it, which a test may change."""
    return copy.deepcopy(loaded)


@pytest.fixture
def options(corpus: Path, transformers_folder: Path, tmp_path: Path) -> Callable[..., LoraOptions]:
    """Settings of a short run in an empty folder; words given are of its schedule."""

    def make(run: str = "run", **schedule: Any) -> LoraOptions:
        given = {"steps": 6, "batch": 3, "rate": 1e-2, "validate_every": 3} | schedule
        data = Corpus(corpus / "audio", corpus / "labels.csv", seconds=0.5)
        return LoraOptions(
            data, str(transformers_folder), tmp_path / run, schedule=Schedule(**given), samples=0, sample_seconds=0.5
        )

    return make
