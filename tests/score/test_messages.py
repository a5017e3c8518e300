from __future__ import annotations

import io
import struct
import time
from pathlib import Path

import mido
import numpy as np
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import MidiError
from affectgen.score.messages import Timeline, read_timeline


def on(pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, pitch, 0])


def tempo(microseconds: int) -> bytes:
    return b"\xff\x51\x03" + microseconds.to_bytes(3, "big")


def rows(timeline: Timeline) -> list[tuple[int, int, int, int]]:
    columns = (timeline.status, timeline.channel, timeline.first, timeline.second)
    return [tuple(int(value) for value in row) for row in zip(*columns, strict=True)]


def test_messages_of_all_tracks_in_seconds(midi) -> None:
    first = [(0, tempo(1_000_000)), (480, bytes([0xB1, 64, 127])), (480, tempo(250_000))]
    second = [(0, bytes([0xC1, 5])), (240, on(60, 90, 1)), (960, off(60, 1)), (0, bytes([0xE1, 1, 70]))]
    timeline = read_timeline(midi(first, second))
    assert rows(timeline) == [
        (0xC0, 1, 5, 0), (0x90, 1, 60, 90), (0xB0, 1, 64, 127), (0xE0, 1, 1, 70), (0x80, 1, 60, 0),
    ]  # fmt: skip
    assert timeline.seconds.tolist() == pytest.approx([0, 0.5, 1.0, 2.125, 2.125], abs=1e-12)
    assert timeline.end == pytest.approx(2.125)


def test_the_end_of_a_track_counts(midi) -> None:
    data = midi([(0, on(60)), (480, off(60)), (1440, b"\xff\x2f\x00")], end=False)
    assert read_timeline(data).end == pytest.approx(2.0)


def test_without_a_tempo_there_are_120_beats_a_minute_and_tempi_of_nothing_are_passed_over(midi) -> None:
    assert read_timeline(midi([(0, on(60)), (480, off(60))])).seconds.tolist() == [0, 0.5]
    data = midi([(0, tempo(0)), (0, on(60)), (480, tempo(0)), (480, off(60))])
    assert read_timeline(data).seconds.tolist() == [0, 1.0]


@pytest.mark.parametrize("bpm", [3.6, 1000.0])
def test_very_slow_and_very_fast(midi, bpm: float) -> None:
    data = midi([(0, tempo(round(60e6 / bpm))), (0, on(60)), (480, off(60))])
    assert read_timeline(data).end == pytest.approx(60 / bpm, abs=1e-6)


def test_at_one_tick_controllers_come_first_and_notes_end_before_others_begin(midi) -> None:
    data = midi([(0, on(60)), (480, on(60, 70)), (0, off(60)), (0, on(62)), (0, bytes([0xB0, 64, 127])), (9, off(60))])
    assert [row[:3] for row in rows(read_timeline(data))][1:5] == [
        (0xB0, 0, 64), (0x80, 0, 60), (0x90, 0, 60), (0x90, 0, 62),
    ]  # fmt: skip


def test_a_note_of_no_length_ends_after_it_begins(midi) -> None:
    data = midi([(0, on(60)), (0, off(60)), (480, on(62)), (0, on(62, 0)), (480, on(64)), (480, off(64))])
    assert [row[0] for row in rows(read_timeline(data))] == [0x90, 0x80, 0x90, 0x90, 0x90, 0x80]
    assert [row[3] for row in rows(read_timeline(data))] == [64, 0, 64, 0, 64, 0]


def test_running_status_goes_on_behind_meta_events_and_sysex(midi) -> None:
    between = [(0, b"\xff\x01\x02hi"), (10, b"\x3e\x00"), (0, b"\xf0\x01\xf7"), (5, b"\x3c\0")]
    data = midi([(0, on(60)), (10, b"\x3e\x40"), *between])
    assert rows(read_timeline(data)) == [(0x90, 0, 60, 64), (0x90, 0, 62, 64), (0x90, 0, 62, 0), (0x90, 0, 60, 0)]


def test_smpte_time_is_in_seconds_whatever_the_tempo(midi) -> None:
    data = midi([(0, tempo(0x200000)), (1000, on(60)), (2000, off(60))], division=(0x100 - 25) << 8 | 40)
    assert read_timeline(data).seconds.tolist() == pytest.approx([1.0, 3.0])


def test_wrapped_files_and_files_of_type_2(midi) -> None:
    tracks = ([(0, on(60)), (480, off(60))], [(240, on(62)), (480, off(62))])
    data = midi(*tracks)
    wrapped = b"RIFF" + struct.pack("<I", len(data) + 12) + b"RMIDdata" + struct.pack("<I", len(data)) + data
    assert rows(read_timeline(wrapped)) == rows(read_timeline(data))
    assert rows(read_timeline(midi(*tracks, kind=2))) == rows(read_timeline(data))


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        ([[(0, bytes([0xB0, 64, 127]))]], "holds no notes"),
        ([[(0, on(60, 0))]], "holds no notes"),
        ([], "holds no notes"),
        ([[(0, tempo(0xFFFFFF)), (0, on(60)), (0x0FFFFFFF, off(60))]], "at most 24 h"),
    ],
)
def test_files_without_notes_or_without_end_are_refused(midi, tracks, words: str) -> None:
    with pytest.raises(MidiError, match=words):
        read_timeline(midi(*tracks))


def test_damaged_files_are_refused_and_named(midi, tmp_path: Path) -> None:
    data = midi([(0, on(60)), (480, off(60))])
    for broken in (b"", b"hello, world", data[:13], data[:-6], data[:-1]):
        path = tmp_path / "broken.mid"
        path.write_bytes(broken)
        with pytest.raises(MidiError, match=r"broken\.mid"):
            read_timeline(path)
    with pytest.raises(MidiError, match="cut short: 4 bytes are missing"):
        read_timeline(data[:-4])
    with pytest.raises(MidiError, match="cannot be read"):
        read_timeline(tmp_path / "absent.mid")


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3000),
        st.one_of(
            st.integers(1, 0xFFFFFF).map(tempo),
            st.builds(on, st.integers(0, 127), st.integers(0, 127), st.integers(0, 15)),
            st.builds(off, st.integers(0, 127), st.integers(0, 15)),
            st.builds(lambda c, n, v: bytes([0xB0 | c, n, v]), *[st.integers(0, n) for n in (15, 127, 127)]),
            st.builds(lambda c, n: bytes([0xC0 | c, n]), st.integers(0, 15), st.integers(0, 127)),
            st.builds(lambda c, a, b: bytes([0xE0 | c, a, b]), *[st.integers(0, n) for n in (15, 127, 127)]),
        ),
    ),
    max_size=20,
)  # fmt: skip


@given(tracks=st.lists(EVENTS, min_size=1, max_size=3), division=st.integers(1, 0x7FFF))
def test_times_are_those_of_mido(tracks, division: int) -> None:
    events = [[(0, on(60)), *tracks[0]], *tracks[1:]]
    data = build(events, division)
    seconds, found = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(data)):
        seconds += message.time
        if not message.is_meta:
            found.append((seconds, *message.bytes()))
    if seconds > 24 * 3600:
        with pytest.raises(MidiError, match="24 h"):
            read_timeline(data)
        return
    timeline = read_timeline(data)
    assert timeline.seconds.tolist() == pytest.approx([row[0] for row in found], rel=1e-9, abs=1e-9)
    assert timeline.end == pytest.approx(seconds, rel=1e-9, abs=1e-9)
    ours = [bytes(message_of(row)) for row in rows(timeline)]
    theirs = [bytes(row[1:]) for row in found]
    assert sorted(ours) == sorted(theirs)


def message_of(row: tuple[int, int, int, int]) -> list[int]:
    status, channel, first, second = row
    return [status | channel, first] if status == 0xC0 else [status | channel, first, second]


def build(tracks, division: int) -> bytes:
    head = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), division)
    return head + b"".join(chunk(track) for track in tracks)


def chunk(events) -> bytes:
    body = b"".join(waited(wait) + event for wait, event in events) + b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(body)) + body


def waited(value: int) -> bytes:
    return bytes([value >> 7 | 0x80, value & 0x7F]) if value >= 128 else bytes([value])


@given(tracks=st.lists(EVENTS, min_size=1, max_size=2))
def test_order_at_one_tick(tracks) -> None:
    data = build([[(0, on(60)), *[(0, event) for _, event in tracks[0]]], *tracks[1:]], 480)
    timeline = read_timeline(data)
    assert (np.diff(timeline.seconds) >= 0).all()
    for time_ in np.unique(timeline.seconds):
        kinds = [row for row, at in zip(rows(timeline), timeline.seconds, strict=True) if at == time_]
        notes = [index for index, row in enumerate(kinds) if row[0] in (0x80, 0x90)]
        others = [index for index, row in enumerate(kinds) if row[0] not in (0x80, 0x90)]
        assert not notes or not others or max(others) < min(notes)


def test_the_notes_are_those_of_symusic(midi) -> None:
    chance = np.random.default_rng(3)
    events = []
    for pitch in chance.permutation(np.arange(30, 90)).tolist():
        events += [(int(chance.integers(0, 500)), on(pitch, int(chance.integers(1, 128)))), (100, off(pitch))]
    data = midi([(0, tempo(700_000)), *events], [(5000, tempo(300_000))])
    timeline = read_timeline(data)
    struck = (timeline.status == 0x90) & (timeline.second > 0)
    notes = symusic.Score.from_midi(data).to("second").tracks[0].notes.numpy()
    assert timeline.first[struck].tolist() == notes["pitch"].tolist()
    assert timeline.second[struck].tolist() == notes["velocity"].tolist()
    np.testing.assert_allclose(timeline.seconds[struck], notes["time"], atol=1e-3)


def test_a_long_piece_is_read_fast() -> None:
    body = b"".join(b"\x10" + on(40 + n % 50) + b"\x10" + off(40 + n % 50) for n in range(100_000))
    body += b"\x00\xff\x2f\x00"
    data = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(body)) + body
    began = time.process_time()
    assert len(read_timeline(data)) == 200_000
    assert time.process_time() - began < 1.5
