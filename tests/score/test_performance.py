"""Matching written notes with played ones, on hand-made pieces and, where they are, on EMOPIA's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.score.grid import GridScore, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import read_grid, read_notes
from affectgen.score.notes import NoteArray
from affectgen.score.performance import as_played, match_notes, time_map

EMOPIA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "emopia"


def written() -> GridScore:
    """Two bars at 120: a note on every beat, C and E in turn, all of velocity 40 and one sixteenth long."""
    rows = np.array([[4 * beat, 1, 60 if beat % 2 == 0 else 64, 40] for beat in range(8)])
    return make_grid(rows, np.full(8, 120.0), (None,) * 8, Key(0, 0))


def played(late: float = 0.3) -> NoteArray:
    """The same, starting `late` s later, every second note 20 ms behind, rising in velocity, 0.4 s long."""
    beats = np.arange(8)
    onset = late + 0.5 * beats + np.where(beats % 2 == 1, 0.02, 0.0)
    return NoteArray.of(onset, np.full(8, 0.4), np.where(beats % 2 == 0, 60, 64), 20 + 10 * beats)


def test_every_note_finds_its_own() -> None:
    assert match_notes(written(), played()).tolist() == list(range(8))


def test_a_note_that_was_not_played_stays_alone() -> None:
    whole = played()
    found = match_notes(written(), whole.pick(np.arange(8) != 3))
    assert found[3] == -1
    assert (np.delete(found, 3) >= 0).all()


def test_velocity_and_length_come_from_the_performance() -> None:
    score = as_played(written(), played())
    assert score.velocity.tolist() == list(range(20, 100, 10))
    assert score.length.tolist() == [3] * 8  # 0.4 s at 120 is 3.2 sixteenths
    assert score.start.tolist() == written().start.tolist()


def test_the_time_map_finds_when_bars_fall() -> None:
    found = match_notes(written(), played())
    lines = time_map(written(), played(), found)
    assert lines is not None
    assert lines[16] - lines[0] == pytest.approx(2.0, abs=0.02)
    assert lines[0] == pytest.approx(0.31, abs=0.02)


def test_nothing_in_common_leaves_the_piece_as_it_is() -> None:
    other = NoteArray.of([0.0, 1.0], [0.5, 0.5], [30, 31], [64, 64])
    assert (match_notes(written(), other) == -1).all()
    assert as_played(written(), other) is not None
    assert as_played(written(), other).velocity.tolist() == [40] * 8


@pytest.mark.skipif(not (EMOPIA / "clips.csv").is_file(), reason="EMOPIA is not there")
def test_real_clips_match_nearly_whole() -> None:
    shares = []
    for path in sorted((EMOPIA / "beat").glob("Q*_1.mid"))[:20]:
        raw = EMOPIA / "raw" / path.name
        if raw.is_file():
            shares.append((match_notes(read_grid(path), read_notes(raw)) >= 0).mean())
    assert len(shares) > 10
    assert np.mean(shares) > 0.99
