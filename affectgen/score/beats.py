"""Reading any MIDI file as a piece on the sixteenth grid: by its own beats if they are musical, else by tracking.

`read_score` is the one entry of all generators. Files that people play in carry a dummy tempo (EMOPIA's raw files: 120
throughout); files from notation and sequencers carry true beats.

Every piece is written in 4/4 from the file's first beat on: a file in 3/4, 6/8 or with changes of metre keeps its
notes, beats and tempo, but its bars are counted in fours.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import symusic
from numpy.typing import NDArray

from affectgen.errors import MidiError
from affectgen.score.accents import Accents, find_onsets, hear_accents
from affectgen.score.chords import estimate_chords
from affectgen.score.grid import BAR, BEAT, GridScore, make_grid
from affectgen.score.keys import estimate_key
from affectgen.score.midi import GRID_MARK, check_notes, grid_of, key_signature, notes_of, open_midi
from affectgen.score.notes import NoteArray
from affectgen.score.pulse import find_pulse

# How strongly onsets must gather on the ticks of sixteenths (4 to a beat), triplets (3) or both (6, 12), as the mean
# resultant of their phases: EMOPIA's raw files have .23 at the 95th percentile, Pop1k7's beat-aligned ones .54 at the
# 5th; a few notes can gather by chance, hence the second term.
GATHERED = 0.35
BY_CHANCE = 1.0
DIVISIONS = (BEAT, 3, 6, 12)
ON_BEAT = 0.15  # least share of onsets on a beat for triplets to be believed
# A lone 120 is what recorders write when they know no tempo, and music of 80, 90 or 160 gathers on its triplets:
# then only notes that were quantised count as being on the grid.
DEFAULT_TEMPO = 120.0
QUANTISED = 0.995
LONGEST = 7200.0  # seconds; tracking takes 20 kB a second


def read_score(source: Path | bytes) -> GridScore:
    """Read a MIDI file, or its bytes, as a piece on the grid.

    Takes the file's own beats where `has_beat_grid`, with its chord markers if it has any, and then its key signature
    too; otherwise finds the beats with `track_beats`. What the file does not say is estimated. MidiError if the file is
    damaged or holds no pitched notes.
    """
    return to_grid(open_midi(source))


def to_grid(score: symusic.Score) -> GridScore:
    """The same for a score in ticks that is already in memory."""
    check_notes(score)
    if not has_beat_grid(score):
        return track_beats(notes_of(score))
    grid = grid_of(score)
    if any(chord is not None for chord in grid.chords):
        key = key_signature(score)  # of other files it is often a default, and minor keys are signed as major
        return grid if key is None else replace(grid, key=key)
    return replace(grid, chords=estimate_chords(grid.start, grid.length, grid.pitch, len(grid.tempo)))


def has_beat_grid(score: symusic.Score) -> bool:
    """Whether the notes of a score in ticks gather on the sixteenths or triplets of its own beats."""
    onsets = [track.notes.numpy()["time"] for track in score.tracks if len(track.notes) and not track.is_drum]
    if not onsets or any(marker.text == GRID_MARK for marker in score.markers):
        return True
    beat = np.unique(np.concatenate(onsets)) / score.ticks_per_quarter
    finer = (np.abs(beat - np.round(beat)) < 1 / 16).mean() >= ON_BEAT  # else a shifted grid passes for triplets
    gathered = max(float(np.cos(2 * np.pi * division * beat).mean()) for division in (DIVISIONS if finer else (BEAT,)))
    if all(abs(tempo.qpm - DEFAULT_TEMPO) < 0.01 for tempo in score.tempos):
        return gathered >= QUANTISED
    return gathered >= min(GATHERED + BY_CHANCE / np.sqrt(len(beat)), 0.95)


def track_beats(notes: NoteArray) -> GridScore:
    """Find beats and bars of a performance and write it on their sixteenths.

    Beats come from `affectgen.score.pulse`; of the four places for the bar line the one whose beats sound most like
    downbeats is taken. Notes that start together stay together. Tempo is one value a beat from the beat times, chords
    and key are estimated. A pickup stands at the end of the first bar. MidiError for no notes or over two hours.
    """
    if not len(notes):
        raise MidiError("There is no note to find beats in.", "Give a file that holds at least one pitched note.")
    if notes.end > LONGEST:
        raise MidiError(
            f"The piece lasts {notes.end / 60:.0f} minutes; beats are found in up to {LONGEST / 60:.0f}.", "Cut it."
        )
    accents = hear_accents(notes)
    beats = find_pulse(accents)
    before = _beats_to_bar_line(accents, beats)
    lines = _extend(beats, before, notes.end)
    onsets = find_onsets(notes)
    start = _sixteenth(onsets.time, lines)[onsets.group]
    length = np.maximum(_sixteenth(notes.onset + notes.duration, lines) - start, 1)
    empty = int(start.min()) // BAR  # bars of rest before the first note
    start, lines = start - empty * BAR, lines[empty * 4 :]
    count = (int(start.max()) // BAR + 1) * (BAR // BEAT)
    tempo = 60.0 / np.diff(lines[: count + 1])
    return make_grid(
        np.stack([start, length, notes.pitch, notes.velocity], axis=1), tempo,
        estimate_chords(start, length, notes.pitch, count), estimate_key(notes.pitch, notes.duration),
    )  # fmt: skip


def _sixteenth(seconds: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.int64]:
    """The sixteenth nearest to each time, under beat lines that reach around all of them."""
    return np.round(np.interp(seconds, lines, np.arange(len(lines)) * BEAT)).astype(np.int64)


def _beats_to_bar_line(accents: Accents, beats: NDArray[np.float64]) -> int:
    """How many beats 0-3 stand before the first one for the bar lines to fall where downbeats sound."""
    place = np.interp(accents.time, beats, np.arange(len(beats)))
    beat = np.round(place).astype(np.int64)
    on_beat = np.abs(place - beat) < 0.5 / BEAT
    gain = accents.odds[:, 0] - accents.odds[:, 1]
    phases = np.bincount(beat[on_beat] % 4, weights=gain[on_beat], minlength=4)
    return int(-phases.argmax() % 4)


def _extend(beats: NDArray[np.float64], before: int, end: float) -> NDArray[np.float64]:
    """Beat lines with `before` more in front, at the first period, and as many behind as reach a bar past `end`."""
    first, last = beats[1] - beats[0], beats[-1] - beats[-2]
    front = beats[0] - first * np.arange(before, 0, -1)
    behind = beats[-1] + last * np.arange(1, max(0, int(np.ceil((end - beats[-1]) / last))) + 2 * (BAR // BEAT))
    return np.concatenate([front, beats, behind])
