"""MIDI files through symusic: notes in seconds, pieces that already lie on a beat grid, and writing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import symusic

from affectgen.errors import MidiError
from affectgen.score.chords import marker_text, read_marker
from affectgen.score.grid import BEAT, Chord, GridScore, make_grid
from affectgen.score.keys import Key, estimate_key
from affectgen.score.notes import NoteArray

TICKS = 480  # ticks per quarter note of the files written
SIXTEENTH = TICKS // BEAT
Source = Path | bytes


def open_midi(source: Source) -> symusic.Score:
    """Parse a file or a file's bytes in ticks. MidiError names the file and what is wrong with it."""
    name = str(source) if isinstance(source, Path) else "the bytes on standard input"
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise MidiError(f"{name} cannot be read: {error.strerror}.", "Check the path and its permissions.") from error
    if data[:4] != b"MThd":
        raise MidiError(f"{name} is no MIDI file: it starts with {data[:4]!r}, not b'MThd'.", "Give a .mid file.")
    try:
        return symusic.Score.from_midi(data)
    except (RuntimeError, ValueError) as error:
        raise MidiError(f"{name} is a damaged MIDI file: {error}.", "Export it again from where it came.") from error


def _rows(score: symusic.Score, drums: bool = False) -> dict[str, np.ndarray]:
    """time, duration, pitch, velocity of all tracks but drums, concatenated."""
    tracks = [t.notes.numpy() for t in score.tracks if len(t.notes) and (drums or not t.is_drum)]
    fields = ("time", "duration", "pitch", "velocity")
    return {name: np.concatenate([t[name] for t in tracks]) if tracks else np.zeros(0) for name in fields}


def read_notes(source: Source) -> NoteArray:
    """All pitched notes of a file in seconds, under its own tempo map. Notes of no length get 10 ms."""
    return notes_of(open_midi(source))


def notes_of(score: symusic.Score) -> NoteArray:
    """The pitched notes of a score in ticks, in seconds."""
    rows = _rows(score.to("second"))
    return NoteArray.of(rows["time"], np.maximum(rows["duration"], 0.01), rows["pitch"], rows["velocity"])


def read_grid(source: Source, key: Key | None = None) -> GridScore:
    """Read a file whose beats are those of the music (EMOPIA's beat files, Pop1k7, the project's own).

    Onsets are rounded to sixteenths; tempo and chord markers become one value per beat; the key is estimated from the
    pitches when none is given. Metre is taken as 4/4 from the first beat.
    """
    return grid_of(open_midi(source), key)


def grid_of(score: symusic.Score, key: Key | None = None) -> GridScore:
    """The same for a score in ticks."""
    rows = _rows(score)
    step = score.ticks_per_quarter / BEAT
    start = np.maximum(np.round(rows["time"] / step), 0).astype(np.int64)
    stop = np.round((rows["time"] + rows["duration"]) / step).astype(np.int64)
    pitch, velocity = rows["pitch"].astype(np.int64), rows["velocity"].astype(np.int64)
    notes = np.stack([start, np.maximum(stop - start, 1), pitch, velocity], axis=1)
    beats = int(start.max()) // BEAT + 1 if len(start) else 1
    found = key if key is not None else estimate_key(pitch, np.maximum(rows["duration"], 1.0).astype(np.float64))
    return make_grid(notes, _tempo_of_beats(score, beats), _chords_of_beats(score, beats), found)


def _tempo_of_beats(score: symusic.Score, beats: int) -> np.ndarray:
    """Beats per minute at each beat, the last event at or before it."""
    events = sorted((tempo.time, tempo.qpm) for tempo in score.tempos)
    times = np.array([time for time, _ in events] or [0]) / score.ticks_per_quarter
    values = np.array([value for _, value in events] or [120.0])
    at = np.searchsorted(times, np.arange(beats) + 1e-6, side="right") - 1
    return values[np.maximum(at, 0)]


def _chords_of_beats(score: symusic.Score, beats: int) -> tuple[Chord | None, ...]:
    """The chord marker in force at each beat; None before the first."""
    chords: list[Chord | None] = [None] * beats
    for marker in sorted(score.markers, key=lambda marker: marker.time):
        symbol = read_marker(marker.text)
        beat = round(marker.time / score.ticks_per_quarter)
        if not isinstance(symbol, str) and beat < beats:
            chords[beat:] = [symbol] * (beats - beat)
    return tuple(chords)


def write_midi(score: GridScore) -> bytes:
    """A type-1 MIDI file of one piano track, with tempo events, chord markers, 4/4 and the key signature."""
    out = symusic.Score(TICKS)
    out.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    fifths = (score.key.tonic + 3 * score.key.mode) * 7 % 12  # a minor key has the signature a minor third above
    out.key_signatures.append(symusic.KeySignature(0, fifths - 12 if fifths > 6 else fifths, score.key.mode))
    last_tempo: float | None = None
    last_chord: Chord | None | str = ""
    for beat, (tempo, chord) in enumerate(zip(score.tempo.tolist(), score.chords, strict=True)):
        if tempo != last_tempo:
            out.tempos.append(symusic.Tempo(beat * TICKS, tempo))
        if chord != last_chord:
            out.markers.append(symusic.TextMeta(beat * TICKS, marker_text(chord)))
        last_tempo, last_chord = tempo, chord
    track = symusic.Track("piano", 0, False)
    rows = zip(score.start.tolist(), score.length.tolist(), score.pitch.tolist(), score.velocity.tolist(), strict=True)
    for start, length, pitch, velocity in rows:
        track.notes.append(symusic.Note(start * SIXTEENTH, length * SIXTEENTH, pitch, velocity))
    out.tracks.append(track)
    return bytes(out.dumps_midi())
