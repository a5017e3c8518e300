"""The distance between two sounds."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.evaluate.cepstra import mel_cepstral_distance

RATE = 16_000


def sound(centre: float, seconds: float = 0.4, seed: int = 0) -> np.ndarray:
    """Noise about a frequency that slides up by a half."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * centre * (time + 0.25 * time**2 / seconds))
    return 0.2 * wave * (1 + 0.3 * np.random.default_rng(seed).normal(size=len(time)))


def test_the_distance_tells_other_sounds_and_forgives_time_and_level() -> None:
    assert mel_cepstral_distance(sound(500), sound(500), RATE) == pytest.approx(0, abs=1e-9)
    same = mel_cepstral_distance(sound(500), 0.5 * sound(500, 0.55), RATE)
    other = mel_cepstral_distance(sound(500), sound(1500), RATE)
    assert same < 0.4 * other
