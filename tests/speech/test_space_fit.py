"""The fit command of the emotion space: its folder can be loaded and says how it was made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.recognize.speech_corpus import LABELS, label_points
from affectgen.recognize.speech_features import feature_names
from affectgen.speech.space import fit
from affectgen.speech.space.material import Material, Rows
from affectgen.speech.space.model import load_space

SPEAKER = {"training": "crema_d/1001", "development": "crema_d/1010", "test": "crema_d/1006"}


def rows(seed: int, count: int, size: int, group: str) -> Rows:
    label = np.arange(count) % len(LABELS)
    found = np.random.default_rng(seed).normal(size=(count, size)) + label[:, None]
    return Rows(found, np.eye(len(LABELS))[label], label_points()[label], np.full(count, group))


def part(seed: int, speaker: str) -> Material:
    texts = rows(seed, 28, 31, "")
    texts.shares[::7] = 0.0  # sentences without a label
    return Material(texts, rows(seed + 1, 28, len(feature_names()), speaker))


def test_a_folder_is_written_that_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {name: part(place, speaker) for place, (name, speaker) in enumerate(SPEAKER.items())}
    monkeypatch.setattr(fit, "read_material", lambda *_: (parts, [None] * 84))
    folder = tmp_path / "made"
    assert fit.main(["--data", str(tmp_path), "--output", str(folder), "--steps", "50", "--seed", "2"]) == 0
    space = load_space(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["speakers"] == ["crema_d/1001"]
    assert config["licence"] == "ODbL-1.0 AND CC-BY-SA-4.0"
    assert config["settings"]["positives"] == "label"
    assert set(space.figures) == {"label", "development", "pair", "bare"}
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "--seed 2" in card
    assert f"| {space.figures['bare']['text_top1']:.3f}, {space.figures['bare']['text_top5']:.3f} |" in card
    assert space.of_described(parts["test"].clips.rows).shape == (28, config["settings"]["dim"])
