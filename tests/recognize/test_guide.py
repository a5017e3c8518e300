"""Paths by the guide: windows of bars, each read by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from affectgen.recognize.guide import WINDOW_BARS, load_guide, measure_path
from affectgen.score.grid import BAR, GridScore
from affectgen.score.notes import NoteArray


class Ear:
    """Hears valence in the pitch and arousal in the velocity."""

    def __init__(self) -> None:
        self.heard: list[NoteArray] = []

    def rate(self, pieces: Sequence[NoteArray]) -> np.ndarray:
        self.heard += pieces
        return np.array([[piece.pitch.mean() / 127, piece.velocity.mean() / 127] for piece in pieces])


def from_bar(score: GridScore, bar: int, stop: int) -> GridScore:
    """The same piece with rests outside of bars [bar, stop)."""
    kept = (score.start >= bar * BAR) & (score.start < stop * BAR)
    fields = ("start", "length", "pitch", "velocity")
    return replace(score, **{name: getattr(score, name)[kept] for name in fields})


@pytest.mark.parametrize(("bars", "window", "count"), [(9, 4, 3), (8, 4, 2), (3, 4, 1), (5, 1, 5), (5, 2, 3)])
def test_windows_one_after_the_other(score: Callable[..., GridScore], bars: int, window: int, count: int) -> None:
    source, ear = score(0, bars), Ear()
    path = measure_path(ear, source, window)
    assert path.shape == (count, 2)
    for index, part in enumerate(ear.heard):
        alone = source.take_bars(index * window, (index + 1) * window).to_notes()
        np.testing.assert_allclose(part.onset, alone.onset)
        np.testing.assert_allclose(path[index], Ear().rate([alone])[0])
    assert sum(len(part) for part in ear.heard) == len(source)


def test_silent_windows_read_nothing(score: Callable[..., GridScore]) -> None:
    path = measure_path(Ear(), from_bar(score(0, 9), WINDOW_BARS, 9))
    assert path.shape == (3, 2)
    assert path[0].tolist() == [0.0, 0.0]
    assert (path[1:] != 0).all()


def test_a_silent_piece_is_not_even_asked_about(score: Callable[..., GridScore]) -> None:
    ear = Ear()
    assert measure_path(ear, from_bar(score(0, 9), 9, 9)).tolist() == [[0.0, 0.0]] * 3
    assert ear.heard == []


def test_the_shipped_guide_follows_a_piece_that_grows_loud(score: Callable[..., GridScore]) -> None:
    source = score(3, 8)
    velocity = np.where(source.start < 4 * BAR, source.velocity // 3 + 10, source.velocity // 3 + 80)
    path = measure_path(load_guide(), replace(source, velocity=velocity))
    assert path.shape == (2, 2)
    assert path[1, 1] > path[0, 1]
