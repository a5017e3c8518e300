"""The channel messages of a MIDI file in seconds: what a synthesiser is sent (MIDI 1.0, RP-001)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import MidiError
from affectgen.score.smf import TrackEvents, plain, read_track, track_chunks

DEFAULT_TEMPO = 500_000  # microseconds of a quarter where a file says nothing: 120 bpm
LONGEST = 24 * 3600.0  # seconds of a piece; beyond, the file is broken rather than long
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, BEND = 0x80, 0x90, 0xB0, 0xC0, 0xE0
FIRST, OFF, ON, LATE = range(4)  # order at one tick: everything else, ends of notes, notes, ends of these very notes

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """Channel messages in the order in which they are played.

    seconds: float64 [N], from 0 s, never falling; status: int64 [N], 0x80 to 0xE0, without the channel; channel: int64
    [N], 0-15; first, second: int64 [N], the data bytes, 0-127, second 0 where there is one only; end: seconds of the
    last event of any track, at least those of the last message.
    """

    seconds: NDArray[np.float64]
    status: Ints
    channel: Ints
    first: Ints
    second: Ints
    end: float

    def __len__(self) -> int:
        return len(self.seconds)


def read_timeline(source: Path | bytes) -> Timeline:
    """The messages of a file or a file's bytes, all tracks together; type 2 is read as type 1.

    At one tick controllers, programs and bends come first, then notes end, then notes begin, each in the file's order;
    only the end of a note of no length stays behind its beginning. MidiError names the file and what is wrong with it:
    no MIDI, damaged, no notes, longer than 24 h.
    """
    name = str(source) if isinstance(source, Path) else "The MIDI data"
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise MidiError(f"{name} cannot be read: {error.strerror}.", "Check the path and its permissions.") from error
    try:
        return _timeline(data)
    except MidiError as error:
        raise MidiError(f"{name}: {error.message}", error.hint) from error


def _timeline(data: bytes) -> Timeline:
    found = plain(data)
    tracks = [read_track(chunk) for chunk in _whole_chunks(found.data)]
    rows = np.array([message for track in tracks for message in track.messages], dtype=np.int64).reshape(-1, 4)
    tick, status, channel = rows[:, 0], rows[:, 1] & 0xF0, rows[:, 1] & 0x0F
    first, second = rows[:, 2] & 0x7F, rows[:, 3] & 0x7F
    if not ((status == NOTE_ON) & (second > 0)).any():
        raise MidiError("This MIDI file holds no notes.", "Give one with at least one note.")
    tempos = _tempos(tracks, found.seconds)
    division = int.from_bytes(found.data[12:14], "big")
    end = float(_seconds(np.array([max(track.end for track in tracks)]), tempos, division)[0])
    if end > LONGEST:
        hours = f"{end / 3600:.1f} h"
        raise MidiError(f"This MIDI file lasts {hours}; at most 24 h were expected.", "Check its tempo events.")
    order = np.lexsort((_ranks(tick, status, channel * 128 + first, second), tick))
    seconds = _seconds(tick[order], tempos, division)
    return Timeline(seconds, status[order], channel[order], first[order], second[order], end)


def _whole_chunks(data: bytes) -> list[bytes]:
    """The track chunks. MidiError where the last one is cut short."""
    at = 14
    while at + 8 <= len(data):
        at += 8 + struct.unpack(">I", data[at + 4 : at + 8])[0]
        if at > len(data):
            missing = at - len(data)
            raise MidiError(f"This MIDI file is cut short: {missing} bytes are missing.", "Export it again.")
    return track_chunks(data)


def _tempos(tracks: list[TrackEvents], fixed: bool) -> Ints:
    """(tick, microseconds of a quarter) [T, 2] of all tracks, by tick; fixed: a quarter is 1 s (SMPTE time)."""
    if fixed:
        return np.array([[0, 1_000_000]])
    found = [tempo for track in tracks for tempo in track.tempos if tempo[1] > 0]
    return np.array([(0, DEFAULT_TEMPO), *sorted(found, key=lambda tempo: tempo[0])], dtype=np.int64)


def _seconds(tick: Ints, tempos: Ints, division: int) -> NDArray[np.float64]:
    """Ticks [N] in seconds. Whole microseconds times ticks are summed, which is exact for any length of piece."""
    begun = np.concatenate([[0], np.cumsum(np.diff(tempos[:, 0]) * tempos[:-1, 1])])
    at = np.searchsorted(tempos[:, 0], tick, side="right") - 1
    return (begun[at] + (tick - tempos[at, 0]) * tempos[at, 1]) / (division * 1e6)


def _ranks(tick: Ints, status: Ints, key: Ints, second: Ints) -> Ints:
    """Which of the messages of one tick come first, int64 [N]: FIRST, OFF, ON or LATE."""
    begins = (status == NOTE_ON) & (second > 0)
    ends = (status == NOTE_OFF) | ((status == NOTE_ON) & (second == 0))
    rank = np.where(begins, ON, np.where(ends, OFF, FIRST))
    notes = np.flatnonzero(begins | ends)
    rank[notes[_of_no_length(tick[notes], key[notes], begins[notes])]] = LATE
    return rank


def _of_no_length(tick: Ints, key: Ints, begins: NDArray[np.bool_]) -> list[int]:
    """Where, among notes' beginnings and ends in the file's order, a note ends that begins at the same tick.

    An end behind a beginning may also be that of the key's note before, written late: it is while one is sounding.
    """
    order = np.lexsort((tick, key))
    same = (np.diff(key[order]) == 0) & (np.diff(tick[order]) == 0)
    doubtful = np.unique(key[order][1:][same & begins[order][:-1] & ~begins[order][1:]])
    order = order[np.isin(key[order], doubtful)]
    found: list[int] = []
    now, sounding, fresh = (-1, -1), 0, 0
    for index, place, on in zip(order.tolist(), zip(key[order], tick[order], strict=True), begins[order], strict=True):
        if place != now:
            sounding = sounding + fresh if place[0] == now[0] else 0
            now, fresh = place, 0
        if on:
            fresh += 1
        elif sounding:
            sounding -= 1
        elif fresh:
            fresh -= 1
            found.append(index)
    return found
