"""MIDI files through symusic: notes in seconds, pieces that already lie on a beat grid, and writing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import symusic
from numpy.typing import NDArray

from affectgen.errors import MidiError
from affectgen.score.chords import marker_text, read_marker
from affectgen.score.grid import BAR, BEAT, Chord, GridScore, Timing, make_grid
from affectgen.score.keys import Key, estimate_key
from affectgen.score.notes import NoteArray, until_struck_again
from affectgen.score.smf import close_notes, plain

TICKS = 480  # ticks per quarter note of the files written
SIXTEENTH = TICKS // BEAT
GRID_MARK = "affectgen grid"  # a marker of our performed files: notes lie off the beats, but the beats are the music's
SLOWEST = 60e6 / 0xFFFFFF  # beats per minute; a tempo event has 24 bits for the microseconds of a quarter
MOST_BEATS = 40_000  # of a piece; beyond, the file is broken rather than long
Source = Path | bytes


def open_midi(source: Source) -> symusic.Score:
    """Parse a file or a file's bytes into a score in ticks: at least one pitched note, all with an end, tempi above 0.

    Files of type 2 are read like those of type 1: their sequences sound together. MidiError names the file and what is
    wrong with it.
    """
    name = str(source) if isinstance(source, Path) else "The MIDI data"
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise MidiError(f"{name} cannot be read: {error.strerror}.", "Check the path and its permissions.") from error
    try:
        found = plain(data)
        score = symusic.Score.from_midi(found.data)
        close_notes(score, found.data)
        check_notes(score)
    except MidiError as error:
        raise MidiError(f"{name}: {error.message}", error.hint) from error
    except (RuntimeError, ValueError) as error:
        raise MidiError(f"{name} is a damaged MIDI file: {error}.", "Export it again from where it came.") from error
    tempos = [] if found.seconds else [tempo for tempo in score.tempos if 0 < tempo.qpm < np.inf]
    score.tempos = symusic.core.TempoTickList([symusic.Tempo(0, 60.0)] if found.seconds else tempos)
    return score


def check_notes(score: symusic.Score) -> None:
    """MidiError if a score has no pitched note."""
    if not any(len(track.notes) and not track.is_drum for track in score.tracks):
        what = "drums only" if any(len(track.notes) for track in score.tracks) else "no notes"
        raise MidiError(f"This MIDI file holds {what}.", "Give one with at least one pitched note.")


def _rows(score: symusic.Score) -> dict[str, NDArray[np.float64]]:
    """time, duration, pitch, velocity of all tracks but drums, concatenated; there must be a note (`open_midi`)."""
    tracks = [track.notes.numpy() for track in score.tracks if len(track.notes) and not track.is_drum]
    fields = ("time", "duration", "pitch", "velocity")
    return {name: np.concatenate([track[name] for track in tracks]) for name in fields}


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
    beats = (int(start.max()) // BAR + 1) * (BAR // BEAT)
    if beats > MOST_BEATS:
        raise MidiError(f"This MIDI file lasts {beats} beats; up to {MOST_BEATS} can be read.", "Cut it.")
    found = key if key is not None else estimate_key(pitch, np.maximum(rows["duration"], 1.0).astype(np.float64))
    return make_grid(notes, _tempo_of_beats(score, beats), _chords_of_beats(score, beats), found)


def key_signature(score: symusic.Score) -> Key | None:
    """The key that a score names, if it names one only."""
    named = {(signature.key, signature.tonality) for signature in score.key_signatures}
    if len(named) != 1:
        return None
    fifths, mode = named.pop()
    return Key((fifths * 7 - 3 * mode) % 12, mode) if -7 <= fifths <= 7 and mode in (0, 1) else None


def _tempo_of_beats(score: symusic.Score, beats: int) -> NDArray[np.float64]:
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


def write_midi(score: GridScore, played: Timing | None = None) -> bytes:
    """A type-1 MIDI file of one piano track, with tempo events, chord markers, 4/4 and the key signature.

    played: when the notes sound, if not as written; they then lie at their own times against the score's
    beats, and the file says that its beats are the music's (`GRID_MARK`).
    """
    out = symusic.Score(TICKS)
    out.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    fifths = (score.key.tonic + 3 * score.key.mode) * 7 % 12  # a minor key has the signature a minor third above
    out.key_signatures.append(symusic.KeySignature(0, fifths - 12 if fifths > 6 else fifths, score.key.mode))
    last_tempo: float | None = None
    last_chord: Chord | str | None = ""
    for beat, (tempo, chord) in enumerate(zip(score.tempo.tolist(), score.chords, strict=True)):
        if tempo != last_tempo:
            out.tempos.append(symusic.Tempo(beat * TICKS, max(tempo, SLOWEST)))
        if chord != last_chord:
            out.markers.append(symusic.TextMeta(beat * TICKS, marker_text(chord)))
        last_tempo, last_chord = tempo, chord
    start, stop = score.start * SIXTEENTH, (score.start + score.length) * SIXTEENTH
    if played is not None:
        out.markers.append(symusic.TextMeta(0, GRID_MARK))
        start, stop = (_ticks(score, seconds) for seconds in (played.onset, played.onset + played.duration))
    out.tracks.append(_piano(start, np.maximum(stop - start, 1), score.pitch, score.velocity))
    return bytes(out.dumps_midi())


def _ticks(score: GridScore, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Ticks of times under the score's tempo, which goes on after the final bar line."""
    lines = score.line_seconds()
    inside = np.interp(seconds, lines, np.arange(len(lines)) * SIXTEENTH)
    beyond = np.maximum(seconds - lines[-1], 0.0) * score.tempo[-1] / 60 * TICKS
    return np.round(inside + beyond).astype(np.int64)


def write_notes(notes: NoteArray) -> bytes:
    """A type-1 MIDI file of notes in seconds: one piano track under a nominal tempo of 120, ticks of 1.04 ms."""
    out = symusic.Score(TICKS)
    out.tempos.append(symusic.Tempo(0, 120.0))
    start = np.round(notes.onset * 2 * TICKS).astype(np.int64)
    stop = np.round((notes.onset + notes.duration) * 2 * TICKS).astype(np.int64)
    out.tracks.append(_piano(start, np.maximum(stop - start, 1), notes.pitch, notes.velocity))
    return bytes(out.dumps_midi())


def _piano(
    start: NDArray[np.int64], length: NDArray[np.int64], pitch: NDArray[np.int64], velocity: NDArray[np.int64]
) -> symusic.core.TrackTick:
    """A track of notes in ticks. A note still ringing when its key is struck again ends there."""
    order = np.lexsort((start, pitch))
    rings = until_struck_again(start, length, pitch)
    track = symusic.Track("piano", 0, False)
    for row in zip(*(part[order].tolist() for part in (start, rings, pitch, velocity)), strict=True):
        track.notes.append(symusic.Note(*row))
    track.notes.sort()
    return track
