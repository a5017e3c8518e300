"""Fitting a critic of a generator's pieces: an answer to each clip, no song told by what saw it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import UsageError
from affectgen.recognize.critic_fit import (
    Pool,
    critic_parser,
    figure_rows,
    fit_critic,
    kept_pool,
    out_of_fold,
    read_options,
    told_apart,
)

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


@pytest.mark.parametrize("level", ["25", "0", "-0.1", "1"])
def test_a_level_that_is_no_share_is_refused(tmp_path: Path, level: str) -> None:
    with pytest.raises(UsageError, match="--level got"):
        read_options(critic_parser("", "critic", "run"), ["--data", str(tmp_path), "--level", level])


def test_a_pool_is_made_once_and_belongs_to_a_model_and_a_seed(tmp_path: Path) -> None:
    made = []

    def make() -> Pool:
        made.append(pool(1.0))
        return made[-1]

    first, again = (kept_pool(tmp_path / "run" / "pool.npz", "model from seed 7", make) for _ in range(2))
    assert len(made) == 1
    np.testing.assert_array_equal(first.made, again.made)
    np.testing.assert_array_equal(again.song, made[0].song)
    with pytest.raises(UsageError, match="of model from seed 7, not of model from seed 8"):
        kept_pool(tmp_path / "run" / "pool.npz", "model from seed 8", make)


def test_figures_are_a_table() -> None:
    assert figure_rows({"clips": 12.0, "passing": 0.75}).endswith("| clips | 12 |\n| passing | 0.75 |\n")
