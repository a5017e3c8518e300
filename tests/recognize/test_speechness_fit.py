"""The fit that tells speech from music: it separates what can be separated, and its songs are music."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from affectgen.audio.spectrum import RATE
from affectgen.errors import AffectgenError
from affectgen.recognize import speechness_fit
from affectgen.recognize.speechness import NAMES
from affectgen.recognize.speechness_fit import drum_track, fit, render, rows_of
from affectgen.score.midi import TICKS
from affectgen.score.notes import NoteArray


def notes() -> NoteArray:
    """A rising scale, two notes a second."""
    count = 8
    return NoteArray(
        onset=np.arange(count) * 0.5,
        duration=np.full(count, 0.45),
        pitch=60 + np.arange(count),
        velocity=np.full(count, 90),
    )


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_fit_separates_and_counts_both_kinds_alike(share: float) -> None:
    rng = np.random.default_rng(0)
    spoken = rng.random(600) < share
    rows = rng.normal(size=(600, 4))
    rows[:, 2] = 5 + 3 * rows[:, 2] + np.where(spoken, 6.0, -6.0)
    odds = fit(rows, spoken).log_odds(rows)
    assert ((odds > 0) == spoken).mean() > 0.95
    assert abs(np.median(odds[spoken]) + np.median(odds[~spoken])) < 1.5  # neither kind is favoured


def test_noise_makes_rows_differ_and_their_number_stays() -> None:
    sound = np.sin(np.arange(17 * RATE) * 0.2).astype(np.float32)  # four windows
    plain, noisy = rows_of(sound, None), rows_of(sound, np.random.default_rng(0))
    assert plain.shape == noisy.shape == (4, len(NAMES))
    changed = ~np.isclose(plain, noisy).all(axis=1)
    assert 0 < changed.sum() < 4


def test_a_beat_fills_the_time_and_keeps_to_the_drum_channel() -> None:
    track = drum_track(np.random.default_rng(0))
    assert track.is_drum
    last = max(note.start for note in track.notes) / (2 * TICKS)
    assert speechness_fit.MUSIC_SECONDS - 1 < last < speechness_fit.MUSIC_SECONDS
    assert {note.pitch for note in track.notes} == {36, 38, 42}  # bass drum, snare, hi-hat of General MIDI


def test_a_missing_program_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AffectgenError, match="fluidsynth"):
        render(notes(), 0, tmp_path / "none.sf2")


def test_rendered_songs_sound_and_programs_differ() -> None:
    font = speechness_fit.FONTS / speechness_fit.TEST_FONT
    if shutil.which("fluidsynth") is None or not font.is_file():
        pytest.skip("fluidsynth or its font is not here")
    piano, flute = render(notes(), 0, font), render(notes(), 73, font)
    assert np.abs(piano).max() > 0.01
    assert len(piano) <= speechness_fit.MUSIC_SECONDS * RATE + 1
    size = min(len(piano), len(flute))
    assert not np.allclose(piano[:size], flute[:size], atol=0.01)
