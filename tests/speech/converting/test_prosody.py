"""What is kept of how something was said."""

from __future__ import annotations

import numpy as np
import pytest
from made_voices import vowel
from talking import RATE, talk

from affectgen.errors import AudioError
from affectgen.speech.converting.prosody import BANDS, NAMES, PLACES, measure


def held(hertz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return vowel(np.full(int(seconds * rate), hertz), rate)


def test_pitch_and_slope() -> None:
    found = measure(talk(pitch=130.0, rise=6.0, seconds=2.0), RATE)
    assert found[PLACES["pitch"]] == pytest.approx(12 * np.log2(130 / 27.5) + 3, abs=0.4)
    assert found[PLACES["slope"]] == pytest.approx(3.0, abs=0.3)
    assert found[PLACES["end"]] > 2.5
    assert found[PLACES["rate"]] == pytest.approx(4.0, abs=0.8)
    assert found.shape == (len(NAMES),)
    assert np.isfinite(found).all()


def test_level_does_not_count() -> None:
    sound = talk()
    np.testing.assert_allclose(measure(0.1 * sound, RATE), measure(sound, RATE), atol=0.05)


def test_rate_hardly_counts() -> None:
    slow, quick = measure(talk(rate=16_000), 16_000), measure(talk(rate=48_000), 48_000)
    assert abs(slow[PLACES["pitch"]] - quick[PLACES["pitch"]]) < 0.1
    # below 3 kHz: the made-up voice has other harmonics above
    assert np.abs(slow[BANDS["voiced_mean"]] - quick[BANDS["voiced_mean"]])[:18].max() < 1.5


def test_brightness_lifts_the_upper_bands() -> None:
    dull, bright = measure(talk(bright=0.8), RATE), measure(talk(bright=1.4), RATE)
    lift = (bright - dull)[BANDS["voiced_mean"]]
    assert lift[-8:].mean() > lift[:4].mean() + 5


def test_pauses_are_counted() -> None:
    sound = held(150.0)
    parted = np.concatenate([sound, np.zeros(RATE), sound]) + 1e-5 * np.random.default_rng(0).normal(size=3 * RATE)
    assert measure(parted, RATE)[PLACES["pauses"]] == pytest.approx(1 / 3, abs=0.05)
    assert measure(sound, RATE)[PLACES["pauses"]] < 0.05


@pytest.mark.parametrize(
    "sound", [np.zeros(RATE), held(150.0, 0.1), np.full(RATE, np.nan), np.random.default_rng(0).normal(size=RATE)]
)
def test_no_voice_is_said(sound: np.ndarray) -> None:
    with pytest.raises(AudioError):
        measure(0.1 * sound, RATE)
