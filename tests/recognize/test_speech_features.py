"""What is read of a voice: complete, blind to level and rate, moved by what a listener hears; faults are named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.spectrum import RATE
from affectgen.errors import AudioError
from affectgen.recognize.speech_features import DESCRIPTORS, LEAST_SECONDS, Described, describe, feature_names


def talk(seconds: float = 1.5, pitch: float = 130.0, rise: float = 2.0, bright: float = 1.0) -> np.ndarray:
    """Syllables, four a second, of a buzz that rises by `rise` semitones; bright: less fall of the harmonics."""
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = pitch * 2 ** (rise / 12 * time / seconds)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    top = int(4800 / hertz.max())
    sound = np.sum([np.sin(k * phase) * k**-(2.0 - bright) for k in range(1, top + 1)], axis=0)
    syllables = np.maximum(np.sin(2 * np.pi * 4 * time), 0.0) ** 0.5
    sound = sound * syllables + 0.002 * np.random.default_rng(0).normal(size=len(time))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def named(found: Described) -> dict[str, float]:
    return dict(zip(feature_names(), found.features.tolist(), strict=True))


def test_names_and_values_agree_and_are_finite() -> None:
    found = describe(talk(), RATE)
    assert len(set(feature_names())) == len(feature_names()) == len(found.features)
    assert found.frames.shape[1] == DESCRIPTORS
    assert found.frames.dtype == np.float16
    assert np.isfinite(found.frames).all()
    assert np.isfinite(found.features).mean() > 0.9  # nan: only where a descriptor has no meaning
    assert 0.3 < found.voiced < 1.5


@settings(max_examples=5, deadline=None)
@given(st.floats(0.003, 3.0))
def test_level_does_not_matter(gain: float) -> None:
    loud, quiet = describe(talk(), RATE), describe((gain * talk()).astype(np.float32), RATE)
    np.testing.assert_allclose(loud.features, quiet.features, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_what_lies_above_five_kilohertz_does_not_matter(rate: int) -> None:
    """The same voice in a file of another rate, with a hiss that the lower rate cannot hold."""
    import soxr

    plain = talk()
    wide = soxr.resample(plain, RATE, rate)
    time = np.arange(len(wide)) / rate
    hiss = 0.05 * np.sin(2 * np.pi * 7000 * time)
    low = named(describe(plain, RATE))
    high = named(describe(np.asarray(wide + hiss, dtype=np.float32), rate))
    for name, close in (("pitch_mean", 0.2), ("alpha_mean", 1.0), ("cepstrum1_mean", 3.0), ("nuclei_rate", 0.8)):
        assert high[name] == pytest.approx(low[name], abs=close), name


def test_pitch_slope_and_brightness_move_their_statistics() -> None:
    plain = named(describe(talk(), RATE))
    higher = named(describe(talk(pitch=260.0), RATE))
    assert higher["pitch_mean"] - plain["pitch_mean"] == pytest.approx(12.0, abs=0.5)
    falling = named(describe(talk(rise=-6.0), RATE))
    assert falling["pitch_slope"] < -1 < 0 < plain["pitch_slope"]
    bright = named(describe(talk(bright=1.6), RATE))
    assert bright["alpha_mean"] > plain["alpha_mean"] + 3
    assert bright["centroid_mean"] > plain["centroid_mean"]


def test_syllables_are_counted() -> None:
    assert named(describe(talk(seconds=2.0), RATE))["nuclei_rate"] == pytest.approx(4.0, abs=0.7)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (np.zeros(RATE, dtype=np.float32), "silent"),
        (np.full(RATE, np.nan, dtype=np.float32), "no numbers"),
        (np.r_[talk(), np.float32(np.inf)], "no numbers"),
        (talk()[: int(0.05 * RATE)], "0.05 s"),
        (np.random.default_rng(0).normal(size=RATE).astype(np.float32), "No voice"),
        (np.ones((RATE, 2), dtype=np.float32), "mono"),
    ],
)
def test_what_holds_no_voice_is_refused(samples: np.ndarray, told: str) -> None:
    with pytest.raises(AudioError, match=told):
        describe(samples, RATE)


def test_the_shortest_clip_and_a_clipped_one_are_read() -> None:
    short = describe(talk(seconds=LEAST_SECONDS + 0.05), RATE)
    assert short.features.shape == (len(feature_names()),)
    clipped = describe(np.clip(20 * talk(), -1, 1).astype(np.float32), RATE)
    assert named(clipped)["pitch_mean"] == pytest.approx(named(describe(talk(), RATE))["pitch_mean"], abs=0.3)
