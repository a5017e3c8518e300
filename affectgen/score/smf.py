"""The bytes of Standard MIDI Files (MIDI 1.0, RP-001), where they are odd: what symusic refuses or silently drops.

`plain` turns RIFF wrappers, long headers and SMPTE time into what symusic reads; `close_notes` gives an end to notes
that have none. Well-formed files pass through untouched. `read_track` reads the events of a track chunk.
"""

from __future__ import annotations

import struct
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import NamedTuple

import symusic

from affectgen.errors import MidiError

DRUMS = 9  # channel 10 of General MIDI, counted from 0
HIGHEST = 127  # of what a data byte says
END_OF_TRACK, SET_TEMPO = 0x2F, 0x51  # meta events
DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}


class Played(NamedTuple):
    """A note in ticks."""

    channel: int
    start: int
    stop: int
    pitch: int
    velocity: int


class Press(NamedTuple):
    """A key going down, or up with velocity 0, at a tick."""

    tick: int
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class TrackEvents:
    """A track in ticks, in the file's order.

    messages: (tick, status with channel, first data byte, second or 0); tempos: (tick, microseconds of a quarter);
    end: tick of the last event, the end of the track included.
    """

    messages: list[tuple[int, int, int, int]]
    tempos: list[tuple[int, int]]
    end: int


@dataclass(frozen=True)
class Plain:
    """A file's bytes from MThd on, six bytes of header, time in ticks of a quarter.

    seconds: whether a quarter is one second by definition (SMPTE time), whatever the tempo events say.
    """

    data: bytes
    seconds: bool


def plain(data: bytes) -> Plain:
    """Unwrap RIFF MIDI, shorten a long header, and rewrite SMPTE time as quarters of one second.

    MidiError for bytes that hold no MIDI header or one without a resolution.
    """
    if data[:4] == b"RIFF" and b"MThd" in data[:64]:
        data = data[data.index(b"MThd") :]
    if data[:4] != b"MThd":
        raise MidiError(f"This is no MIDI file: it starts with {data[:4]!r}, not b'MThd'.", "Give a .mid file.")
    if len(data) < 14:
        raise MidiError(f"This MIDI file ends within its header, after {len(data)} bytes.", "Export it again.")
    size, kind, tracks, division = struct.unpack(">IHHH", data[4:14])
    seconds = division >= 0x8000
    if seconds:  # minus frames a second in the high byte, ticks a frame in the low one
        division = (0x100 - (division >> 8)) * (division & 0xFF)
    if division == 0:
        raise MidiError("This MIDI file says that a quarter note has 0 ticks.", "Export it again from where it came.")
    if size == 6 and not seconds:
        return Plain(data, False)
    return Plain(b"MThd" + struct.pack(">IHHH", 6, kind, tracks, division) + data[8 + size :], seconds)


def close_notes(score: symusic.Score, data: bytes) -> None:
    """Give an end, in `score`, to the notes of `data` that never stop; leaves a score without such notes as it is.

    Such a note stops when its key is struck again, or else at the end of the file.
    """
    pressed = [_presses(chunk) for chunk in track_chunks(data)]
    if not any(_hangs(presses) for presses, _ in pressed):
        return
    end = max(stop for _, stop in pressed)
    tracks: list[symusic.core.TrackTick] = []
    for presses, _ in pressed:
        channels: dict[int, symusic.core.TrackTick] = {}
        for note in _pair(presses, end):
            if max(note.pitch, note.velocity) > HIGHEST:
                held = f"a note of pitch {note.pitch} and velocity {note.velocity}"
                raise MidiError(f"This MIDI file holds {held}; {HIGHEST} is most.", "It is damaged: export it again.")
            track = channels.setdefault(note.channel, symusic.Track("", 0, note.channel == DRUMS))
            track.notes.append(symusic.Note(note.start, max(note.stop - note.start, 1), note.pitch, note.velocity))
        tracks.extend(channels.values())
    score.tracks = symusic.core.TrackTickList(tracks)


def track_chunks(data: bytes) -> list[bytes]:
    """The contents of the track chunks."""
    found, at = [], 14
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return found


def _number(track: bytes, at: int) -> tuple[int, int]:
    """A variable-length quantity and where it ends."""
    value = 0
    while True:
        byte = track[at]
        value, at = value << 7 | byte & 0x7F, at + 1
        if byte < 0x80:
            return value, at


def read_track(track: bytes) -> TrackEvents:
    """The events of a track chunk's contents. MidiError where the track ends inside a time or a note.

    System exclusive and other meta events are passed over, and running status goes on behind them; so is a data byte
    without any status. What is cut off inside another event ends the track.
    """
    messages: list[tuple[int, int, int, int]] = []
    tempos: list[tuple[int, int]] = []
    at, tick, status, size, end = 0, 0, 0, 1, len(track)
    try:
        while at < end:
            wait, at = (track[at], at + 1) if track[at] < 0x80 else _number(track, at)
            tick += wait
            byte = track[at]
            if byte >= 0xF0:
                kind = track[at + 1] if byte == 0xFF else 0
                length, start = _number(track, at + 1 + (byte == 0xFF))
                at = start + length
                if kind == END_OF_TRACK:
                    break
                if kind == SET_TEMPO and length == 3 and at <= end:
                    tempos.append((tick, int.from_bytes(track[start:at], "big")))
                continue
            if byte >= 0x80:
                status, size, at = byte, DATA_BYTES[byte & 0xF0], at + 1
            if status and (at + size <= end or status < 0xA0):
                messages.append((tick, status, track[at], track[at + 1] if size == 2 else 0))
            at += size
    except IndexError as error:
        raise MidiError("A track of this MIDI file ends inside an event.", "Export it again.") from error
    return TrackEvents(messages, tempos, tick)


def _presses(track: bytes) -> tuple[list[Press], int]:
    """The key events of a track and its last tick. MidiError as for `read_track`."""
    found = read_track(track)
    presses = [
        Press(tick, status & 0x0F, first, second if status >= 0x90 else 0)
        for tick, status, first, second in found.messages
        if status < 0xA0
    ]
    return presses, found.end


def _hangs(presses: list[Press]) -> bool:
    """Whether a key goes down more often than up again, counted from each first press on."""
    down: dict[tuple[int, int], int] = defaultdict(int)
    for press in presses:
        key = (press.channel, press.pitch)
        down[key] = down[key] + 1 if press.velocity else max(down[key] - 1, 0)
    return any(down.values())


def _pair(presses: list[Press], end: int) -> list[Played]:
    """Notes from key events: first down, first up, as symusic does; keys that hang end when struck again."""
    keys: dict[tuple[int, int], list[Press]] = defaultdict(list)
    for press in presses:
        keys[press.channel, press.pitch].append(press)
    found: list[Played] = []
    for events in keys.values():
        hanging = _hangs(events)
        sounding: deque[Press] = deque()
        for press in events:
            if sounding and (press.velocity == 0 or hanging):
                found.append(_played(sounding.popleft(), press.tick))
            if press.velocity:
                sounding.append(press)
        found.extend(_played(press, end) for press in sounding)
    return sorted(found, key=lambda note: (note.start, note.pitch))


def _played(press: Press, stop: int) -> Played:
    return Played(press.channel, press.tick, stop, press.pitch, press.velocity)
