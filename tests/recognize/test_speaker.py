"""Voices: the same one is told from others whatever the level and the rate; what holds no voice is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.files import resampled
from affectgen.errors import AudioError, CheckpointError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import speaker
from affectgen.recognize.speaker import DESCRIPTORS, SpeakerVerifier, descriptors, load_speaker_verifier, movement
from affectgen.recognize.speech_fisher import Mixture

RATE = 11_025


def voice(tract: float, seed: int, seconds: float = 1.2, rate: int = RATE) -> np.ndarray:
    """A buzz of wandering pitch through resonances that stand `tract` times higher than usual and move about."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    pitch = rng.uniform(90, 200) * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(1, 3) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    moved = 1 + 0.25 * np.sin(2 * np.pi * rng.uniform(2, 4) * time + rng.uniform(0, 6))
    sound = np.zeros(len(time))
    for number in range(1, 25):
        hertz = number * pitch
        peaks = ((500 * moved, 120), (1500 / moved, 200), (2500, 250))
        level = sum(np.exp(-(((hertz - tract * place) / width) ** 2)) for place, width in peaks)
        sound += level * np.sin(number * phase) * (hertz < rate / 2)
    return (0.1 * sound + 1e-3 * rng.normal(size=len(time))).astype(np.float32)


def fitted() -> SpeakerVerifier:
    """A verifier that has axes for the spread of its descriptors only."""
    frames = [descriptors(voice(tract, seed), RATE) for seed, tract in enumerate((0.8, 0.9, 1.0, 1.1, 1.2))]
    mixture = Mixture.fit(frames, 4, 0)
    return SpeakerVerifier(mixture, mixture.vectors(frames).mean(axis=0), np.eye(2 * 4 * DESCRIPTORS), {})


def test_a_voice_is_nearer_to_itself_than_to_another():
    verifier = fitted()
    tracts = (0.8, 1.0, 1.2)
    voices = np.stack([verifier.enrol(verifier.embed([voice(t, 10 + n) for n in range(3)], RATE)) for t in tracts])
    tried = verifier.embed([voice(t, 30) for t in tracts], RATE)
    assert speaker.nearest(tried, voices).tolist() == [0, 1, 2]
    assert np.allclose(np.linalg.norm(tried, axis=1), 1)


def test_neither_level_nor_rate_is_heard():
    clip = voice(1.0, 3, rate=22_050)
    plain = descriptors(clip, 22_050).astype(float)
    assert np.allclose(descriptors(0.1 * clip, 22_050).astype(float), plain, atol=0.05)
    verifier = fitted()
    other = verifier.embed([resampled(clip, 22_050, 16_000)], 16_000)[0]
    assert verifier.embed([clip], 22_050)[0] @ other > 0.97


@given(st.integers(8, 60), st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_the_movement_of_a_slope_is_the_slope(count, slope):
    rows = slope * np.arange(count, dtype=float)[:, None]
    assert np.allclose(movement(rows)[3:-3], slope)
    assert movement(rows).shape == rows.shape


@pytest.mark.parametrize(("clip", "told"), [
    (np.zeros(RATE, np.float32), "no voice"),
    (voice(1.0, 0)[:2000], "0.18 s"),
    (np.full(RATE, np.nan, np.float32), "no numbers"),
    (np.zeros((RATE, 2), np.float32), "mono"),
])  # fmt: skip
def test_what_holds_no_voice_is_refused(clip, told):
    with pytest.raises(AudioError, match=told):
        descriptors(clip, RATE)


def test_a_verifier_survives_its_checkpoint(tmp_path):
    made = fitted()
    config = {"kind": "speaker", "version": speaker.VERSION, "figures": {"crema_d": {"clips": 3}}}
    save_arrays(tmp_path / "mine", speaker.pack(made), config)
    again = load_speaker_verifier(tmp_path / "mine")
    clip = voice(1.1, 5)
    assert np.allclose(again.embed([clip], RATE), made.embed([clip], RATE), atol=2e-3)
    assert again.figures == {"crema_d": {"clips": 3}}


@pytest.mark.parametrize("change", [{"kind": "speech"}, {"version": "0"}, {}])
def test_another_checkpoint_is_refused(tmp_path, change):
    config = {"kind": "speaker", "version": speaker.VERSION, "figures": {}} | change
    arrays = speaker.pack(fitted())
    if not change:
        del arrays["axes"]
    save_arrays(tmp_path / "mine", arrays, config)
    with pytest.raises(CheckpointError, match=r"was expected|incomplete"):
        load_speaker_verifier(tmp_path / "mine")


def test_the_shipped_verifier_was_not_fitted_on_the_speakers_of_figures():
    from affectgen.nn.checkpoint import load_checkpoint
    from affectgen.speech.split import TEST_SPEAKERS

    found = load_checkpoint(speaker.SPEAKER)
    assert not TEST_SPEAKERS & set(found.config["speakers"])
    assert len(found.config["speakers"]) > 50
    assert found.config["figures"]["crema_d"]["equal error, clip against voice"] <= 0.1
    assert found.weights_path.stat().st_size < 5_000_000
    verifier = load_speaker_verifier()
    one, same, other = verifier.embed([voice(0.85, 1), voice(0.85, 2), voice(1.2, 3)], RATE)
    assert one @ same > one @ other
