"""Fitting the critic of EmoGen's pieces: an answer to each clip, without a critic, and a folder that loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectgen.emogen import critic_fit
from affectgen.emogen.build import Build
from affectgen.emogen.checkpoint import critic_of, load_critic, load_emogen, map_of, save_map
from affectgen.emogen.critic_fit import main, make_pool
from affectgen.emogen.generate import MOST_DOUBT
from affectgen.emogen.map_fit import fit_map
from affectgen.emogen.options import EmogenOptions
from affectgen.emogen.tasks import GENERATE
from affectgen.emogen.vector import NAMES
from affectgen.errors import UsageError

pytest.importorskip("sklearn")
K = len(NAMES)


@pytest.fixture
def mine(tiny_emogen: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A generator with a map of its own, of the hand-made clips."""
    monkeypatch.setattr("affectgen.emogen.map_fit.emopia_points", lambda data: {})
    folder = shutil.copytree(tiny_emogen, tmp_path / "mine")
    save_map(tmp_path / "mine-map", fit_map(corpus), {}, "")
    return Path(folder)


def test_clips_are_answered_at_their_points(mine: Path, corpus: Path) -> None:
    asked = []

    class Spy(Build):
        def __call__(self):  # type: ignore[no-untyped-def]
            generator = super().__call__()
            run = generator.run
            generator.run = lambda options: asked.extend(options) or run(options)  # type: ignore[method-assign]
            return generator

    pool = make_pool(Spy(str(mine), "cpu", criticised=False), corpus, 6, 7, 1)
    assert pool.real.shape == pool.made.shape == (6, K)
    assert np.isfinite(pool.real).all()
    assert np.isfinite(pool.made).all()
    assert (pool.made != pool.real).any(axis=1).all()
    emotions, scale = map_of(str(mine)), load_emogen(str(mine)).scale
    rows = np.nan_to_num(scale.to_sd(emotions.values))
    places = [int(np.flatnonzero((rows == real).all(axis=1))[0]) for real in pool.real]
    assert [option.affect for option in asked] == ["{:.3f},{:.3f}".format(*emotions.points[place]) for place in places]
    assert [option.seed for option in asked] == list(range(7, 13))
    assert all(emotions.clips[place].split("_")[1] in song or song in emotions.clips[place]
               for place, song in zip(places, pool.song, strict=True))  # fmt: skip


def test_the_command_makes_a_critic_that_belongs_to_its_generator(
    mine: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert critic_of(str(mine)) is None, "another generator's critic would tell nothing of this one's pieces"
    words = ["--data", str(corpus), "--checkpoint", str(mine), "--run", str(tmp_path / "run"), "--jobs", "1"]
    words += ["--pieces", "8", "--seed", "7", "-o", str(tmp_path / "mine-critic")]
    assert main(words) == 0
    critic = critic_of(str(mine))
    assert critic is not None
    assert critic.weight.shape == (2 * K,)
    np.testing.assert_array_equal(load_critic(str(tmp_path / "mine-critic")).weight, critic.weight)
    assert Build(str(mine), "cpu")().critic is not None
    made = GENERATE.load(str(mine), "cpu").run([EmogenOptions("sad", 2, bars=12, best_of=2)])[0]
    assert made.details["critic"] == {"name": "mine-critic", "sha256": critic.sha256}
    assert 0 <= made.details["doubt"] <= MOST_DOUBT
    assert Build(str(mine), "cpu", criticised=False)().critic is None
    assert "mine, sha256" in json.loads((tmp_path / "mine-critic" / "config.json").read_text())["trained_on"]
    card = (tmp_path / "mine-critic" / "card.md").read_text()
    assert "python -m affectgen.emogen.critic_fit --data ../shared/data --pieces 8 --seed 7" in card
    monkeypatch.setattr(critic_fit, "make_pool", lambda *words: 1 / 0)
    assert main(words) == 0, "what was composed is kept"
    with pytest.raises(UsageError, match=r"from seed 7, not of .* from seed 8"):
        main(["8" if word == "7" else word for word in words])
