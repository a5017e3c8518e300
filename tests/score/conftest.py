"""Pieces and MIDI bytes made by hand, and EMOPIA where it is at hand."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from affectgen.score.chords import QUALITIES, estimate_chords
from affectgen.score.grid import Chord, GridScore, make_grid
from affectgen.score.keys import Key

Event = tuple[int, bytes]
Midi = Callable[..., bytes]


@pytest.fixture(scope="session")
def emopia(real_data: Path) -> Path:
    return real_data / "emopia"


def quantity(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def track_of(events: Sequence[Event], end: bool = True) -> bytes:
    body = b"".join(quantity(wait) + event for wait, event in events) + (b"\x00\xff\x2f\x00" if end else b"")
    return b"MTrk" + struct.pack(">I", len(body)) + body


@pytest.fixture
def midi() -> Midi:
    """Build a file: midi(track, track, ..., kind=1, division=480), a track being (ticks to wait, event bytes) pairs."""

    def build(*tracks: Sequence[Event], kind: int = 1, division: int = 480, end: bool = True) -> bytes:
        head = b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), division)
        return head + b"".join(track_of(track, end) for track in tracks)

    return build


def make_piece(seed: int = 0, bars: int = 8, tempo: float = 100.0) -> GridScore:
    """A pop accompaniment with a tune: bass on 1 and 3, chords on the beats, eighths above, one chord a bar."""
    rng = np.random.default_rng(seed)
    roots = [(0, 4, 7), (9, 0, 4), (5, 9, 0), (7, 11, 2)]
    rows: list[tuple[int, int, int, int]] = []
    for bar in range(bars):
        chord = roots[bar % 4]
        for half in (0, 8):
            rows.append((bar * 16 + half, 8, 36 + chord[0], 84))
        for beat in range(4):
            rows += [(bar * 16 + 4 * beat, 4, 55 + (tone - 55) % 12, 60) for tone in chord]
        for eighth in range(8):
            if rng.random() < 0.8:
                pitch = 72 + chord[int(rng.integers(3))] % 12
                rows.append((bar * 16 + 2 * eighth, 2, pitch, int(rng.integers(60, 80)) + 10 * (eighth % 2 == 0)))
    notes = np.array(rows)
    beats = bars * 4
    chords = estimate_chords(notes[:, 0], notes[:, 1], notes[:, 2], beats)
    return make_grid(notes, np.full(beats, tempo), chords, Key(0, 0))


@pytest.fixture
def piece() -> Callable[..., GridScore]:
    return make_piece


@st.composite
def any_scores(draw: st.DrawFn) -> GridScore:
    """Pieces of 1-60 notes on the piano's keys, any tempo a MIDI file can hold, any chords and key."""
    note = st.tuples(st.integers(0, 100), st.integers(1, 40), st.integers(21, 108), st.integers(1, 127))
    rows = np.array(draw(st.lists(note, min_size=1, max_size=60)))
    beats = (int(rows[:, 0].max()) // 16 + 1) * 4
    tempo = draw(st.lists(st.floats(4.0, 1000.0), min_size=beats, max_size=beats))
    chord = st.one_of(st.none(), st.builds(Chord, st.integers(0, 11), st.sampled_from(sorted(QUALITIES))))
    chords = draw(st.lists(chord, min_size=beats, max_size=beats))
    key = Key(draw(st.integers(0, 11)), draw(st.integers(0, 1)))
    return make_grid(rows, np.array(tempo), tuple(chords), key)


@pytest.fixture(scope="session")
def scores() -> st.SearchStrategy[GridScore]:
    return any_scores()
