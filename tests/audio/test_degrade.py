"""What befalls recordings: as much as is stated, and never another length."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.audio.degrade import BLOCK, Fate, degrade, levelled, noisy, through_codec, tilted

RATE = 16000


def chord(seconds: float = 1.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return sum(0.2 * np.sin(2 * np.pi * hertz * time) for hertz in (220.0, 277.2, 329.6)).astype(np.float32)


@pytest.mark.parametrize("pink", [True, False])
@pytest.mark.parametrize("over", [10.0, 30.0])
def test_noise_is_as_far_below_as_stated(pink: bool, over: float) -> None:
    sound = chord()
    added = noisy(sound, over, pink, 1).astype(float) - sound
    assert 10 * np.log10((sound.astype(float) ** 2).mean() / (added**2).mean()) == pytest.approx(over, abs=0.1)


def test_pink_noise_has_less_treble() -> None:
    def treble(pink: bool) -> float:
        power = np.abs(np.fft.rfft(noisy(chord(), 0.0, pink, 2) - chord())) ** 2
        return float(power[len(power) // 2 :].sum() / power.sum())

    assert treble(True) < 0.3 < treble(False)


def test_tilt_turns_about_seven_hundred_hertz() -> None:
    time = np.arange(RATE) / RATE
    for hertz, expected in ((350.0, -3.0), (700.0, 0.0), (1400.0, 3.0)):
        sound = np.sin(2 * np.pi * hertz * time).astype(np.float32)
        inner = slice(2000, -2000)
        change = 20 * np.log10(tilted(sound, 3.0, RATE)[inner].std() / sound[inner].std())
        assert change == pytest.approx(expected, abs=0.1)


def test_level_is_that_of_the_peak() -> None:
    assert np.abs(levelled(chord(), -20.0)).max() == pytest.approx(0.1, rel=1e-4)
    assert not levelled(np.zeros(10, dtype=np.float32), -20.0).any()


@pytest.mark.parametrize("codec", ["mp3", "vorbis"])
def test_codecs_keep_length_and_tune(codec: str) -> None:
    sound = chord((BLOCK + 1000) / RATE)  # more than one block
    heard = through_codec(sound, RATE, codec)
    assert heard.shape == sound.shape
    spectra = [np.abs(np.fft.rfft(one)) for one in (sound, heard)]
    assert spectra[0].argmax() == pytest.approx(spectra[1].argmax(), abs=2)
    assert not np.array_equal(sound, heard)


def test_a_lower_rate_makes_a_smaller_error_no_smaller() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)

    def error(kbits: int) -> float:
        heard = through_codec(noise, RATE, "mp3", kbits)
        shifts = [np.roll(heard, -shift) for shift in range(-1200, 1201, 1)]
        return min(float(((one - noise) ** 2).mean()) for one in shifts)

    assert error(32) > error(128)


def test_fates_are_repeatable_and_keep_the_length() -> None:
    chance = np.random.default_rng(0)
    for _ in range(6):
        fate = Fate.drawn(chance)
        first, second = degrade(chord(), fate, RATE), degrade(chord(), fate, RATE)
        np.testing.assert_array_equal(first, second)
        assert first.shape == chord().shape
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
