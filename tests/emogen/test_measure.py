"""The attributes of files: in turn, side by side, and what cannot be read."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.emogen import measure
from affectgen.emogen.measure import FEW, measure_files, measure_piece
from affectgen.emogen.vector import NAMES, describe
from affectgen.errors import MidiError
from affectgen.score.grid import Timing, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import read_notes, write_midi, write_notes
from affectgen.score.notes import NoteArray


@pytest.fixture
def files(tmp_path, score):
    """Three pieces on a grid, a text file among them, and one that is not there."""
    for number in range(3):
        (tmp_path / f"{number}.mid").write_bytes(write_midi(score(number, 4 + number)))
    (tmp_path / "text.mid").write_text("not music")
    return [str(tmp_path / name) for name in ("2.mid", "text.mid", "0.mid", "gone.mid", "1.mid")]


def test_a_file_on_a_grid_has_every_attribute(score, tmp_path):
    piece = score(1, 6)
    data = write_midi(piece)
    found = measure_piece(data)
    assert list(found) == list(NAMES)
    assert found["tempo"] == pytest.approx(float(np.median(piece.tempo)), rel=1e-4)
    expected = describe(read_notes(data), float(np.median(piece.tempo)))
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-4)
    assert found["velocity_mean"] == pytest.approx(piece.velocity.mean())
    (tmp_path / "a.mid").write_bytes(data)
    assert measure_piece(tmp_path / "a.mid") == found


def test_the_tempo_of_a_performance_is_not_known(score):
    notes = score(1, 6).to_notes()
    rng = np.random.default_rng(0)
    loose = NoteArray.of(notes.onset + rng.uniform(0, 0.09, len(notes)), notes.duration, notes.pitch, notes.velocity)
    found = measure_piece(write_notes(loose))
    assert found["tempo"] is None
    assert [name for name, value in found.items() if value is None] == ["tempo"]
    assert found["pitch_mean"] == pytest.approx(notes.pitch.mean())


def test_the_tempo_of_a_piece_of_ours_is_known_although_it_is_played(score):
    piece = score(1, 6)
    notes = piece.to_notes()
    played = Timing(notes.onset + np.random.default_rng(0).uniform(0, 0.04, len(notes)), notes.duration)
    assert measure_piece(write_midi(piece, played))["tempo"] == pytest.approx(np.median(piece.tempo), rel=1e-4)


def test_a_file_of_days_or_of_a_million_notes_is_refused():
    """A few bytes can say that a note comes after forty hours."""
    far = NoteArray.of([0.0, 140_000.0], [1.0, 1.0], [60, 64], [70, 70])
    with pytest.raises(MidiError, match=r"2 notes in 2333 minutes; up to 60000 in 120 can be measured"):
        measure_piece(write_notes(far))
    many = np.arange(measure.MOST_NOTES + 1)
    with pytest.raises(MidiError, match="60001 notes"):
        measure_piece(write_notes(NoteArray.of(many * 0.05, np.full(len(many), 0.04), many % 40 + 40, many % 90 + 10)))


def test_too_many_beats_leave_the_tempo_open():
    start = np.arange(400)
    rows = np.stack([start * 1600, np.full(400, 4), 40 + start % 40, np.full(400, 70)], axis=1)
    piece = make_grid(rows, np.full(160_000, 6000.0), (), Key(0, 0))
    found = measure_piece(write_midi(piece))
    assert [name for name, value in found.items() if value is None] == ["tempo"]


def test_what_is_wrong_names_the_file(files, monkeypatch):
    def refuse(source):
        raise MidiError("This MIDI file is odd.", "Mend it.")

    monkeypatch.setattr(measure, "measure_piece", refuse)
    assert [one.error for one in measure_files(files[:2])] == [f"{name}: This MIDI file is odd." for name in files[:2]]


def test_files_come_in_order_and_a_bad_one_stops_no_other(files):
    found = list(measure_files(files))
    assert [one.name for one in found] == files
    assert [bool(one.error) for one in found] == [False, True, False, True, False]
    for one in found:
        if one.error:
            assert one.values == {}
            assert one.name in one.error
        else:
            assert list(one.values) == list(NAMES)
    with pytest.raises(MidiError):
        measure_piece(b"not music")


def test_several_processes_find_the_same(files):
    many = files * 2
    assert list(measure_files(many, jobs=2)) == list(measure_files(many, jobs=1))


def test_a_few_files_start_no_other_process(files, monkeypatch):
    begun = []

    def noting(function, items, jobs, chunk):
        begun.append(jobs)
        return iter(())

    monkeypatch.setattr(measure, "map_in_processes", noting)
    monkeypatch.setattr(measure, "cores", lambda: 3)
    assert len(list(measure_files(files))) == 5
    assert list(measure_files([])) == []
    assert begun == []
    list(measure_files(files[:1] * (FEW + 1)))
    list(measure_files(files, jobs=5))
    assert begun == [3, 5]
