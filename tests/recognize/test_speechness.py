"""Speech is told from music, whatever its level, rate and surroundings; what cannot be judged is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.files import read_mono
from affectgen.audio.spectrum import RATE
from affectgen.errors import AudioError, CheckpointError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import speechness
from affectgen.recognize.speechness import NAMES, WINDOW, Speechness, is_speech


def made_speech(seed: int = 0, seconds: float = 4.0, rate: int = RATE) -> np.ndarray:
    """Syllables of a gliding buzz, four a second, with hisses and pauses between them."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    pitch = 120 * 2 ** (0.3 * np.sin(2 * np.pi * 1.3 * time + seed) + 0.15 * np.sin(2 * np.pi * 3.1 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    colour = 0.5 + 0.5 * np.sin(2 * np.pi * 2.3 * time)  # moves between two vowels
    low = np.sum([np.sin(k * phase) * np.exp(-(((k * 120 - 500) / 400) ** 2)) for k in range(1, 30)], axis=0)
    high = np.sum([np.sin(k * phase) * np.exp(-(((k * 120 - 1600) / 700) ** 2)) for k in range(1, 30)], axis=0)
    beat = np.sin(2 * np.pi * 4.1 * time)
    sound = (colour * low + (1 - colour) * high) * np.maximum(beat, 0.0)
    sound += 0.1 * rng.normal(size=len(time)) * np.maximum(-beat - 0.7, 0.0)
    return sound.astype(np.float32) * 0.2 + 1e-4 * rng.normal(size=len(time)).astype(np.float32)


def made_music(seed: int = 0, seconds: float = 4.0, rate: int = RATE) -> np.ndarray:
    """Three held notes at a time, a chord each half second, each dying away."""
    rng = np.random.default_rng(seed)
    step = rate // 2
    time = np.arange(step) / rate
    parts = []
    for _ in range(int(2 * seconds)):
        tones = 220 * 2 ** (rng.choice(12, 3, replace=False) / 12)
        chord = np.sum([np.sin(2 * np.pi * k * hertz * time) / k**2 for hertz in tones for k in (1, 2, 3)], axis=0)
        parts.append(chord * np.exp(-2 * time))
    return 0.1 * np.concatenate(parts).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_made_speech_and_made_music_are_told_apart(seed: int) -> None:
    assert is_speech(made_speech(seed), RATE) > 0.5
    assert is_speech(made_music(seed), RATE) < 0.1


@pytest.mark.parametrize("rate", [16000, 48000])
def test_the_rate_of_a_file_hardly_matters(rate: int) -> None:
    assert is_speech(made_speech(1, rate=rate), rate) > 0.5
    assert is_speech(made_music(1, rate=rate), rate) < 0.1


@settings(max_examples=6, deadline=None)
@given(st.floats(0.01, 1.0), st.booleans())
def test_the_level_does_not_matter(gain: float, spoken: bool) -> None:
    sound = made_speech(2) if spoken else made_music(2)
    assert is_speech((gain * sound).astype(np.float32), RATE) == pytest.approx(is_speech(sound, RATE), abs=0.01)


def test_statistics_are_finite_and_named() -> None:
    rng = np.random.default_rng(0)
    shortest = int(speechness.LEAST_SECONDS * RATE) + 1
    click = np.zeros(RATE, dtype=np.float32)
    click[500] = 1.0
    for sound in (made_speech(), made_music(), rng.normal(size=shortest), click, np.ones(RATE)):
        found = speechness.statistics(np.asarray(sound, dtype=np.float32))
        assert found.shape == (len(NAMES),)
        assert np.isfinite(found).all()


def test_a_long_recording_is_judged_by_a_few_windows_over_all_of_it() -> None:
    long = np.concatenate([made_music(0, 30.0), np.zeros(30 * RATE, dtype=np.float32), made_speech(0, 60.0)])
    parts = speechness.windows(long, RATE)
    assert 1 < len(parts) < speechness.MOST_WINDOWS  # the silent ones are left out
    assert all(len(part) == round(WINDOW * RATE) for part in parts)
    np.testing.assert_array_equal(parts[-1], long[-round(WINDOW * RATE) :])


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (np.zeros(RATE, dtype=np.float32), "silent"),
        (np.full(RATE, np.nan, dtype=np.float32), "no numbers"),
        (np.ones(200, dtype=np.float32), "0.02 s"),
        (np.zeros(0, dtype=np.float32), "0.00 s"),
        (np.ones((RATE, 2), dtype=np.float32), "mono"),
    ],
)
def test_what_cannot_be_judged_is_refused(samples: np.ndarray, told: str) -> None:
    with pytest.raises(AudioError, match=told):
        is_speech(samples, RATE)


def test_a_model_of_other_statistics_is_refused(tmp_path: Path) -> None:
    arrays = {name: np.zeros(3) for name in ("mean", "sd", "weight")} | {"bias": np.array(0.0)}
    save_arrays(tmp_path / "old", arrays, {"kind": "speechness", "features": ["a", "b", "c"]})
    with pytest.raises(CheckpointError, match="other statistics"):
        speechness.load_speechness(tmp_path / "old")


def test_odds_grow_along_the_weights_and_are_bounded() -> None:
    model = Speechness(np.zeros(2), np.ones(2), np.array([2.0, -1.0]), 0.5)
    np.testing.assert_allclose(model.log_odds(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), [0.5, 2.5, -0.5])
    far = model.log_odds(np.array([[1e6, -1e6]]))
    assert far[0] == speechness.DECIDED


def test_real_speech_is_heard_as_speech(real_data: Path) -> None:
    readers, actors = (sorted((real_data / corpus / "flac").iterdir()) for corpus in ("ljspeech", "emo_db"))
    files = [*readers[:3], *actors[-3:]]
    assert all(is_speech(read_mono(file, 16000), 16000) > 0.5 for file in files)
