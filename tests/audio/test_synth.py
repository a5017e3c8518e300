"""The synthesiser: right keys at the right time, loudness by force, the same sound for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.audio.mel import LOWEST, RATE, picture
from affectgen.audio.synth import LOUDEST, Voice, render
from affectgen.score.notes import NoteArray


def notes(*rows: tuple[float, float, int, int]) -> NoteArray:
    return NoteArray.of(*zip(*rows, strict=True))


@pytest.mark.parametrize("key", [40, 60, 84])
@pytest.mark.parametrize("voice", [Voice(), Voice(modulation=1.0), Voice(decay=0.0, vibrato=8.0)])
def test_a_note_sounds_at_its_key(key: int, voice: Voice) -> None:
    seen = picture(render(notes((0.0, 1.0, key, 90)), voice, RATE))
    bands = seen.semitones[4:16].astype(float).mean(axis=0)
    assert bands[key - LOWEST] > np.percentile(bands, 90)
    assert bands[: key - LOWEST - 2].max(initial=0.0) < bands[key - LOWEST]


def test_notes_sound_when_they_should() -> None:
    sound = render(notes((0.5, 0.2, 60, 90), (1.5, 0.2, 64, 90)), Voice(), RATE)
    tenths = np.abs(sound[: int(1.8 * RATE)]).reshape(-1, RATE // 10).max(axis=1)
    assert tenths[:5].max() == 0
    assert tenths[5] > 0.3
    assert tenths[10:15].max() < 0.01
    assert tenths[15] > 0.3


@pytest.mark.parametrize("voice", [Voice(), Voice(modulation=2.0)])
def test_force_makes_it_louder_by_what_the_voice_says(voice: Voice) -> None:
    def level(force: int) -> float:
        sound = render(notes((0.0, 0.5, 60, force), (1.5, 0.3, 60, 115)), voice, RATE)
        return float(np.abs(sound[:RATE]).max())

    assert level(115) > 2 * level(60) > 4 * level(20) > 0


def test_a_seed_settles_the_sound_and_the_peak_is_fixed() -> None:
    piece = notes((0.0, 0.4, 60, 90), (0.2, 0.6, 67, 70))
    voice = Voice.drawn(np.random.default_rng(3))
    first, second = render(piece, voice, RATE, 5), render(piece, voice, RATE, 5)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first).max() == pytest.approx(LOUDEST)
    assert first.dtype == np.float32


def test_drawn_voices_differ_and_are_finite() -> None:
    chance = np.random.default_rng(0)
    voices = [Voice.drawn(chance) for _ in range(30)]
    assert len(set(voices)) == 30
    for voice in voices:
        sound = render(notes((0.0, 0.3, 30, 127), (0.1, 0.2, 108, 1)), voice, RATE)
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() > 0


def test_no_notes_give_no_sound() -> None:
    assert len(render(NoteArray.of([], [], [], []), Voice(), RATE)) == 0
