"""What a piano does with a MIDI file's messages: when each hammer strikes, and when the damper falls."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from affectgen.score.messages import BEND, CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, Timeline
from affectgen.score.smf import DRUMS

SHORTEST = 0.01  # seconds that a note lasts at least, as FluidSynth has it
VOLUME, EXPRESSION, SUSTAIN, SOSTENUTO, SOUND_OFF, RESET, NOTES_OFF = 7, 11, 64, 66, 120, 121, 123
USUAL_VOLUME, FULL = 100, 127  # of controllers 7 and 11 where a file sets neither (General MIDI)
DOWN = 64  # a pedal's least value at which it is down
CENTRE = 64  # second data byte of a bend that bends nothing, with first 0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Strikes:
    """Notes of a piano, sorted by onset.

    onset, stop: float64 [N], seconds, stop > onset: where the damper falls; pitch: int64 [N], MIDI 0-127; velocity:
    int64 [N], 1-127; gain: float64 [N], linear, of volume and expression at the onset, 1 where a file sets neither;
    programs: those that notes were struck under, sorted. What a piano cannot do: drums, notes of channel 10, which are
    left out; bends, pitch bends of the other channels.
    """

    onset: Floats
    stop: Floats
    pitch: Ints
    velocity: Ints
    gain: Floats
    programs: tuple[int, ...] = (0,)
    drums: int = 0
    bends: int = 0

    def __len__(self) -> int:
        return len(self.onset)


def strikes_of(timeline: Timeline) -> Strikes:
    """The strikes of all channels but that of the drums; there may be none.

    A key that is let go rings on while the sustain pedal (controller 64) is down, or the sostenuto pedal (66) if it
    sounded when that went down, even when it is struck again meanwhile. All notes off (123 and the mode messages above
    it) lets all keys go, all sound off (120) lets the dampers fall, reset controllers (121) lifts the pedals. A key
    that is struck again ends its earlier sound. Notes never ended stop at `timeline.end`, and none lasts less than
    10 ms unless its key is struck again.
    """
    heard = _heard(timeline)
    columns = (timeline.seconds, timeline.status, timeline.channel, timeline.first, timeline.second)
    channels = [_Channel() for _ in range(16)]
    notes: list[_Note] = []
    for time, status, number, first, second in zip(*(column[heard].tolist() for column in columns), strict=True):
        channel = channels[number]
        if status == NOTE_ON and second:
            notes.append(channel.strike(time, first, second))
        elif status in (NOTE_ON, NOTE_OFF):
            channel.let_go(time, first)
        elif status == CONTROL:
            channel.control(time, first, second)
        else:
            channel.program = first
    melodic = timeline.channel != DRUMS
    bent = (timeline.status == BEND) & melodic & ((timeline.first != 0) | (timeline.second != CENTRE))
    drums = (timeline.status == NOTE_ON) & (timeline.second > 0) & ~melodic
    return _gathered(notes, timeline.end, int(drums.sum()), int(bent.sum()))


def _heard(timeline: Timeline) -> NDArray[np.bool_]:
    """Which messages a piano takes notice of."""
    kinds = np.isin(timeline.status, (NOTE_ON, NOTE_OFF, PROGRAM))
    used = np.isin(timeline.first, (VOLUME, EXPRESSION, SUSTAIN, SOSTENUTO, SOUND_OFF, RESET))
    control = (timeline.status == CONTROL) & (used | (timeline.first >= NOTES_OFF))
    return (kinds | control) & (timeline.channel != DRUMS)


@dataclass(slots=True)
class _Note:
    """stop: seconds, inf while it sounds; again: when its key is struck the next time, inf where it is not."""

    onset: float
    pitch: int
    velocity: int
    gain: float
    program: int
    stop: float = math.inf
    again: float = math.inf


@dataclass(slots=True)
class _Channel:
    """Keys of one channel: down, those held; ringing, those let go that a pedal keeps; caught, those that the sostenuto
    keeps; struck, the last note of each.
    """

    down: dict[int, _Note] = field(default_factory=dict)
    ringing: dict[int, _Note] = field(default_factory=dict)
    caught: set[int] = field(default_factory=set)
    struck: dict[int, _Note] = field(default_factory=dict)
    sustain: bool = False
    sostenuto: bool = False
    gain: float = 1.0
    volume: int = USUAL_VOLUME
    expression: int = FULL
    program: int = 0

    def strike(self, time: float, pitch: int, velocity: int) -> _Note:
        if pitch in self.struck:
            self.struck[pitch].again = time
            self.ringing.pop(pitch, None)
        note = self.down[pitch] = self.struck[pitch] = _Note(time, pitch, velocity, self.gain, self.program)
        return note

    def let_go(self, time: float, pitch: int) -> None:
        note = self.down.pop(pitch, None)
        if note is None:
            return
        if self.sustain or pitch in self.caught:
            self.ringing[pitch] = note
        else:
            note.stop = time

    def control(self, time: float, number: int, value: int) -> None:
        """Obey a controller (General MIDI's numbers) at a time in seconds; others than those known change nothing."""
        if number == VOLUME:
            self.volume = value
        elif number == EXPRESSION:
            self.expression = value
        elif number == SUSTAIN:
            self.sustain = value >= DOWN
            self._damp(time)
        elif number == SOSTENUTO:
            self._sostenuto(time, value >= DOWN)
        elif number == SOUND_OFF:
            for note in (*self.down.values(), *self.ringing.values()):
                note.stop = time
            self.down, self.ringing, self.caught = {}, {}, set()
        elif number == RESET:  # leaves the volume as it is (RP-015)
            self.expression, self.sustain = FULL, False
            self._sostenuto(time, False)
        else:
            for pitch in list(self.down):
                self.let_go(time, pitch)
        self.gain = (self.volume / USUAL_VOLUME) ** 2 * (self.expression / FULL) ** 2

    def _sostenuto(self, time: float, down: bool) -> None:
        if down and not self.sostenuto:
            self.caught = {*self.down, *self.ringing}
        elif not down:
            self.caught = set()
        self.sostenuto = down
        self._damp(time)

    def _damp(self, time: float) -> None:
        """Let the dampers fall on what no pedal keeps."""
        if self.sustain or not self.ringing:
            return
        for pitch, note in self.ringing.items():
            if pitch not in self.caught:
                note.stop = time
        self.ringing = {pitch: note for pitch, note in self.ringing.items() if pitch in self.caught}


def _gathered(notes: list[_Note], end: float, drums: int, bends: int) -> Strikes:
    """As arrays; notes of no length lengthened, those whose key is struck again at the same moment left out."""
    onset, stop, again = (
        np.array([getattr(note, name) for note in notes], dtype=np.float64) for name in ("onset", "stop", "again")
    )
    stop = np.minimum(np.maximum(np.minimum(stop, end), onset + SHORTEST), again)
    kept = stop > onset
    pitch = np.array([note.pitch for note in notes], dtype=np.int64)
    velocity = np.array([note.velocity for note in notes], dtype=np.int64)
    gain = np.array([note.gain for note in notes], dtype=np.float64)
    programs = tuple(sorted({note.program for note in notes}))
    return Strikes(onset[kept], stop[kept], pitch[kept], velocity[kept], gain[kept], programs, drums, bends)
