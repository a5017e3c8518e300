"""The bytes of Standard MIDI Files (MIDI 1.0, RP-001), where they are odd: what symusic refuses or silently drops.

`plain` turns RIFF wrappers, long headers and SMPTE time into what symusic reads; `close_notes` gives an end to notes
that have none. Well-formed files pass through untouched.
"""

from __future__ import annotations

import struct
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import NamedTuple

import symusic

from affectgen.errors import MidiError

DRUMS = 9  # channel 10 of General MIDI, counted from 0
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
    pressed = [_presses(chunk) for chunk in _chunks(data)]
    if not any(_hangs(presses) for presses, _ in pressed):
        return
    end = max(stop for _, stop in pressed)
    tracks: list[symusic.core.TrackTick] = []
    for presses, _ in pressed:
        channels: dict[int, symusic.core.TrackTick] = {}
        for note in _pair(presses, end):
            track = channels.setdefault(note.channel, symusic.Track("", 0, note.channel == DRUMS))
            track.notes.append(symusic.Note(note.start, max(note.stop - note.start, 1), note.pitch, note.velocity))
        tracks.extend(channels.values())
    score.tracks = symusic.core.TrackTickList(tracks)


def _chunks(data: bytes) -> list[bytes]:
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


def _presses(track: bytes) -> tuple[list[Press], int]:
    """The key events of a track and its last tick. MidiError where the track ends inside an event."""
    found: list[Press] = []
    at, tick, status = 0, 0, 0
    try:
        while at < len(track):
            wait, at = _number(track, at)
            tick += wait
            if track[at] >= 0x80:
                status, at = track[at], at + 1
            if status >= 0xF0:
                kind = track[at] if status == 0xFF else 0
                size, at = _number(track, at + (status == 0xFF))
                at += size
                if kind == 0x2F:  # end of track
                    break
                continue
            if (status & 0xF0) in (0x80, 0x90):
                velocity = track[at + 1] if status >= 0x90 else 0
                found.append(Press(tick, status & 0x0F, track[at], velocity))
            at += DATA_BYTES.get(status & 0xF0, 1)
    except IndexError as error:
        raise MidiError("A track of this MIDI file ends inside an event.", "Export it again.") from error
    return found, tick


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
