"""Fitting the critic of a model's pieces: an answer to each clip, no song told by what saw it, a folder that loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import UsageError
from affectgen.muser import critic_fit
from affectgen.muser.critic_fit import Pool, fit_critic, main, out_of_fold, told_apart
from affectgen.recognize.critic import load_critic
from affectgen.recognize.features import feature_names

pytest.importorskip("sklearn")


def pool(shift: float, songs: int = 40, each: int = 5) -> Pool:
    """Made rows that differ from the real ones by `shift` in their first statistic."""
    rng = np.random.default_rng(1)
    real, made = rng.normal(size=(songs * each, 6)), rng.normal(size=(songs * each, 6))
    made[:, 0] += shift
    return Pool(real, made, np.repeat([f"s{number}" for number in range(songs)], each))


def test_the_area_by_hand() -> None:
    assert told_apart(np.array([1.0, 2.0]), np.array([0.0, 0.5])) == 1.0
    assert told_apart(np.array([1.0, 2.0]), np.array([1.5, 3.0])) == 0.25
    assert told_apart(np.array([1.0]), np.array([1.0, 1.0])) == 0.5


def test_what_differs_is_told_apart_out_of_fold_and_what_does_not_is_not() -> None:
    assert told_apart(*out_of_fold(pool(2.0), 0.1)) > 0.85
    assert told_apart(*out_of_fold(pool(0.0), 0.1)) == pytest.approx(0.5, abs=0.08)


def test_a_song_is_never_read_by_a_critic_that_saw_it() -> None:
    """Songs that could be learned by heart, and nothing else to go by."""
    rng = np.random.default_rng(2)
    marks = np.eye(40)[np.repeat(np.arange(40), 5)] * 9
    known = Pool(np.concatenate([marks, rng.normal(size=(200, 1))], 1), np.zeros((200, 41)), pool(0.0).song)
    real, _ = out_of_fold(known, 100.0)
    seen = fit_critic(known, 100.0, 0.25)[0].log_odds(known.real)
    assert real.mean() < seen.mean() - 2


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_the_level_lets_its_share_of_real_clips_pass(level: float) -> None:
    critic, figures = fit_critic(pool(1.5), 0.1, level)
    assert figures["real clips that pass"] == pytest.approx(1 - level, abs=0.02)
    assert figures["composed pieces that pass"] < figures["real clips that pass"] - 0.2
    assert critic.level == pytest.approx(np.quantile(out_of_fold(pool(1.5), 0.1)[0], level))


def test_the_command_answers_each_clip_and_keeps_what_it_composed(
    corpus: Path, tiny_muser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(corpus, tmp_path / "data")
    home = tmp_path / "data" / "emopia"
    shutil.copytree(home / "beat", home / "raw")
    lines = (home / "clips.csv").read_text().splitlines()
    (home / "clips.csv").write_text("\n".join([lines[0], *lines[-16::2]]) + "\n")  # four songs, two clips of each
    words = ["--data", str(tmp_path / "data"), "--checkpoint", str(tiny_muser), "--run", str(tmp_path / "run")]
    words += ["--seed", "7", "-o", str(tmp_path / "critic")]
    assert main(words) == 0
    with np.load(tmp_path / "run" / "pool.npz") as file:
        assert file["real"].shape == file["made"].shape == (8, len(feature_names()))
        assert len(set(file["song"].tolist())) == 4
    first = load_critic(tmp_path / "critic")
    assert "tiny" in json.loads((tmp_path / "critic" / "config.json").read_text())["trained_on"]

    def compose(*_: object) -> None:
        raise AssertionError("composed again")

    monkeypatch.setattr(critic_fit, "compose", compose)
    assert main(words) == 0
    np.testing.assert_array_equal(load_critic(tmp_path / "critic").weight, first.weight)
    with pytest.raises(UsageError, match=r"from seed 7, not of .* from seed 8"):
        main(["8" if word == "7" else word for word in words])


def test_a_level_that_is_no_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--level"):
        main(["--data", str(tmp_path), "--level", "25"])
