"""Fitting the critic of MusER's pieces: an answer to each clip, a folder that loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import UsageError
from affectgen.muser import critic_fit
from affectgen.muser.critic_fit import main
from affectgen.recognize.critic import load_critic
from affectgen.recognize.features import feature_names

pytest.importorskip("sklearn")


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
