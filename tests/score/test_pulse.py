from __future__ import annotations

import numpy as np
import pytest

from affectgen.score.accents import CLASSES, Accents
from affectgen.score.pulse import PulseSettings, find_pulse


def even(count: int, period: float, strong: int) -> Accents:
    """Onsets every `period` seconds of which every `strong`-th sounds like a beat and the others do not."""
    odds = np.where((np.arange(count) % strong == 0)[:, None], [0.5, 1.0, -0.5, -1.5], [-1.0, -1.0, 0.5, 0.5])
    return Accents(np.arange(count) * period + 0.1, odds)


@pytest.mark.parametrize(("period", "strong"), [(0.25, 2), (0.15, 4), (0.32, 2), (0.6, 1)])
def test_strong_onsets_become_beats(period: float, strong: int) -> None:
    accents = even(80, period, strong)
    beats = find_pulse(accents)
    strikes = accents.time[::strong]
    assert np.diff(beats).mean() == pytest.approx(period * strong, rel=0.02)
    assert np.abs(strikes[:, None] - beats).min(axis=1).max() < 0.03


def test_beats_rise_and_cover_the_music() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 40):
        accents = Accents(np.sort(rng.uniform(1, 20, count)), rng.normal(0, 1, (count, len(CLASSES))))
        beats = find_pulse(accents)
        assert len(beats) >= 2
        assert (np.diff(beats) > 0.15).all()
        assert beats[0] <= accents.time[0] + 0.2
        assert beats[-1] > accents.time[-1] - 0.2


def test_the_prior_chooses_between_octaves() -> None:
    accents = Accents(np.arange(60) * 0.35, np.zeros((60, 4)))
    slow = find_pulse(accents, PulseSettings(tempo=70.0, tempo_spread=0.1))
    fast = find_pulse(accents, PulseSettings(tempo=180.0, tempo_spread=0.1))
    assert np.diff(slow).mean() > 1.5 * np.diff(fast).mean()


def test_finding_the_pulse_twice_gives_the_same() -> None:
    accents = even(50, 0.27, 2)
    np.testing.assert_array_equal(find_pulse(accents), find_pulse(accents))
