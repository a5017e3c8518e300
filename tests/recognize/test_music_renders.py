"""Renderings: the same each time, kept in the cache, and clear about what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from lacking import missing

from affectgen.audio.mel import RATE
from affectgen.errors import AffectgenError
from affectgen.recognize import music_renders
from affectgen.recognize.corpus import Labelled
from affectgen.recognize.music_renders import MEASURED, play, renderings
from affectgen.score.notes import NoteArray

NOTES = NoteArray.of([1.0, 1.5, 2.0], [0.4, 0.4, 1.0], [60, 64, 67], [80, 60, 100])
CLIP = Labelled("Q1_a_0", "a", "train", 0, (0.0, 0.0), True, NOTES)


def test_a_drawn_rendering_is_repeatable_and_draws_differ(tmp_path: Path) -> None:
    first, other = (renderings([CLIP], "synth", draw, tmp_path / "a")[0] for draw in ("0", "1"))
    again = renderings([CLIP], "synth", "0", tmp_path / "b")[0]
    np.testing.assert_array_equal(first.picture.semitones, again.picture.semitones)
    assert first.lead == again.lead != other.lead


def test_the_cache_is_read_and_nothing_is_rendered_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = renderings([CLIP], "synth", "plain", tmp_path)[0]
    assert {path.parent.name for path in tmp_path.rglob("*.npz")} == set(MEASURED)

    def broken(*_: object) -> None:
        raise AssertionError("rendered again")

    monkeypatch.setattr(music_renders, "render", broken)
    for draw in MEASURED:
        again = renderings([CLIP], "synth", draw, tmp_path)[0]
        same = np.array_equal(first.picture.mel, again.picture.mel)
        assert same == (draw == "plain")


def test_an_unknown_renderer_is_named() -> None:
    with pytest.raises(AffectgenError, match="kazoo"):
        play(NOTES, "kazoo")


@pytest.mark.parametrize("renderer", ["fluidr3", "musescore"])
def test_a_missing_font_is_named(renderer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(music_renders, "FONTS", tmp_path)
    with pytest.raises(AffectgenError):
        play(NOTES, renderer)


@pytest.mark.external
def test_fluidsynth_plays_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = sorted(Path("/usr/share/sounds").glob("sf[23]/MuseScore_General*"))
    if shutil.which("fluidsynth") is None or not fonts:
        missing("FluidSynth or MuseScore General is not here")
    monkeypatch.setattr(music_renders, "FONTS", fonts[0].parent)
    monkeypatch.setattr(music_renders, "MUSESCORE", fonts[0].name)  # the small one of .ci/run is enough
    sound = play(NOTES, "musescore")
    assert len(sound) > 2 * RATE
    assert np.abs(sound[: RATE // 2]).max() > 0.01
