"""Recordings made worse in known ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.audio.spectrum import RATE
from affectgen.recognize.speech_degraded import by_telephone, clipped, damages, evaluate_degraded, with_noise


def tone(hertz: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.float32)


def power(samples: np.ndarray) -> float:
    return float((samples.astype(np.float64) ** 2).mean())


@pytest.mark.parametrize("ratio", [10.0, 20.0, 30.0])
def test_noise_lies_the_stated_decibels_below(ratio: float) -> None:
    clean = tone(200)
    noise = with_noise(clean, ratio, 0) - clean
    assert 10 * np.log10(power(clean) / power(noise)) == pytest.approx(ratio, abs=0.3)


def test_a_telephone_keeps_only_its_band() -> None:
    assert power(by_telephone(tone(1000))) > 0.8 * power(tone(1000))
    for hertz in (80, 5000):
        assert power(by_telephone(tone(hertz))) < 0.02 * power(tone(hertz))


def test_clipping_cuts_the_peaks_only() -> None:
    cut = clipped(tone(200))
    assert np.abs(cut).max() == pytest.approx(0.15, abs=1e-3)
    low = np.abs(tone(200)) < 0.1
    np.testing.assert_array_equal(cut[low], tone(200)[low])


def test_the_first_damage_is_none_and_all_keep_the_length() -> None:
    clean = tone(300)
    made = [damage.make(clean) for damage in damages(1)]
    np.testing.assert_array_equal(made[0], clean)
    assert all(len(one) == len(clean) and np.isfinite(one).all() for one in made)


@pytest.mark.slow
def test_a_worse_recording_is_read_worse(real_data: Path) -> None:
    rows = {name: value for name, value, _ in evaluate_degraded(real_data, every=41)}
    assert rows["guide, as recorded: emo_db: uar"] > 0.7
    assert rows["guide, noise at 20 dB: emo_db: uar"] < rows["guide, as recorded: emo_db: uar"]
