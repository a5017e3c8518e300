"""Fits that leave the test out: folds by series, and that a fit sees nothing of what it is tested on."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.recognize import held_out, mlp
from affectgen.recognize.corpus import Labelled
from affectgen.score.notes import NoteArray

QUICK = mlp.Settings(members=2, steps=150)


def clip(number: int, quadrant: int, song: str, split: str = "train") -> Labelled:
    """Loud and fast where aroused, major where pleasant; rated pieces say the same."""
    rng = np.random.default_rng(number)
    loud, bright = quadrant in (0, 1), quadrant in (0, 3)
    onset = np.arange(0, 20, 0.15 if loud else 0.6) + rng.uniform(0, 0.02)
    pitch = rng.choice([60, 64 if bright else 63, 67, 72], len(onset))
    force = np.clip((100 if loud else 45) + rng.integers(-8, 9, len(onset)), 1, 127)
    notes = NoteArray.of(onset, np.full(len(onset), 0.4), pitch, force)
    rating = ((0.4 if bright else -0.4) + 0.01 * rng.normal(), (0.4 if loud else -0.4) + 0.01 * rng.normal())
    kind = -1 if split == "" else quadrant
    return Labelled(f"{song}{number}", song, split, kind, rating, True, notes)


def corpus() -> list[Labelled]:
    labelled = [clip(n, n % 4, f"s{n // 4}", "val" if n >= 24 else "train") for n in range(32)]
    rated = [clip(100 + n, n % 4, f"{('Mario', 'Zelda', 'Xeno')[n % 3]}_NES_{n}", "") for n in range(24)]
    return labelled + rated


def test_series_stay_together_and_folds_are_even() -> None:
    names = ["A_x"] * 5 + ["B_x"] * 4 + ["C_x"] * 3 + ["D_y"] * 3 + ["E_z"] * 2 + ["F_q"]
    fold = held_out.folds_by_series(names, 3)
    assert all(len(set(fold[[n[0] == letter for n in names]])) == 1 for letter in "ABCDEF")
    assert sorted(np.bincount(fold)) == [6, 6, 6]


def test_plain_music_is_read_rightly_when_unseen() -> None:
    clips = corpus()
    found = held_out.validation_figures(clips, QUICK)
    assert found["validation_clips"] == 8
    assert found["validation_arousal"] == 1.0
    assert held_out.series_figures(clips, QUICK)["series_spearman_arousal"] > 0.6  # two levels with noise: .87 at best


@pytest.mark.parametrize("figures", [held_out.validation_figures, held_out.series_figures])
def test_no_fit_has_seen_what_it_is_tested_on(figures, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[set[str]] = []
    tested: list[set[str]] = []
    real_fit, real_read = held_out.fit_on, held_out.verdict_on
    name = held_out.series_of if figures is held_out.series_figures else str

    def fit_on(clips, settings):
        fitted.append({name(clip.song) for clip in clips})
        return real_fit(clips, settings)

    def verdict_on(model, clips):
        tested.append({name(clip.song) for clip in clips})
        return real_read(model, clips)

    monkeypatch.setattr(held_out, "fit_on", fit_on)
    monkeypatch.setattr(held_out, "verdict_on", verdict_on)
    figures(corpus(), QUICK)
    assert len(fitted) == len(tested) > 0
    assert all(not seen & read for seen, read in zip(fitted, tested, strict=True))
