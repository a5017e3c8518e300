"""What survives a codec."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_sizes import CODEC

from affectgen.medicine.musicgen.small.ceiling import measure_codec, mel_distance, spearman, through
from affectgen.medicine.musicgen.small.codec import build_codec
from affectgen.medicine.musicgen.small.data import RATE, read_table, sound_of
from affectgen.recognize.music import load_music_guide


def test_rank_correlation_is_of_ranks():
    values = np.array([0.1, 0.5, 0.2, 0.9])
    assert spearman(values, np.exp(5 * values)) == pytest.approx(1)
    assert spearman(values, -values) == pytest.approx(-1)
    assert np.isnan(spearman(values, np.ones(4)))


def test_mel_distance_is_none_to_itself_and_grows_with_noise(sounds):
    sound = sound_of(sounds, read_table(sounds)[0])[: 4 * RATE]
    noise = np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
    near, far = (mel_distance(sound, sound + level * noise) for level in (1e-4, 1e-1))
    assert mel_distance(sound, sound) == 0
    assert 0 < near < far


def test_what_went_through_a_codec_keeps_its_length(sounds):
    torch.manual_seed(0)
    codec = build_codec(CODEC).eval()
    assert through(codec, np.ones(1601, dtype=np.float32)).shape == (1601,)


def test_a_perfect_codec_loses_nothing(sounds, monkeypatch):
    monkeypatch.setattr("affectgen.medicine.musicgen.small.ceiling.through", lambda codec, sound: sound)
    clips = [(clip, sound_of(sounds, clip)[: 3 * RATE]) for clip in read_table(sounds)[:5]]
    found = measure_codec(None, clips, load_music_guide())
    assert found["mel distance, dB"] == 0
    assert found["arousal, guide before and after, Spearman"] == pytest.approx(1)
    assert found["clips"] == 5
