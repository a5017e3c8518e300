"""Fitting the critic of EmoGen's pieces: an answer to each clip, without a critic, and a folder that loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.emogen import critic_fit
from affectgen.emogen.critic_fit import main
from affectgen.recognize.critic import load_critic
from affectgen.recognize.features import feature_names

pytest.importorskip("sklearn")


def test_the_command_answers_each_clip_and_keeps_what_it_composed(
    four_songs: Path, tiny_emogen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--data", str(four_songs), "--checkpoint", str(tiny_emogen), "--run", str(tmp_path / "run")]
    words += ["--seed", "7", "-o", str(tmp_path / "tiny-critic")]
    made = []
    generator = critic_fit.Generator

    def without_critic(*parts: object) -> object:
        made.append(parts)
        return generator(*parts)

    monkeypatch.setattr(critic_fit, "Generator", without_critic)
    assert main(words) == 0
    assert [len(parts) for parts in made] == [2], "composer and map alone"
    with np.load(tmp_path / "run" / "pool.npz") as file:
        assert file["real"].shape == file["made"].shape == (8, len(feature_names()))
        assert (file["made"] != file["real"]).any(axis=1).all()
    assert load_critic(tmp_path / "tiny-critic").weight.shape == (2 * len(feature_names()),)
    assert tiny_emogen.name in json.loads((tmp_path / "tiny-critic" / "config.json").read_text())["trained_on"]
    card = (tmp_path / "tiny-critic" / "card.md").read_text()
    assert "python -m affectgen.emogen.critic_fit --data ../shared/data --seed 7" in card
