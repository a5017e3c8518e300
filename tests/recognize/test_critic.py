"""The critic: tells two kinds of pieces apart, refuses what is damaged; the shipped one doubts what is no music."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import CheckpointError
from affectgen.recognize import store
from affectgen.recognize.corpus import read_emopia
from affectgen.recognize.critic import CRITIC, Critic, fit, load_critic
from affectgen.recognize.features import feature_names
from affectgen.score.notes import NoteArray


def noise(seed: int, count: int = 200) -> NoteArray:
    """Notes anywhere, of any strength."""
    rng = np.random.default_rng(seed)
    return NoteArray.of(
        rng.uniform(0, 30, count), rng.uniform(0.1, 1, count), rng.integers(21, 109, count), rng.integers(1, 128, count)
    )


def test_odds_by_hand() -> None:
    critic = Critic(np.array([1.0, 0.0]), np.array([2.0, 1.0]), np.array([3.0, -1.0, -0.5, 0.25]), 0.5, level=0.25)
    rows = np.array([[1.0, 0.0], [3.0, 1.0], [1001.0, 0.0]])  # the last one is cut at four standard deviations
    np.testing.assert_allclose(critic.log_odds(rows), [0.5 + 0.5 - 0.25, 2.5, 12.5 - 7.5 - 0.25])


def test_a_fit_tells_apart_what_differs_and_leaves_alone_what_does_not() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(300, 3)), rng.normal((1.5, 0.0, 0.0), 1.0, (300, 3))
    made[:, 2] = real[:, 2] = 7.0  # a statistic without spread
    critic = fit(real, made, 0.1)
    assert critic.log_odds(real).mean() > 0.5 > -0.5 > critic.log_odds(made).mean()
    assert critic.weight[0] < -5 * abs(critic.weight[1])
    narrow = fit(rng.normal(0, 1, (300, 3)), rng.normal(0, 0.3, (300, 3)), 0.1)
    assert (narrow.weight[3:] > 3 * np.abs(narrow.weight[:3])).all(), "what is too usual is told by the squares"
    assert np.isfinite(critic.log_odds(np.full((1, 3), 1e9))).all()


def test_belief_counts_from_the_level_whoever_else_is_heard() -> None:
    critic, pieces = load_critic(), [noise(seed) for seed in range(3)]
    lower = Critic(critic.mean, critic.scale, critic.weight, critic.bias, critic.level - 1.0)
    np.testing.assert_allclose(lower.belief(pieces), critic.belief(pieces) + 1.0)
    np.testing.assert_allclose(critic.belief(pieces)[1:2], critic.belief(pieces[1:2]), atol=1e-12)
    assert critic.belief([]).shape == (0,)
    assert np.isfinite(critic.belief([NoteArray.of([], [], [], [])])).all()


@pytest.mark.slow
def test_the_shipped_critic_believes_what_the_shipped_model_composes_less_than_real_clips(real_data: Path) -> None:
    from affectgen.muser.checkpoint import load_composer
    from affectgen.muser.generate import Generator
    from affectgen.muser.options import GenerateOptions

    clips = read_emopia(real_data / "emopia", "val")
    made = Generator(load_composer(None)).run([GenerateOptions(f"Q{1 + n % 4}", 90 + n, tries=1) for n in range(16)])
    real = load_critic().belief([clip.notes for clip in clips])
    assert np.mean([piece.belief for piece in made]) < real.mean() - 0.7


def test_the_shipped_critic_passes_real_clips_it_has_never_seen(real_data: Path) -> None:
    belief = load_critic().belief([clip.notes for clip in read_emopia(real_data / "emopia", "val")])
    assert (belief > 0).mean() > 0.9  # 97 of 100 training clips, out of fold


def test_its_card_says_what_it_is(top: Path) -> None:
    folder = top / "checkpoints" / CRITIC
    settings, card = json.loads((folder / "config.json").read_text()), (folder / "card.md").read_text()
    assert "python -m affectgen.muser.critic_fit --data ../shared/data" in card
    assert "not for commercial use" in card
    assert all(f"| {value:g} |" in card for value in settings["figures"].values())
    sums = (top / "checkpoints" / "SHA256SUMS").read_text()
    weights = next(line.split()[0] for line in sums.splitlines() if line.endswith("muser/weights.safetensors"))
    assert weights[:12] in settings["trained_on"], "it criticises the model that ships"


def test_a_critic_of_other_statistics_is_refused(tmp_path: Path) -> None:
    arrays, settings = store.load(CRITIC, "critic")
    store.save(tmp_path / "old", arrays, settings, "card")
    assert load_critic(tmp_path / "old").weight.shape == (2 * len(feature_names()),)
    path = tmp_path / "old" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"features": ["velocity_mean"]}))
    with pytest.raises(CheckpointError, match="other note statistics"):
        load_critic(tmp_path / "old")
    with pytest.raises(CheckpointError, match="'critic'"):
        load_critic("midi-guide")
