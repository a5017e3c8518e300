"""Endings that anyone can hear, written out."""

from __future__ import annotations

import pytest

from affectgen.evaluate.endings import Ending, ending, ending_shares
from affectgen.score.keys import Key
from affectgen.score.notes import NoteArray

PASSAGE = [(i * 0.5, 0.5, pitch) for i, pitch in enumerate((60, 62, 64, 65, 67, 64, 60, 67, 72, 67, 64, 60))]  # C major


def piece(*last: tuple[float, float, int]) -> NoteArray:
    onset, duration, pitch = zip(*PASSAGE, *last, strict=True)
    return NoteArray.of(onset, duration, pitch, [64] * len(pitch))


def test_a_short_tonic_chord_closes() -> None:
    found = ending(piece((6, 0.5, 48), (6, 0.5, 60), (6, 0.5, 64), (6, 0.5, 67)))
    assert found == Ending(tonic=True, held=False, cut=False)
    assert found.closes


def test_a_rolled_tonic_chord_is_one_chord() -> None:
    assert ending(piece((6, 0.5, 48), (6.05, 0.5, 60), (6.1, 0.5, 64))).tonic


def test_the_dominant_does_not_close() -> None:
    found = ending(piece((6, 0.5, 43), (6, 0.5, 59), (6, 0.5, 62)))
    assert not found.tonic
    assert not found.closes


def test_an_inversion_is_no_close_unless_it_is_held() -> None:
    assert not ending(piece((6, 0.5, 52), (6, 0.5, 60), (6, 0.5, 67))).closes
    held = ending(piece((6, 2.0, 52), (6, 2.0, 60), (6, 2.0, 67)))
    assert held == Ending(tonic=False, held=True, cut=False)
    assert held.closes


def test_a_long_note_among_long_notes_is_not_held() -> None:
    slow = NoteArray.of([0, 2, 4, 6], [2, 2, 2, 2], [60, 64, 67, 62], [64] * 4)
    assert not ending(slow).held


def test_a_bass_that_still_rings_belongs_to_the_last_chord() -> None:
    assert ending(piece((5.0, 2.0, 36), (6, 0.5, 64), (6, 0.5, 67))).tonic


def test_what_sounds_past_the_bar_line_is_cut() -> None:
    long = piece((6, 2.0, 48), (6, 2.0, 64))
    assert ending(long, end=7.0).cut
    assert not ending(long, end=7.0).closes
    assert not ending(long, end=8.0).cut
    assert not ending(long, end=7.96).cut  # rounding


def test_the_key_asked_for_counts() -> None:
    last = piece((6, 0.5, 45), (6, 0.5, 60), (6, 0.5, 64))
    assert not ending(last).tonic
    assert ending(last, key=Key(9, 1)).tonic
    assert not ending(last, key=Key(9, 0)).tonic  # C is not the third of A major


@pytest.mark.parametrize("steps", range(-5, 7))
def test_transposition_changes_no_ending(steps: int) -> None:
    last = piece((6, 0.5, 48), (6, 0.5, 64))
    moved = NoteArray.of(last.onset, last.duration, last.pitch + steps, last.velocity)
    assert ending(moved) == ending(last)


def test_an_empty_piece_does_not_end() -> None:
    assert ending(NoteArray.of([], [], [], [])) == Ending(False, False, False)


def test_shares_by_hand() -> None:
    rows = [
        Ending(True, False, False),
        Ending(True, True, True),
        Ending(False, True, False),
        Ending(False, False, False),
    ]
    found = ending_shares(rows)
    assert (found.closes, found.tonic, found.held, found.cut) == (0.5, 0.5, 0.5, 0.25)
    assert ending_shares([]).closes == 0.0
