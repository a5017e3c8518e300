from __future__ import annotations

import io
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectgen.errors import MidiError
from affectgen.score.grid import GridScore
from affectgen.score.midi import key_signature, open_midi, read_grid, read_notes, write_midi, write_notes
from affectgen.score.notes import NoteArray


def on(pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, pitch, 0])


def tempo(qpm: float) -> bytes:
    return b"\xff\x51\x03" + round(60e6 / qpm).to_bytes(3, "big")


NOTE = [(0, on(60)), (480, off(60))]


def rows(notes: NoteArray) -> list[tuple[float, float, int]]:
    return [
        (round(a, 3), round(b, 3), c)
        for a, b, c in zip(notes.onset.tolist(), notes.duration.tolist(), notes.pitch.tolist(), strict=True)
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_piece_survives_its_midi_file(scores: st.SearchStrategy[GridScore], data: st.DataObject) -> None:
    score = data.draw(scores)
    again = read_grid(write_midi(score), key=score.key)
    assert again.bars == score.bars
    for name in ("start", "pitch", "velocity"):
        np.testing.assert_array_equal(getattr(again, name), getattr(score, name))
    np.testing.assert_allclose(again.tempo, score.tempo, rtol=1e-4)
    assert again.chords == score.chords
    assert key_signature(open_midi(write_midi(score))) == score.key
    for pitch in set(score.pitch.tolist()):
        here = score.pitch == pitch
        start, length = score.start[here], score.length[here]
        until = np.append(np.diff(start), 1000)  # a key struck again ends the note before
        np.testing.assert_array_equal(again.length[again.pitch == pitch], np.minimum(length, until))


def test_writing_twice_gives_the_same_bytes(piece) -> None:
    once = write_midi(piece())
    assert write_midi(read_grid(once, key=piece().key)) == once


def test_mido_reads_what_is_written(piece) -> None:
    score = piece(tempo=90.0)
    file = mido.MidiFile(file=io.BytesIO(write_midi(score)))
    struck = [message for track in file.tracks for message in track if message.type == "note_on" and message.velocity]
    assert len(struck) == len(score)
    assert {message.tempo for track in file.tracks for message in track if message.type == "set_tempo"} == {666667}
    assert file.length == pytest.approx(score.to_notes().end, abs=0.01)


def test_notes_in_seconds_survive_their_midi_file() -> None:
    rng = np.random.default_rng(0)
    notes = NoteArray.of(np.arange(50) * 0.33, rng.uniform(0.05, 0.3, 50), rng.integers(21, 109, 50), [70] * 50)
    again = read_notes(write_notes(notes))
    np.testing.assert_allclose(again.onset, notes.onset, atol=0.001)
    np.testing.assert_allclose(again.duration, notes.duration, atol=0.002)
    np.testing.assert_array_equal(again.pitch, notes.pitch)


def test_tempo_changes_move_the_seconds(midi) -> None:
    song = midi([(0, tempo(60)), (960, tempo(120))], [(960, on(60)), (480, off(60)), (0, on(62)), (480, off(62))])
    assert rows(read_notes(song)) == [(2.0, 0.5, 60), (2.5, 0.5, 62)]
    np.testing.assert_allclose(read_grid(song).tempo, [60.0, 60.0, 120.0, 120.0])


@pytest.mark.parametrize("qpm", [4.0, 1000.0])
def test_extreme_tempi_are_kept(midi, qpm: float) -> None:
    score = read_grid(midi([(0, tempo(qpm)), *NOTE]))
    np.testing.assert_allclose(score.tempo, qpm, rtol=1e-5)
    assert score.seconds == pytest.approx(4 * 60 / qpm, rel=1e-4)


@pytest.mark.parametrize("division", [1, 24, 480, 30000])
def test_every_resolution_gives_the_same_beats(midi, division: int) -> None:
    events = [(0, on(60)), (division, off(60)), (division, on(64)), (division, off(64))]
    score = read_grid(midi(events, division=division))
    assert score.start.tolist() == [0, 8]
    assert score.length.tolist() == [4, 4]


@pytest.mark.parametrize("kind", [1, 2])
def test_tracks_sound_together_and_drums_stay_out(midi, kind: int) -> None:
    song = midi(NOTE, [], [(0, on(64)), (480, off(64))], [(0, on(38, channel=9)), (480, off(38, 9))], kind=kind)
    assert rows(read_notes(song)) == [(0.0, 0.5, 60), (0.0, 0.5, 64)]


def test_type_0_with_several_channels(midi) -> None:
    song = midi([(0, on(60)), (0, on(72, channel=3)), (480, off(60)), (480, off(72, 3))], kind=0)
    assert rows(read_notes(song)) == [(0.0, 0.5, 60), (0.0, 1.0, 72)]


def test_running_status_velocity_zero_and_missing_end_of_track(midi) -> None:
    song = midi([(0, on(60)), (240, bytes([62, 64])), (240, bytes([60, 0])), (0, bytes([62, 0]))], end=False)
    assert rows(read_notes(song)) == [(0.0, 0.5, 60), (0.25, 0.25, 62)]


def test_notes_of_no_length_become_audible(midi) -> None:
    assert rows(read_notes(midi([(0, on(60)), (0, off(60)), *NOTE])))[0][1] > 0
    assert read_grid(midi([(0, on(60)), (0, off(60))])).length.tolist() == [1]


def test_other_metres_are_counted_in_fours(midi) -> None:
    waltz = midi([(0, b"\xff\x58\x04\x03\x02\x18\x08")], [(0, on(60)), (1440, off(60)), (0, on(64)), (1440, off(64))])
    score = read_grid(waltz)
    assert score.start.tolist() == [0, 12]  # the second bar of three begins on the fourth beat
    assert score.bars == 1


def test_a_hundred_thousand_notes() -> None:
    count = 100_000
    pitch = 40 + np.arange(count) % 40
    notes = NoteArray.of(np.arange(count) * 0.01, np.full(count, 0.2), pitch, np.full(count, 70))
    assert len(read_notes(write_notes(notes))) == count


def spoil(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def test_bad_input_is_named(midi, tmp_path: Path) -> None:
    good = midi(NOTE)
    (tmp_path / "song.mid").write_bytes(b"Dear diary, no music today")
    with pytest.raises(MidiError, match=r"song\.mid.*b'Dear'"):
        read_notes(tmp_path / "song.mid")
    with pytest.raises(MidiError, match="cannot be read"):
        read_notes(tmp_path / "missing.mid")
    for data, sentence in [
        (b"", "no MIDI file"),
        (good[:9], "ends within its header"),
        (good[:-9], "damaged"),
        (midi(NOTE, division=0), "0 ticks"),
        (spoil(good, good.index(on(60)) + 1, 200), "damaged"),
        (midi(), "no notes"),
        (midi([], []), "no notes"),
        (midi([(0, on(38, channel=9)), (480, off(38, 9))]), "drums only"),
    ]:
        with pytest.raises(MidiError, match=sentence):
            read_notes(data)
        with pytest.raises(MidiError, match=sentence):
            read_grid(data)


def test_a_file_of_a_hundred_million_beats_is_refused(midi) -> None:
    with pytest.raises(MidiError, match="beats"):
        read_grid(midi([(2**28 - 1, on(60)), (1, off(60))], division=1))


def test_a_tempo_of_no_time_is_ignored(midi) -> None:
    assert rows(read_notes(midi([(0, b"\xff\x51\x03\x00\x00\x00"), *NOTE]))) == [(0.0, 0.5, 60)]
