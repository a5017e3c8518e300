"""Statistics of sound: finite for anything, and right about mode, tempo, register and what is no music."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.mel import MELS, RATE, SEMITONES, Picture, picture
from affectgen.audio.synth import Voice, render
from affectgen.recognize.music import LEAST_TONES
from affectgen.recognize.music_statistics import statistic_names, statistics_of, tones_heard
from affectgen.score.notes import NoteArray

MAJOR, MINOR = (0, 4, 7, 12), (0, 3, 7, 12)


def arpeggio(shape: tuple[int, ...], per_second: float = 3.0, low: int = 55, seconds: float = 8.0) -> NoteArray:
    onset = np.arange(0.0, seconds, 1 / per_second)
    pitch = low + np.array([shape[index % len(shape)] for index in range(len(onset))])
    return NoteArray.of(onset, np.full(len(onset), 1 / per_second), pitch, np.full(len(onset), 80))


def heard(notes: NoteArray, voice: Voice | None = None) -> dict[str, float]:
    seen = picture(render(notes, voice if voice is not None else Voice(), RATE))
    return dict(zip(statistic_names(), statistics_of(seen).tolist(), strict=True))


def test_names_are_unique() -> None:
    assert len(set(statistic_names())) == len(statistic_names()) > 60


@settings(max_examples=25, deadline=None)
@given(frames=st.integers(8, 60), seed=st.integers(0, 99), flat=st.booleans())
def test_every_picture_has_finite_statistics(frames: int, seed: int, flat: bool) -> None:
    chance = np.random.default_rng(seed)
    high = 1 if flat else 256
    seen = Picture(
        chance.integers(0, high, (frames, SEMITONES)).astype(np.uint8),
        chance.integers(0, high, (frames, MELS)).astype(np.uint8),
    )
    assert np.isfinite(statistics_of(seen)).all()


@pytest.mark.parametrize("voice", [Voice(), Voice(modulation=1.5), Voice(decay=2.0, bright=0.0)])
@pytest.mark.parametrize("low", [50, 57])
def test_major_sounds_more_major_than_minor(voice: Voice, low: int) -> None:
    major, minor = heard(arpeggio(MAJOR, low=low), voice), heard(arpeggio(MINOR, low=low), voice)
    assert major["major_score"] > minor["major_score"] + 0.05
    assert major["triads_major_over_minor"] > 0 > minor["triads_major_over_minor"]
    assert major["triads_minor"] < 0.3
    assert minor["triads_minor"] > 0.7


def test_onsets_are_counted() -> None:
    slow, fast = heard(arpeggio(MAJOR, 1.5)), heard(arpeggio(MAJOR, 6.0))
    assert slow["onsets_middle"] == pytest.approx(1.5, rel=0.25)
    assert fast["onsets_middle"] == pytest.approx(6.0, rel=0.25)
    assert fast["gap_mean"] < slow["gap_mean"]


def test_register_rises_with_the_notes_and_degrees_do_not() -> None:
    low, high = heard(arpeggio(MAJOR, low=48)), heard(arpeggio(MAJOR, low=60))
    assert high["register_mean"] > low["register_mean"] + 6
    for degree in (0, 4, 7):
        assert high[f"degree_{degree}"] == pytest.approx(low[f"degree_{degree}"], abs=0.08)


def test_noise_and_a_sine_are_no_music() -> None:
    chance, time = np.random.default_rng(0), np.arange(8 * RATE) / RATE
    noise = chance.normal(0, 0.1, 8 * RATE).astype(np.float32)
    sine = (0.4 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    assert tones_heard(picture(noise)) == 0
    assert tones_heard(picture(sine)) < LEAST_TONES
    assert tones_heard(picture(render(arpeggio(MINOR), Voice(), RATE))) >= LEAST_TONES
