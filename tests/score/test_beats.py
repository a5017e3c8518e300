from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import symusic

from affectgen.errors import MidiError
from affectgen.score.beats import has_beat_grid, read_score, to_grid, track_beats
from affectgen.score.grid import GridScore
from affectgen.score.keys import Key
from affectgen.score.midi import open_midi, write_midi, write_notes
from affectgen.score.notes import NoteArray
from affectgen.score.reference import TOLERANCE, f_measure


def perform(score: GridScore, jitter: float = 0.01, late: float = 0.37, seed: int = 1) -> NoteArray:
    """The piece as a person might play it: not from 0 s on, and no onset quite in time."""
    notes = score.to_notes()
    away = np.random.default_rng(seed).normal(0, jitter, len(notes))
    return NoteArray.of(np.maximum(notes.onset + late + away, 0), notes.duration, notes.pitch, notes.velocity)


def beats_of(score: GridScore, notes: NoteArray) -> np.ndarray:
    return score.line_seconds()[::4] + np.median(notes.onset[:1] - score.seconds_at(score.start[:1]))


@pytest.mark.parametrize("tempo", [76.0, 97.0, 131.0])
def test_the_beats_of_a_performance_are_found(piece, tempo: float) -> None:
    written = piece(bars=12, tempo=tempo)
    notes = perform(written)
    found = track_beats(notes)
    assert np.median(found.tempo) == pytest.approx(tempo, rel=0.03)
    true = written.line_seconds()[::4] + 0.37
    assert f_measure(beats_of(found, notes)[:-4], true[:-4]) > 0.95


def test_the_bars_of_a_performance_are_found(piece) -> None:
    written = piece(bars=12, tempo=100.0)
    found = track_beats(perform(written))
    assert len(found) == len(written)
    shift = found.start - written.start
    assert np.unique(shift).tolist() == [0]
    np.testing.assert_array_equal(found.pitch, written.pitch)
    assert found.key == Key(0, 0)
    agreement = np.mean([a == b for a, b in zip(found.chords, written.chords, strict=True)])
    assert agreement > 0.9


def test_a_performance_that_slows_down_is_followed(piece) -> None:
    written = piece(bars=12)
    slower = GridScore(**{**vars(written), "tempo": np.linspace(120.0, 80.0, 48)})
    found = track_beats(perform(slower))
    assert found.tempo[2] > 1.25 * found.tempo[-6]
    assert abs(found.bars - 12) <= 1


def test_notes_that_start_together_stay_together(piece) -> None:
    notes = perform(piece(), jitter=0.0)
    spread = NoteArray.of(notes.onset + 0.005 * (notes.pitch % 5), notes.duration, notes.pitch, notes.velocity)
    together = {tuple(sorted(spread.pitch[np.abs(spread.onset - time) < 0.03])) for time in notes.onset}
    found = track_beats(spread)
    assert {tuple(sorted(found.pitch[found.start == start])) for start in found.start} == together


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_notes_are_a_piece_too(count: int) -> None:
    notes = NoteArray.of(np.arange(count) * 0.7 + 3.0, [0.5] * count, 60 + np.arange(count), [70] * count)
    found = track_beats(notes)
    assert len(found) == count
    assert found.bars * 4 == len(found.tempo) == len(found.chords)
    assert (found.tempo > 0).all()
    assert found.start[0] < 16


def test_tracked_seconds_stay_near_the_played_ones(piece) -> None:
    notes = perform(piece(bars=8, tempo=110.0)).from_zero()
    found = track_beats(notes).to_notes().from_zero()
    assert np.abs(found.onset - notes.onset).max() < TOLERANCE


def test_what_cannot_be_tracked_is_said() -> None:
    with pytest.raises(MidiError, match="no note"):
        track_beats(NoteArray.of([], [], [], []))
    with pytest.raises(MidiError, match="minutes"):
        track_beats(NoteArray.of([0.0, 8000.0], [1.0, 1.0], [60, 60], [70, 70]))


def score_with(times: np.ndarray, tempo: float | None, division: int = 480) -> symusic.Score:
    score = symusic.Score(division)
    if tempo is not None:
        score.tempos.append(symusic.Tempo(0, tempo))
    track = symusic.Track("piano", 0, False)
    for at in times.tolist():
        track.notes.append(symusic.Note(at, 100, 60, 70))
    score.tracks.append(track)
    return score


def test_quantised_notes_lie_on_a_grid_and_loose_ones_do_not() -> None:
    rng = np.random.default_rng(0)
    sixteenths = np.unique(rng.integers(0, 300, 150)) * 120
    triplets = np.unique(rng.integers(0, 100, 60)) * 160
    loose = np.unique(rng.integers(0, 40_000, 200))
    human = np.maximum(sixteenths + rng.normal(0, 15, len(sixteenths)).astype(int), 0)
    for tempo in (None, 120.0, 93.0):
        assert has_beat_grid(score_with(sixteenths, tempo))
        assert has_beat_grid(score_with(triplets, tempo))
        assert not has_beat_grid(score_with(loose, tempo))
    assert has_beat_grid(score_with(human, 93.0))
    assert not has_beat_grid(score_with(human, 120.0))  # 120 alone is what recorders write


@pytest.mark.parametrize("late", [40, 60, 80])
def test_notes_that_all_stand_off_the_ticks_are_on_no_grid(late: int) -> None:
    sixteenths = np.arange(0, 200) * 120
    assert not has_beat_grid(score_with(sixteenths + late, 93.0))


def test_music_of_90_in_a_file_of_120_is_tracked() -> None:
    eighths = np.round(np.arange(120) * 480 * 2 / 3).astype(int) + np.random.default_rng(0).integers(-9, 10, 120)
    score = score_with(np.maximum(eighths, 0), 120.0)
    assert not has_beat_grid(score)
    assert np.median(to_grid(score).tempo) % 45 == pytest.approx(0, abs=2)


def test_the_own_grid_is_kept_with_chords_and_key(piece) -> None:
    written = piece(tempo=88.0)
    minor = GridScore(**{**vars(written), "key": Key(9, 1)})
    again = read_score(write_midi(minor))
    np.testing.assert_array_equal(again.start, written.start)
    assert (again.chords, again.key) == (written.chords, Key(9, 1))


def test_what_a_file_does_not_say_is_estimated(piece, tmp_path: Path) -> None:
    score = open_midi(write_midi(piece()))
    score.markers = symusic.core.TextMetaTickList([])
    score.key_signatures = symusic.core.KeySignatureTickList([symusic.KeySignature(0, 3, 0)])
    (tmp_path / "bare.mid").write_bytes(score.dumps_midi())
    again = read_score(tmp_path / "bare.mid")
    assert again.key == Key(0, 0)
    assert [str(chord) for chord in again.chords] == [str(chord) for chord in piece().chords]


def test_a_performance_is_tracked_from_its_file(piece) -> None:
    again = read_score(write_notes(perform(piece(bars=8, tempo=100.0))))
    assert np.median(again.tempo) == pytest.approx(100.0, rel=0.03)


def test_real_performances(emopia: Path) -> None:
    paths = sorted((emopia / "raw").glob("*.mid"))[::60]
    took = []
    for path in paths:
        assert not has_beat_grid(open_midi(path))
        begin = time.process_time()
        score = read_score(path)
        took.append((time.process_time() - begin) / max(score.seconds, 40.0))
        assert len(score) > 0.97 * len(open_midi(path).tracks[0].notes)
        assert 40 < np.median(score.tempo) < 240
    assert np.median(took) * 40 < 0.15  # seconds for a clip of 40 s
    assert all(has_beat_grid(open_midi(path)) for path in sorted((emopia / "beat").glob("*.mid"))[::60])
