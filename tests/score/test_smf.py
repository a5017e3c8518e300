from __future__ import annotations

import struct

import pytest
import symusic

from affectgen.errors import MidiError
from affectgen.score.midi import read_notes
from affectgen.score.smf import close_notes, plain, read_track, track_chunks


def on(pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, pitch, 0])


def ticks(data: bytes) -> list[tuple[int, int, int]]:
    score = symusic.Score.from_midi(data)
    close_notes(score, data)
    return sorted((note.time, note.duration, note.pitch) for track in score.tracks for note in track.notes)


def test_a_note_without_end_lasts_to_the_end_of_the_file(midi) -> None:
    assert ticks(midi([(0, on(60)), (480, on(62)), (480, off(62))])) == [(0, 960, 60), (480, 480, 62)]


def test_a_note_without_end_stops_when_its_key_is_struck_again(midi) -> None:
    assert ticks(midi([(0, on(60)), (480, on(60)), (480, off(60))])) == [(0, 480, 60), (480, 480, 60)]


def test_the_end_may_be_in_another_track(midi) -> None:
    assert (0, 2000, 60) in ticks(midi([(0, on(60))], [(0, on(50)), (2000, off(50))]))


def test_a_stray_end_before_does_not_count(midi) -> None:
    assert ticks(midi([(0, off(60)), (0, on(60)), (480, on(62)), (10, off(62))])) == [(0, 490, 60), (480, 10, 62)]


def test_channels_keep_apart(midi) -> None:
    data = midi([(0, on(60)), (0, on(60, channel=1)), (100, off(60, 1)), (100, on(38, channel=9)), (50, off(38, 9))])
    score = symusic.Score.from_midi(data)
    close_notes(score, data)
    assert ticks(data) == [(0, 100, 60), (0, 250, 60), (200, 50, 38)]
    assert [track.is_drum for track in score.tracks] == [False, False, True]


def test_a_sound_score_is_left_alone(midi) -> None:
    data = midi([(0, on(60)), (100, on(60)), (100, off(60)), (100, off(60))])
    score = symusic.Score.from_midi(data)
    before = score.copy()
    close_notes(score, data)
    assert score == before


def test_sysex_and_other_events_are_passed_over(midi) -> None:
    events = [
        (0, b"\xf0\x03\x01\x02\xf7"), (0, b"\xff\x01\x05hello"), (0, bytes([0xC0, 5])), (0, bytes([0xB0, 64, 127])),
        (0, on(60)), (10, bytes([0xE0, 0, 64])), (10, bytes([0xD0, 3])), (10, on(62)), (10, off(62)),
    ]  # fmt: skip
    assert ticks(midi(events)) == [(0, 40, 60), (30, 10, 62)]


def test_wrapped_and_long_headers_become_plain(midi) -> None:
    data = midi([(0, on(60)), (480, off(60))])
    assert plain(data).data == data
    wrapped = b"RIFF" + struct.pack("<I", len(data) + 12) + b"RMIDdata" + struct.pack("<I", len(data)) + data
    assert plain(wrapped).data == data
    long = data[:4] + struct.pack(">I", 8) + data[8:14] + b"\0\0" + data[14:]
    assert plain(long).data == data


@pytest.mark.parametrize(("frames", "ticks_a_frame"), [(25, 40), (24, 100), (30, 80)])
def test_smpte_time_is_in_seconds_whatever_the_tempo(midi, frames: int, ticks_a_frame: int) -> None:
    second = frames * ticks_a_frame
    slow = (0, b"\xff\x51\x03\x20\x00\x00")
    data = midi([slow, (second, on(60)), (second * 2, off(60))], division=(0x100 - frames) << 8 | ticks_a_frame)
    notes = read_notes(data)
    assert notes.onset.tolist() == pytest.approx([1.0])
    assert notes.duration.tolist() == pytest.approx([2.0])


def test_a_track_that_ends_inside_an_event_is_named(midi) -> None:
    data = midi([(0, on(60)), (0, b"\x90\x40")], end=False)
    with pytest.raises(MidiError):
        read_notes(data)


def test_the_events_of_a_track(midi) -> None:
    events = [
        (5, b"\xff\x51\x03\x01\x02\x03"), (10, on(60)), (10, b"\x3e\x40"), (0, b"\xff\x01\x02hi"), (300, b"\x3c\x00"),
        (0, bytes([0xC2, 7])), (0, bytes([0xE1, 3, 65])), (0, bytes([0xD0, 9])), (40, b"\xff\x2f\x00"), (9, on(90)),
    ]  # fmt: skip
    found = read_track(track_chunks(midi(events, end=False))[0])
    assert found.messages == [
        (15, 0x90, 60, 64), (25, 0x90, 62, 64), (325, 0x90, 60, 0), (325, 0xC2, 7, 0), (325, 0xE1, 3, 65),
        (325, 0xD0, 9, 0),
    ]  # fmt: skip
    assert found.tempos == [(5, 0x010203)]
    assert found.end == 365


def test_a_controller_cut_short_ends_the_track_and_a_note_cut_short_is_refused() -> None:
    whole = b"\x00\x90\x3c\x40\x0a"
    assert read_track(whole + b"\xb0\x40").messages == [(0, 0x90, 60, 64)]
    for short in (b"\x90", b"\x90\x3c", b"\x3c"):
        with pytest.raises(MidiError, match="ends inside an event"):
            read_track(whole + short)


def test_data_without_a_status_is_passed_over() -> None:
    assert read_track(b"\x00\x3c\x05\x90\x3c\x40").messages == [(5, 0x90, 60, 64)]
